#include "crypto/trust.hpp"

#include <gtest/gtest.h>

namespace sotto {
namespace {

using std::chrono::hours;
using time_point = std::chrono::system_clock::time_point;

fingerprint print_of(std::uint8_t number) {
  std::array<std::uint8_t, fingerprint::size> bytes{};
  bytes.fill(number);
  return fingerprint(bytes);
}

const time_point early{hours(1)};
const time_point late{hours(2)};

TEST(trust, a_contacts_first_key_is_accepted_by_being_first) {
  known_keys keys;
  EXPECT_EQ(keys.standing_of(print_of(1)), key_standing::first);
  EXPECT_EQ(keys.seen(print_of(1), early), key_standing::first);
  EXPECT_EQ(keys.standing_of(print_of(1)), key_standing::known);
  EXPECT_TRUE(allows_sending(keys.standing_of(print_of(1))));
}

TEST(trust, a_further_key_is_not_accepted_by_being_seen) {
  known_keys keys;
  keys.seen(print_of(1), early);
  EXPECT_EQ(keys.seen(print_of(2), early), key_standing::changed);
  EXPECT_EQ(keys.seen(print_of(2), late), key_standing::changed);
  EXPECT_FALSE(allows_sending(keys.standing_of(print_of(2))));
  EXPECT_TRUE(allows_sending(keys.standing_of(print_of(1))));
}

TEST(trust, a_key_beside_a_verified_one_is_the_louder_change) {
  known_keys keys;
  keys.seen(print_of(1), early);
  keys.verify(print_of(1), early);
  EXPECT_EQ(keys.standing_of(print_of(1)), key_standing::verified);
  EXPECT_EQ(keys.seen(print_of(2), late), key_standing::changed_verified);
  EXPECT_FALSE(allows_sending(keys.standing_of(print_of(2))));
}

TEST(trust, verifying_accepts_a_changed_key) {
  known_keys keys;
  keys.seen(print_of(1), early);
  keys.seen(print_of(2), early);
  keys.verify(print_of(2), late);
  EXPECT_EQ(keys.standing_of(print_of(2)), key_standing::verified);
  EXPECT_EQ(keys.standing_of(print_of(1)), key_standing::known);
}

TEST(trust, a_key_may_be_verified_before_it_is_seen) {
  known_keys keys;
  keys.verify(print_of(1), early);
  EXPECT_EQ(keys.seen(print_of(1), late), key_standing::verified);
  EXPECT_EQ(keys.list().size(), 1U);
}

TEST(trust, distrusting_takes_verification_back_and_accepts_nothing) {
  known_keys keys;
  keys.seen(print_of(1), early);
  keys.seen(print_of(2), early);
  keys.verify(print_of(1), early);
  keys.distrust();
  EXPECT_EQ(keys.standing_of(print_of(1)), key_standing::known);
  EXPECT_EQ(keys.standing_of(print_of(2)), key_standing::changed);
  EXPECT_EQ(keys.standing_of(print_of(3)), key_standing::changed);
}

TEST(trust, times_of_a_key_are_kept) {
  known_keys keys;
  keys.seen(print_of(1), early);
  keys.seen(print_of(1), late);
  keys.seen(print_of(1), early);  // a clock that went back
  ASSERT_NE(keys.find(print_of(1)), nullptr);
  EXPECT_EQ(keys.find(print_of(1))->first_seen, early);
  EXPECT_EQ(keys.find(print_of(1))->last_seen, late);
  EXPECT_EQ(keys.find(print_of(2)), nullptr);
}

TEST(trust, what_one_account_verified_says_nothing_for_another) {
  trust_store store;
  store.of("a@x", "c@x").verify(print_of(1), early);
  EXPECT_EQ(store.find("b@x", "c@x"), nullptr);
  EXPECT_EQ(store.of("b@x", "c@x").standing_of(print_of(1)),
            key_standing::first);
  EXPECT_EQ(store.find("a@x", "c@x")->standing_of(print_of(1)),
            key_standing::verified);
}

TEST(trust, erasing_an_account_leaves_the_others) {
  trust_store store;
  store.put("a@x", "c@x", {});
  store.put("a@x", "d@x", {});
  store.put("b@x", "c@x", {});
  store.erase_account("a@x");
  EXPECT_EQ(store.all().size(), 1U);
  EXPECT_NE(store.find("b@x", "c@x"), nullptr);
}

}  // namespace
}  // namespace sotto
