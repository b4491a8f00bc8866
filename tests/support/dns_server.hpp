#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "crypto/unique_fd.hpp"

namespace sotto::test {

/// What a client asks: a name without a trailing dot, in lower case, and a
/// type (1 A, 28 AAAA, 33 SRV).
struct dns_question {
  std::string name;
  int type = 0;
};

/// What it is told. No records: the name exists, but not with this type.
struct dns_answer {
  struct srv {
    int priority = 0;
    int weight = 0;
    int port = 0;
    std::string target;  ///< empty: "." (no such service)
  };
  std::vector<srv> services = {};
  std::vector<std::string> addresses = {};  ///< IPv4 literals
  bool no_such_name = false;
};

/// A name server on 127.0.0.1, by UDP.
class dns_server {
 public:
  /// Asked for each question; nothing: no answer is sent.
  using oracle = std::function<std::optional<dns_answer>(const dns_question&)>;

  explicit dns_server(oracle answers);
  dns_server(const dns_server&) = delete;
  dns_server& operator=(const dns_server&) = delete;
  /// As c-ares wants it.
  const std::string& address() const noexcept { return address_; }

 private:
  void serve(const std::stop_token& stop) const;

  oracle answers_;
  unique_fd socket_;
  std::string address_;
  std::jthread thread_;
};

/// A port on 127.0.0.1 whose queue is full: a connection to it neither
/// succeeds nor fails.
class full_listener {
 public:
  full_listener();
  std::uint16_t port() const noexcept { return port_; }

 private:
  unique_fd listener_;
  std::vector<unique_fd> fillers_;
  std::uint16_t port_ = 0;
};

}  // namespace sotto::test
