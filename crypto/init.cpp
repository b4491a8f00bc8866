#include <sodium.h>

#include "crypto/libotr.hpp"
#include "crypto/secret.hpp"

namespace sotto {

namespace {

bool start_libraries() {
  if (sodium_init() < 0) return false;
  if (gcry_check_version("1.8.0") == nullptr) return false;
  // Not OTRL_INIT, which calls exit() where the versions do not fit.
  if (otrl_init(OTRL_VERSION_MAJOR, OTRL_VERSION_MINOR, OTRL_VERSION_SUB)) {
    return false;
  }
  return gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0) == 0;
}

}  // namespace

bool init_crypto() {
  static const bool started = start_libraries();
  return started;
}

}  // namespace sotto
