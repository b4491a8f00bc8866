#include "tests/crypto/vault_support.hpp"

#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>

namespace sotto::test {
namespace fs = std::filesystem;

temporary_folder::temporary_folder() {
  std::string name = (fs::temp_directory_path() / "sotto-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    ADD_FAILURE() << "no temporary folder could be made";
  }
  path_ = name;
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

small_disk::small_disk(unsigned kibibytes) {
  const std::string options =
      "mode=0700,size=" + std::to_string(kibibytes) + "k";
  mounted_ = ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0,
                     options.c_str()) == 0;
}

small_disk::~small_disk() {
  if (mounted_) {
    ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
}

bool small_disk::remount(unsigned long flags) {
  return ::mount(nullptr, folder_.path().c_str(), nullptr, MS_REMOUNT | flags,
                 nullptr) == 0;
}

void small_disk::make_read_only() { EXPECT_TRUE(remount(MS_RDONLY)); }
void small_disk::make_writable() { EXPECT_TRUE(remount(0)); }

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

void write_file(const fs::path& path, std::string_view bytes) {
  fs::remove(path);  // ext4 flushes a file that is cut to nothing
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(file.flush().good()) << path;
}

folder_image image_of(const fs::path& folder) {
  folder_image image;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && name != "lock") {
      image[name] = read_file(entry.path());
    }
  }
  return image;
}

void lay_out(const folder_image& image, const fs::path& folder) {
  fs::remove_all(folder);
  ASSERT_EQ(::mkdir(folder.c_str(), 0700), 0);
  for (const auto& [name, bytes] : image) {
    write_file(folder / name, bytes);
  }
}

result<std::unique_ptr<vault>> open_quick(const fs::path& folder,
                                          const secret* passphrase) {
  return vault::open(folder, passphrase, {kdf_cost::minimal()});
}

std::unique_ptr<vault> open_clear(const fs::path& folder) {
  auto opened = open_quick(folder, nullptr);
  if (!opened) {
    ADD_FAILURE() << opened.failure().message;
    return nullptr;
  }
  return *std::move(opened);
}

vault_change put(std::string table, std::string key, std::string_view value) {
  return {std::move(table), std::move(key), secret::copy_of(value)};
}

vault_change erase(std::string table, std::string key) {
  return {std::move(table), std::move(key), std::nullopt};
}

void apply(vault& into, vault_change change) {
  std::vector<vault_change> changes;
  changes.push_back(std::move(change));
  auto done = into.apply(changes);
  EXPECT_TRUE(done) << (done ? "" : done.failure().message);
}

std::string value_of(vault& from, std::string_view table,
                     std::string_view key) {
  auto found = from.get(table, key);
  if (!found) {
    return "(error: " + found.failure().message + ")";
  }
  return *found ? std::string((*found)->view()) : "(none)";
}

void tamper(const fs::path& database, const std::string& sql) {
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(database.c_str(), &handle), SQLITE_OK);
  char* problem = nullptr;
  const int code =
      sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, &problem);
  EXPECT_EQ(code, SQLITE_OK) << (problem != nullptr ? problem : "");
  sqlite3_free(problem);
  sqlite3_close(handle);
}

unsigned long long test_seed() {
  const char* given = std::getenv("SOTTO_TEST_SEED");
  const unsigned long long seed = given != nullptr
                                      ? std::strtoull(given, nullptr, 10)
                                      : (std::random_device{}() | 1ULL);
  std::cout << "seed " << seed << " (SOTTO_TEST_SEED repeats it)\n";
  return seed;
}

}  // namespace sotto::test
