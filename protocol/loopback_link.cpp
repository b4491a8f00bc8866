#include "protocol/loopback_link.hpp"

#include <utility>

namespace sotto {

void loopback_link::queue(event next) {
  const std::lock_guard lock{mutex_};
  if (!detached_) events_.push_back(std::move(next));
}

void loopback_link::drain() {
  std::unique_lock lock{mutex_};
  if (drainer_ != std::thread::id{}) return;
  drainer_ = std::this_thread::get_id();
  while (!events_.empty()) {
    event next = std::move(events_.front());
    events_.pop_front();
    lock.unlock();
    hand_over(std::move(next));
    lock.lock();
  }
  drainer_ = {};
  idle_.notify_all();
}

void loopback_link::hand_over(event next) {
  if (const auto* change = std::get_if<link_change>(&next))
    listener_->on_link(*change);
  else
    listener_->on_stanza(std::move(std::get<stanza>(next)));
}

void loopback_link::detach() {
  std::unique_lock lock{mutex_};
  detached_ = true;
  events_.clear();
  idle_.wait(lock, [this] {
    return drainer_ == std::thread::id{} ||
           drainer_ == std::this_thread::get_id();
  });
}

}  // namespace sotto
