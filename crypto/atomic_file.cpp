#include "crypto/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

#include "crypto/unique_fd.hpp"

namespace sotto {
namespace {

const char* advice_for(int system_error) {
  switch (system_error) {
    case ENOSPC:
    case EDQUOT:
      return "free some space on that disk and try again";
    case EROFS:
    case EACCES:
    case EPERM:
      return "make it readable and writable for this user, or choose another "
             "folder";
    case ENOTDIR:
    case ENOENT:
      return "check that the path is right";
    default:
      return "check the disk and try again";
  }
}

// 0, or errno.
int write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return errno;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

// 0, or errno. O_EXCL: a link put there by somebody else is not followed.
int write_new_file(const std::filesystem::path& path,
                   std::span<const std::byte> bytes) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return errno;
  }
  const unique_fd file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file || ::fchmod(file.get(), 0600) != 0) {
    return errno;
  }
  if (const int failed = write_all(file.get(), bytes); failed != 0) {
    return failed;
  }
  return ::fsync(file.get()) == 0 ? 0 : errno;
}

// The rest of an opened file, or errno.
struct read_outcome {
  int system_error = 0;
  std::size_t bytes = 0;
};

read_outcome read_all(int fd, std::span<std::byte> into) {
  read_outcome outcome;
  while (outcome.bytes < into.size()) {
    const ssize_t got =
        ::read(fd, into.data() + outcome.bytes, into.size() - outcome.bytes);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      outcome.system_error = errno;
      return outcome;
    }
    if (got == 0) {
      return outcome;
    }
    outcome.bytes += static_cast<std::size_t>(got);
  }
  return outcome;
}

}  // namespace

error io_failure(std::string_view doing, const std::filesystem::path& path,
                 int system_error) {
  std::string message = "could not ";
  message += doing;
  message += " \"" + path.string() + "\": ";
  message += std::generic_category().message(system_error);
  message += "; ";
  message += advice_for(system_error);
  return {errc::io, std::move(message)};
}

result<void> sync_folder(const std::filesystem::path& folder) {
  const unique_fd opened(
      ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || ::fsync(opened.get()) != 0) {
    return io_failure("write the folder", folder, errno);
  }
  return {};
}

result<void> rename_synced(const std::filesystem::path& from,
                           const std::filesystem::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    return io_failure("rename to", to, errno);
  }
  return sync_folder(to.parent_path());
}

result<void> replace_file(const std::filesystem::path& path,
                          std::span<const std::byte> bytes) {
  std::filesystem::path fresh = path;
  fresh += ".new";
  if (const int failed = write_new_file(fresh, bytes); failed != 0) {
    ::unlink(fresh.c_str());
    return io_failure("write", path, failed);
  }
  auto renamed = rename_synced(fresh, path);
  if (!renamed) {
    ::unlink(fresh.c_str());
  }
  return renamed;
}

result<std::optional<secret>> read_small_file(const std::filesystem::path& path,
                                              std::size_t at_most) {
  // O_NONBLOCK: a pipe with this name must not hold the program up.
  const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file && errno == ENOENT) {
    return std::optional<secret>();
  }
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0) {
    return io_failure("read", path, errno);
  }
  if (!S_ISREG(facts.st_mode)) {
    return error{errc::io, "\"" + path.string() +
                               "\" is not a regular file; move it away or "
                               "choose another folder"};
  }
  const auto size = static_cast<std::uintmax_t>(facts.st_size);
  if (size > at_most) {
    return error{errc::corrupt,
                 "\"" + path.string() +
                     "\" is far larger than Sotto writes it; nothing was "
                     "changed; put back the file from a backup"};
  }
  secret bytes = secret::zeroed(static_cast<std::size_t>(size));
  const read_outcome read = read_all(file.get(), bytes.writable());
  if (read.system_error != 0) {
    return io_failure("read", path, read.system_error);
  }
  if (read.bytes != bytes.size()) {
    return io_failure("read", path, EIO);
  }
  return std::optional<secret>(std::move(bytes));
}

}  // namespace sotto
