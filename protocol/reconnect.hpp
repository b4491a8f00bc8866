#pragma once

#include <chrono>
#include <cstdint>

namespace sotto {

/// When to try a lost link again: jittered exponential backoff (R11). Pure:
/// randomness is handed in.
class reconnect {
 public:
  struct limits {
    std::chrono::milliseconds first{1'000};
    std::chrono::milliseconds most{300'000};
  };

  reconnect() = default;
  explicit reconnect(limits bounds) : limits_(bounds) {}

  /// A try failed: how long to wait before the next. The n-th answer lies
  /// between half of and the whole of min(most, first * 2^n); `random` is
  /// uniform over the whole range of its type.
  std::chrono::milliseconds failed(std::uint32_t random);
  /// The link stood: start over from `first` at the next failure.
  void succeeded() { attempt_ = 0; }
  unsigned attempt() const noexcept { return attempt_; }

 private:
  limits limits_;
  unsigned attempt_ = 0;
};

}  // namespace sotto
