#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>

#include "protocol/transport.hpp"

namespace sotto {

/// One link's way from the hub to its listener: events are queued under any
/// lock and handed over under none, by one thread at a time, in order.
class loopback_link {
 public:
  using event = std::variant<link_change, stanza>;

  enum class stage { fresh, online, ended };

  /// The hub's own note about the link; guarded by the hub's lock.
  struct {
    stage at = stage::fresh;
    std::uint64_t number = 0;  ///< the server's, while online
  } hub_side;

  explicit loopback_link(std::shared_ptr<transport_listener> listener)
      : listener_(std::move(listener)) {}

  void queue(event next);
  /// Hands over what is queued. Returns at once if another thread, or a caller
  /// further up on this one, is at it: that one goes on until nothing is left.
  void drain();
  /// Drops what is queued and waits until no listener call is under way
  /// (except one that this very thread is in); none follows.
  void detach();

 private:
  void hand_over(event next);

  std::mutex mutex_;
  std::condition_variable idle_;
  std::deque<event> events_;
  std::shared_ptr<transport_listener> listener_;
  std::thread::id drainer_;  ///< no thread while idle
  bool detached_ = false;
};

}  // namespace sotto
