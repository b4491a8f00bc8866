#include "crypto/otr_identity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <random>

#include "tests/support/otr_pair.hpp"

namespace sotto {
namespace {

const std::string account = "sally@localhost";

std::shared_ptr<const otr_identity> sample() {
  return test::identity_of(account);
}

TEST(otr_identity, comes_back_as_it_was_stored) {
  const auto stored = sample()->serialized();
  const auto read = otr_identity::parse(account, stored);
  ASSERT_TRUE(read) << read.failure().message;
  EXPECT_EQ((*read)->account(), account);
  EXPECT_EQ((*read)->print(), sample()->print());
  EXPECT_EQ((*read)->instance_tag(), sample()->instance_tag());
  EXPECT_TRUE((*read)->serialized().equals(stored));
}

TEST(otr_identity, is_another_one_each_time) {
  const auto other = test::identity_of(account, 1);
  EXPECT_NE(other->print(), sample()->print());
  EXPECT_NE(other->instance_tag(), sample()->instance_tag());
  EXPECT_GE(other->instance_tag(), 0x100U);
}

TEST(otr_identity, of_another_account_is_refused) {
  const auto read =
      otr_identity::parse("terrence@localhost", sample()->serialized());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.failure().code, errc::corrupt);
}

TEST(otr_identity, an_account_that_could_break_the_file_is_refused) {
  for (const std::string_view bad : {"", "a\tb@x", "a\nb@x", "a\x7f@x"}) {
    const auto made = otr_identity::generate(bad);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.failure().code, errc::invalid_argument);
  }
  EXPECT_FALSE(otr_identity::generate(std::string(2000, 'a')));
}

TEST(otr_identity, an_account_with_quotes_and_parentheses_works) {
  const std::string odd = "d'arc(\"x\")@\xc3\xbc.example";
  const auto made = otr_identity::generate(odd);
  ASSERT_TRUE(made) << made.failure().message;
  const auto read = otr_identity::parse(odd, (*made)->serialized());
  ASSERT_TRUE(read) << read.failure().message;
  EXPECT_EQ((*read)->print(), (*made)->print());
}

// Every length: a key without its last line feed used to be taken, and keys
// differ in length.
TEST(otr_identity, cut_data_is_corrupt_at_every_length) {
  const auto stored = sample()->serialized();
  for (std::size_t length = 0; length < stored.size(); ++length) {
    const auto read = otr_identity::parse(
        account, secret::copy_of(stored.view().substr(0, length)));
    ASSERT_FALSE(read) << length << " of " << stored.size();
    EXPECT_EQ(read.failure().code, errc::corrupt);
  }
}

TEST(otr_identity, foreign_data_is_corrupt) {
  const auto stored = sample()->serialized();
  const auto whole = std::string(stored.view());
  const auto head = std::string(stored.view().substr(0, 28));
  const std::string huge = "OTI\x01" + std::string(1 << 20, 'x');
  for (const std::string& foreign :
       {std::string("hello"), "OTI\x02" + head.substr(4), huge, head,
        head + "()", head + "(privkeys)", head + "(privkeys (account))",
        head + "((((((((", head + "(privkeys (account (name x)))",
        head + "()\n", head + "(privkeys (account (name x)))\n", whole + "x",
        whole + ")\n"}) {
    const auto read = otr_identity::parse(account, secret::copy_of(foreign));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.failure().code, errc::corrupt);
  }
}

TEST(otr_identity, flipped_bytes_never_give_another_fingerprint) {
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  const auto stored = sample()->serialized();
  int refused = 0;
  int same = 0;
  int wrong = 0;
  for (int i = 0; i < 2'000; ++i) {
    auto damaged = stored.clone();
    // Behind the instance tag, which nothing but the seal protects.
    const auto at = 8 + random() % (damaged.size() - 8);
    damaged.writable()[at] ^= static_cast<std::byte>(1U << random() % 8);
    const auto read = otr_identity::parse(account, damaged);
    if (!read) {
      EXPECT_EQ(read.failure().code, errc::corrupt);
      ++refused;
    } else if ((*read)->print() == sample()->print()) {
      ++same;  // white space, or the case of a digit
    } else {
      ++wrong;
    }
  }
  std::cout << "seed " << seed << ": 2000 flips, " << refused << " refused, "
            << same << " without effect, " << wrong << " wrong\n";
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(refused, 1'000);
}

}  // namespace
}  // namespace sotto
