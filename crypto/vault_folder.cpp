#include "crypto/vault_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "crypto/atomic_file.hpp"
#include "crypto/sqlite.hpp"

namespace sotto {
namespace {

namespace fs = std::filesystem;

constexpr mode_t others = 0077;

bool has_content(const fs::path& file) {
  std::error_code missing;
  const auto size = fs::file_size(file, missing);
  return !missing && size != 0;
}

// SQLite throws away the log that lies beside a database of no bytes (or of
// one): the commits in it would be gone although the log was whole. No vault's
// rows are shorter than SQLite's smallest page.
bool is_stub(const fs::path& file) {
  constexpr std::uintmax_t smallest_page = 512;
  std::error_code failed;
  const auto size = fs::file_size(file, failed);
  return !failed && size < smallest_page;
}

bool is_there(const fs::path& file) {
  std::error_code missing;
  return fs::exists(fs::symlink_status(file, missing));
}

// Whether nothing but a vault's own files is in the folder, or a vault is.
bool may_be_made_private(const fs::path& folder) {
  if (is_there(folder / "vault.key") || is_there(folder / "vault.db")) {
    return true;
  }
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end;
       !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    if (name != "lock" && !name.starts_with("vault.")) {
      return false;
    }
  }
  return !failed;
}

result<void> make_folder(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder.parent_path(), failed);
  if (failed) {
    return io_failure("make the folder", folder.parent_path(), failed.value());
  }
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return io_failure("make the folder", folder, errno);
  }
  return sync_folder(folder.parent_path());
}

result<void> make_private(const fs::path& folder) {
  struct stat facts {};
  if (::stat(folder.c_str(), &facts) != 0) {
    return io_failure("look at the folder", folder, errno);
  }
  if (!S_ISDIR(facts.st_mode)) {
    return io_failure("use as a folder", folder, ENOTDIR);
  }
  if (facts.st_uid != ::geteuid()) {
    return error{errc::refused,
                 "the folder \"" + folder.string() +
                     "\" belongs to another user; choose one of your own"};
  }
  if ((facts.st_mode & others) == 0) {
    return {};
  }
  if (!may_be_made_private(folder)) {
    return error{errc::refused,
                 "the folder \"" + folder.string() +
                     "\" is open to other users and holds other things; "
                     "choose an empty folder, or make it private (chmod "
                     "700)"};
  }
  if (::chmod(folder.c_str(), 0700) != 0) {
    return io_failure("make private", folder, errno);
  }
  return {};
}

// A restored backup may have lost its modes.
result<void> make_files_private(const fs::path& folder) {
  for (const char* name :
       {"vault.key", "vault.db", "vault.db-wal", "vault.count", "lock"}) {
    const fs::path file = folder / name;
    struct stat facts {};
    if (::lstat(file.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) &&
        (facts.st_mode & others) != 0 && ::chmod(file.c_str(), 0600) != 0) {
      return io_failure("make private", file, errno);
    }
  }
  return {};
}

result<unique_fd> lock_folder(const fs::path& folder) {
  const fs::path file = folder / "lock";
  unique_fd lock(
      ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) {
    return io_failure("write", file, errno);
  }
  while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return error{errc::in_use, "another Sotto is using this folder (\"" +
                                     folder.string() +
                                     "\"); close it, or choose another folder"};
    }
    if (errno != EINTR) {
      return io_failure("lock", file, errno);
    }
  }
  return lock;
}

error incomplete(const fs::path& folder, const char* missing,
                 const char* found) {
  return {errc::corrupt,
          "\"" + (folder / missing).string() + "\" is missing although \"" +
              found +
              "\" is there; nothing was changed; put the folder back as a "
              "whole from a backup, or choose another folder"};
}

}  // namespace

result<vault_folder> vault_folder::claim(const fs::path& folder) {
  if (folder.empty()) {
    return error{errc::invalid_argument, "no data folder was given; name one"};
  }
  std::error_code failed;
  vault_folder claimed;
  claimed.path_ = fs::absolute(folder, failed).lexically_normal();
  if (failed) {
    return io_failure("find", folder, failed.value());
  }
  if (!claimed.path_.has_filename()) {  // "folder/"
    claimed.path_ = claimed.path_.parent_path();
  }
  if (!is_there(claimed.path_)) {
    if (auto made = make_folder(claimed.path_); !made) {
      return made.failure();
    }
  }
  if (auto made = make_private(claimed.path_); !made) {
    return made.failure();
  }
  auto lock = lock_folder(claimed.path_);
  if (!lock) {
    return lock.failure();
  }
  claimed.lock_ = *std::move(lock);
  if (auto made = make_files_private(claimed.path_); !made) {
    return made.failure();
  }
  return claimed;
}

result<vault_contents> vault_folder::contents() const {
  // SQLite would play such a log back into whatever file lies beside it.
  const bool key = is_there(key_file());
  const bool rows = is_there(rows_file());
  const bool log = has_content(path_ / "vault.db-wal");
  for (const char* journal : {"vault.db-journal", "vault.db.new-journal"}) {
    if ((key || rows) && has_content(path_ / journal)) {
      return error{errc::corrupt,
                   "\"" + (path_ / journal).string() +
                       "\" is not a file of a vault; nothing was changed; "
                       "move it away"};
    }
  }
  if (key && rows) {
    if (is_stub(rows_file())) {
      return damaged_vault(rows_file(), "it is too short");
    }
    return vault_contents::whole;
  }
  if (rows || (log && !key)) {
    return incomplete(path_, rows ? "vault.key" : "vault.db",
                      rows ? "vault.db" : "vault.db-wal");
  }
  if (!key) {
    return vault_contents::none;
  }
  if (!log && is_there(new_rows_file())) {
    return vault_contents::newborn;
  }
  return incomplete(path_, "vault.db", "vault.key");
}

result<void> vault_folder::discard_beginnings() const {
  for (const char* name :
       {"vault.key.new", "vault.count", "vault.count.new", "vault.db.new",
        "vault.db.new-wal", "vault.db.new-shm", "vault.db.new-journal",
        "vault.db-wal", "vault.db-journal", "vault.db-shm"}) {
    const fs::path file = path_ / name;
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) {
      return io_failure("remove", file, errno);
    }
  }
  return {};
}

}  // namespace sotto
