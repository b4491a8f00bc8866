#include "protocol/reconnect.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace sotto {
namespace {

using std::chrono::milliseconds;
constexpr auto most_random = std::numeric_limits<std::uint32_t>::max();

TEST(reconnect, doubles_up_to_the_bound) {
  reconnect backoff{{milliseconds{1'000}, milliseconds{10'000}}};
  for (const int expected : {1'000, 2'000, 4'000, 8'000, 10'000, 10'000})
    EXPECT_EQ(backoff.failed(most_random), milliseconds{expected});
}

TEST(reconnect, waits_at_least_half) {
  reconnect backoff{{milliseconds{1'000}, milliseconds{10'000}}};
  for (const int expected : {500, 1'000, 2'000, 4'000, 5'000})
    EXPECT_EQ(backoff.failed(0), milliseconds{expected});
}

TEST(reconnect, starts_over_after_a_success) {
  reconnect backoff;
  for (int i = 0; i < 5; ++i) (void)backoff.failed(0);
  EXPECT_EQ(backoff.attempt(), 5U);
  backoff.succeeded();
  EXPECT_EQ(backoff.attempt(), 0U);
  EXPECT_EQ(backoff.failed(most_random), milliseconds{1'000});
}

TEST(reconnect, stays_within_its_bounds_for_any_randomness) {
  const unsigned seed = 20'260;
  std::mt19937 random{seed};
  std::size_t tried = 0;
  for (const std::int64_t first : {1, 7, 1'000, 999'999}) {
    for (const std::int64_t most : {1, 5'000, 300'000}) {
      reconnect backoff{{milliseconds{first}, milliseconds{most}}};
      std::int64_t bound = std::min(first, most);
      for (int n = 0; n < 200; ++n, ++tried) {
        const auto wait =
            backoff.failed(static_cast<std::uint32_t>(random())).count();
        ASSERT_GE(2 * wait, bound);
        ASSERT_LE(wait, bound);
        bound = std::min(most, bound * 2);
      }
    }
  }
  std::printf("seed %u, waits checked %zu\n", seed, tried);
}

}  // namespace
}  // namespace sotto
