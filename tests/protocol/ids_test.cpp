#include "protocol/ids.hpp"

#include <gtest/gtest.h>

#include <set>

namespace sotto {
namespace {

TEST(random_id, has_32_lower_case_hex_digits) {
  const std::string id = random_id();
  EXPECT_EQ(id.size(), 32U);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(random_id, does_not_repeat) {
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) seen.insert(random_id());
  EXPECT_EQ(seen.size(), 10'000U);
}

}  // namespace
}  // namespace sotto
