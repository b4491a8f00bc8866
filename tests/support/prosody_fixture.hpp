#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "tests/support/test_certificates.hpp"

namespace sotto::test {

/// A private Prosody on 127.0.0.1 for the domain "localhost": a folder and a
/// port of its own, a certificate made on the spot, accounts as given. Ends
/// with the object, by its own pid.
class prosody_fixture {
 public:
  /// Whether Prosody is installed.
  static bool available();

  /// Starts it, and returns once it takes connections; throws
  /// std::runtime_error with its log if it does not. `accounts`: name and
  /// password. `more`: further lines of its configuration.
  explicit prosody_fixture(const std::map<std::string, std::string>& accounts,
                           const std::string& more = {});
  ~prosody_fixture();
  prosody_fixture(const prosody_fixture&) = delete;
  prosody_fixture& operator=(const prosody_fixture&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  /// The CA file under which its certificate is valid.
  std::string ca_file() const;
  /// Ends it, as an operator would. `start` makes it come back.
  void stop();
  void start();
  std::string log() const;

 private:
  void write_files(const std::map<std::string, std::string>& accounts,
                   const std::string& more);

  std::filesystem::path folder_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace sotto::test
