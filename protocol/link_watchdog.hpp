#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "crypto/unique_fd.hpp"

namespace sotto {

/// A link's socket as other threads may touch it: a descriptor of its own, so
/// that a number which libstrophe has closed, and somebody else has got, is
/// never meant.
class link_lifeline {
 public:
  /// Takes hold of the socket; false if no descriptor is left.
  bool attach(int socket) noexcept;
  /// Lets go of it. The connection ends when libstrophe has, too.
  void detach() noexcept;
  /// Shuts the connection down: whatever waits for it returns at once.
  void cut() noexcept;
  /// For the thread that attaches and detaches: to poll; -1 without a socket.
  int fd() const noexcept { return socket_.get(); }

 private:
  std::mutex mutex_;
  unique_fd socket_;
};

/// Cuts links whose deadline has passed. libstrophe's TLS handshake has no
/// limit of its own and blocks the link's thread; this is the one thread that
/// never waits for a server.
class link_watchdog {
 public:
  using clock = std::chrono::steady_clock;

  link_watchdog();
  /// Watches `lifeline` until `deadline`, instead of until any earlier one.
  void watch(const std::shared_ptr<link_lifeline>& lifeline,
             clock::time_point deadline);
  void forget(const std::shared_ptr<link_lifeline>& lifeline);

 private:
  void run(const std::stop_token& stop);
  clock::time_point cut_overdue();

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::shared_ptr<link_lifeline>, clock::time_point> watched_;
  std::jthread thread_;  // last: it uses the others
};

/// A descriptor out of the way of those that select() can take (below 1024),
/// which libstrophe's sockets need; the same one if that is not possible.
unique_fd out_of_select_range(unique_fd fd) noexcept;

}  // namespace sotto
