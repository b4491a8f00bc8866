#include "protocol/reconnect.hpp"

#include <algorithm>
#include <limits>

namespace sotto {

std::chrono::milliseconds reconnect::failed(std::uint32_t random) {
  // 2^40 times any first wait is past every bound, and does not overflow.
  constexpr unsigned most_doublings = 40;
  const std::int64_t most = std::max<std::int64_t>(limits_.most.count(), 0);
  const std::int64_t first =
      std::clamp<std::int64_t>(limits_.first.count(), 0, most);
  std::int64_t wait = first;
  for (unsigned n = 0; n < std::min(attempt_, most_doublings); ++n)
    wait = wait > most / 2 ? most : wait * 2;
  attempt_ = std::min(attempt_ + 1, most_doublings);
  const std::int64_t half = wait / 2;
  const double share =
      static_cast<double>(random) /
      static_cast<double>(std::numeric_limits<std::uint32_t>::max());
  const auto jitter =
      static_cast<std::int64_t>(static_cast<double>(wait - half) * share);
  return std::chrono::milliseconds{wait - half + std::min(jitter, half)};
}

}  // namespace sotto
