#include "crypto/vault_migration.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include "crypto/atomic_file.hpp"
#include "crypto/sqlite.hpp"

namespace sotto {
namespace {

namespace fs = std::filesystem;

result<void> copy_synced(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  fs::copy_file(from, to, failed);
  if (failed == std::errc::no_such_file_or_directory && !fs::exists(from)) {
    return {};  // not every vault has a log
  }
  if (failed) {
    return io_failure("copy to", to, failed.value());
  }
  const unique_fd copy(::open(to.c_str(), O_RDONLY | O_CLOEXEC));
  if (!copy || ::fchmod(copy.get(), 0600) != 0 || ::fsync(copy.get()) != 0) {
    return io_failure("write", to, errno);
  }
  return {};
}

}  // namespace

result<void> back_up_vault(const vault_folder& folder, std::uint32_t schema) {
  const fs::path target =
      folder.path() / ("backup-schema-" + std::to_string(schema));
  fs::path fresh = target;
  fresh += ".new";
  std::error_code failed;
  if (fs::exists(target, failed)) {
    return {};
  }
  fs::remove_all(fresh, failed);
  if (::mkdir(fresh.c_str(), 0700) != 0) {
    return io_failure("make the folder", fresh, errno);
  }
  for (const char* name :
       {"vault.key", "vault.db", "vault.db-wal", "vault.count"}) {
    auto copied = copy_synced(folder.path() / name, fresh / name);
    if (!copied) {
      fs::remove_all(fresh, failed);
      return copied;
    }
  }
  if (auto synced = sync_folder(fresh); !synced) {
    return synced;
  }
  return rename_synced(fresh, target);
}

result<void> migrate_vault(const vault_folder& folder, std::uint32_t from,
                           std::uint32_t to,
                           std::span<const migration_step> steps) {
  if (from == to) {
    return {};
  }
  bool backed_up = false;
  for (std::uint32_t schema = from; schema != to; ++schema) {
    const auto step = std::find_if(
        steps.begin(), steps.end(),
        [&](const migration_step& each) { return each.from == schema; });
    if (step == steps.end()) {
      return damaged_vault(folder.key_file(), "its version makes no sense");
    }
    if (!backed_up) {
      if (auto copied = back_up_vault(folder, from); !copied) {
        return copied;
      }
      backed_up = true;
    }
    if (auto done = step->run(folder); !done) {
      return done;
    }
  }
  return {};
}

}  // namespace sotto
