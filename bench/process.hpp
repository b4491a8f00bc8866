#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>

#include "crypto/result.hpp"

namespace sotto::bench {

/// Bytes of this process in memory, after freed memory was given back.
std::size_t resident_bytes();
/// The most that it ever had.
std::size_t peak_resident_bytes();
/// Processor time of all threads of this process.
double cpu_seconds();
/// A clock for durations, in seconds.
double now_seconds();

/// Runs `work` in a process of its own, so that its memory counts for nobody
/// else, and gives what it gave. This process must have no other thread.
result<nlohmann::json> in_child(
    const std::function<result<nlohmann::json>()>& work);

/// A new folder under the system's temporary one; removed with all in it.
class temporary_folder {
 public:
  static result<temporary_folder> make();
  ~temporary_folder();
  temporary_folder(temporary_folder&& other) noexcept;
  temporary_folder& operator=(temporary_folder&&) = delete;
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  explicit temporary_folder(std::filesystem::path path)
      : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace sotto::bench
