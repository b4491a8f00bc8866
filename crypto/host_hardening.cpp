#include "crypto/host_hardening.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

namespace sotto {
namespace {

error hardening_failure(const char* what) {
  return {errc::unavailable, std::string("could not ") + what + ": " +
                                 std::generic_category().message(errno) +
                                 "; the memory of this process may be "
                                 "readable to others"};
}

bool is_encrypted(const std::string& swap,
                  const std::filesystem::path& block_devices) {
  std::error_code ignored;
  const auto real = std::filesystem::weakly_canonical(swap, ignored);
  const std::string name =
      (real.empty() ? std::filesystem::path(swap) : real).filename().string();
  std::ifstream uuid(block_devices / name / "dm" / "uuid");
  std::string text;
  return std::getline(uuid, text) && text.starts_with("CRYPT-");
}

}  // namespace

result<void> claim_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest number that is free is this one.
    if (::open("/dev/null", O_RDWR) != fd) {
      return hardening_failure("open /dev/null");
    }
  }
  return {};
}

result<void> harden_process() {
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) {
    return hardening_failure("turn core dumps off");
  }
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return hardening_failure("make the process not dumpable");
  }
  return {};
}

std::optional<std::string> swap_warning(
    const std::filesystem::path& swaps,
    const std::filesystem::path& block_devices) {
  std::ifstream list(swaps);
  std::string line;
  std::getline(list, line);  // the heading
  while (std::getline(list, line)) {
    std::string name;
    std::istringstream(line) >> name;
    if (name.empty() || name.starts_with("/dev/zram") ||
        is_encrypted(name, block_devices)) {
      continue;
    }
    return "this machine swaps to " + name +
           ", which is not encrypted: memory that could not be locked may be "
           "written there; use encrypted swap or none";
  }
  return std::nullopt;
}

}  // namespace sotto
