#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace sotto {

/// Lets the engine's thread wait until the actors have started or stopped,
/// with an end.
class one_shot_signal {
 public:
  void raise() {
    {
      const std::lock_guard lock{mutex_};
      raised_ = true;
    }
    changed_.notify_all();
  }
  /// False if it was not raised in time.
  bool wait_for(std::chrono::milliseconds timeout) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, timeout, [this] { return raised_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool raised_ = false;
};

}  // namespace sotto
