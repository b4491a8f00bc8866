#pragma once

#include <cstdio>
#include <memory>

#include "crypto/result.hpp"
#include "crypto/secret.hpp"

namespace sotto {

/// A `FILE*` whose bytes are in memory only (memfd), for the calls of libotr
/// that read and write keys by file. What passed through it is wiped when it
/// goes: the file, and the stream's buffer, which is ours. (fmemopen does not
/// do: libotr calls fstat.)
class memory_file {
 public:
  static result<memory_file> create();
  /// Positioned at its start, ready to be read.
  static result<memory_file> holding(std::span<const std::byte> bytes);

  memory_file(memory_file&&) noexcept = default;
  memory_file& operator=(memory_file&& other) noexcept;
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;
  ~memory_file();

  std::FILE* stream() const noexcept { return file_.get(); }
  /// All that was written so far.
  result<secret> contents();

 private:
  struct closer {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  memory_file() = default;
  void erase() noexcept;

  // Declared first, so that it outlives the stream that uses it.
  secret buffer_;
  std::unique_ptr<std::FILE, closer> file_;
};

}  // namespace sotto
