#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/vault.hpp"

namespace sotto::test {

#if defined(__SANITIZE_THREAD__)
inline constexpr bool under_tsan = true;
#else
inline constexpr bool under_tsan = false;
#endif

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool under_asan = true;
#else
inline constexpr bool under_asan = false;
#endif

/// A folder of one test's own, gone with the test.
class temporary_folder {
 public:
  temporary_folder();
  ~temporary_folder();
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const {
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

/// A small file system of the test's own, of so many KiB; `ready` is false
/// where this user may not mount one.
class small_disk {
 public:
  explicit small_disk(unsigned kibibytes);
  ~small_disk();
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  bool ready() const { return mounted_; }
  void make_read_only();
  void make_writable();
  std::filesystem::path operator/(std::string_view name) const {
    return folder_ / name;
  }

 private:
  bool remount(unsigned long flags);

  temporary_folder folder_;
  bool mounted_ = false;
};

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, std::string_view bytes);

/// Every regular file of a folder by its name, but the lock.
using folder_image = std::map<std::string, std::string>;
folder_image image_of(const std::filesystem::path& folder);
/// A folder, private to its owner, with these files and nothing else.
void lay_out(const folder_image& image, const std::filesystem::path& folder);

/// Opens with the smallest kdf cost, so that tests are quick.
result<std::unique_ptr<vault>> open_quick(const std::filesystem::path& folder,
                                          const secret* passphrase);
/// The same without a passphrase; the test fails if it does not open.
std::unique_ptr<vault> open_clear(const std::filesystem::path& folder);

vault_change put(std::string table, std::string key, std::string_view value);
vault_change erase(std::string table, std::string key);
/// Makes one change, which must work.
void apply(vault& into, vault_change change);
/// The value as text; "(none)" or "(error: …)" where there is none.
std::string value_of(vault& from, std::string_view table, std::string_view key);

/// Runs one SQL text on a database file, as somebody else's program would.
void tamper(const std::filesystem::path& database, const std::string& sql);

/// The seed of this run: SOTTO_TEST_SEED, or a new one; it is printed.
unsigned long long test_seed();

}  // namespace sotto::test
