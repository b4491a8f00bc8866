#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <random>

#include "crypto/otr_conversation.hpp"
#include "crypto/otr_wire.hpp"
#include "tests/support/otr_pair.hpp"

namespace sotto {
namespace {

using test::couple;
using test::deliver;
using test::encrypted;
using test::exchange_all;
using test::otr_side;
using verdict = otr_submission::verdict;

class otr_refresh_of : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(versions, otr_refresh_of, testing::Values(2, 3));

TEST_P(otr_refresh_of, is_refreshed_and_stays_the_same) {
  couple both;
  both.begin(GetParam());
  both.alice.verify_peer();
  auto step = both.alice.talk.refresh();
  ASSERT_TRUE(step);
  EXPECT_EQ(both.alice.talk.state(), otr_state::verified);
  both.alice.take(std::move(*step));
  EXPECT_EQ(both.alice.say("meanwhile"), verdict::sent);
  exchange_all(both.alice, both.bob);
  EXPECT_TRUE(both.bob.heard("meanwhile"));
  EXPECT_EQ(both.alice.talk.state(), otr_state::verified);
  both.talk_both_ways("after");
}

/// A step of a handshake is under way.
bool handshake_runs(const couple& both) {
  const auto is_step = [](const std::string& line) {
    return parse_otr_body(line).is_handshake();
  };
  return std::ranges::any_of(both.alice.out, is_step) ||
         std::ranges::any_of(both.bob.out, is_step);
}

/// Either side talks whenever it likes, and refreshes, one at a time, with
/// lines under way.
TEST_P(otr_refresh_of, loses_and_reorders_nothing_while_refreshing) {
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  int refreshes = 0;
  std::size_t texts = 0;
  for (int round = 0; round < 40; ++round) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", round " +
                 std::to_string(round));
    couple both;
    both.begin(GetParam());
    ASSERT_TRUE(encrypted(both.alice) && encrypted(both.bob));
    std::vector<std::string> said_by_alice;
    std::vector<std::string> said_by_bob;
    for (int step = 0; step < 60; ++step) {
      const bool alices = (random() & 1) != 0;
      auto& actor = alices ? both.alice : both.bob;
      auto& other = alices ? both.bob : both.alice;
      auto& said = alices ? said_by_alice : said_by_bob;
      switch (random() % 8) {
        case 0:
          if (handshake_runs(both)) break;
          if (auto refreshed = actor.talk.refresh()) {
            actor.take(std::move(*refreshed));
            ++refreshes;
          }
          break;
        case 1:
        case 2:
          said.push_back("text " + std::to_string(texts++));
          actor.say(said.back());
          break;
        default:
          deliver(actor, other);
      }
    }
    exchange_all(both.alice, both.bob);
    const auto heard = [](const otr_side& side) {
      std::vector<std::string> list;
      for (const auto& one : side.received) list.push_back(one.text);
      return list;
    };
    EXPECT_EQ(heard(both.bob), said_by_alice);
    EXPECT_EQ(heard(both.alice), said_by_bob);
    for (const auto* side : {&both.alice, &both.bob}) {
      EXPECT_TRUE(encrypted(*side));
      EXPECT_TRUE(side->waiting.empty());
      EXPECT_EQ(side->count(otr_notice::unreadable), 0);
      EXPECT_EQ(side->count(otr_notice::not_private), 0);
    }
    if (HasFailure()) return;
  }
  std::cout << "seed " << seed << ": " << texts << " texts through "
            << refreshes << " refreshes, none lost\n";
}

TEST(otr_refresh, a_refresh_whose_end_stays_away_times_out) {
  couple both;
  both.begin();
  // Alice asks, Bob's Reveal Signature is lost on its way.
  if (auto step = both.alice.talk.refresh()) both.alice.take(std::move(*step));
  ASSERT_TRUE(deliver(both.alice, both.bob));  // query
  ASSERT_TRUE(deliver(both.bob, both.alice));  // D-H Commit
  ASSERT_TRUE(deliver(both.alice, both.bob));  // D-H Key
  ASSERT_EQ(both.bob.out.size(), 1U);
  both.bob.out.clear();
  EXPECT_EQ(both.bob.say("waits"), verdict::deferred);
  EXPECT_NE(both.bob.last_reason.find("new session keys"), std::string::npos);
  both.bob.time_out();
  EXPECT_EQ(both.bob.talk.state(), otr_state::timed_out);
  EXPECT_EQ(both.bob.count(otr_notice::timed_out), 1);
  EXPECT_TRUE(both.bob.out.empty());
  // Alice has the old keys still: her word shows that they are good.
  EXPECT_EQ(both.alice.say("with the old keys"), verdict::sent);
  exchange_all(both.alice, both.bob);
  EXPECT_TRUE(encrypted(both.bob));
  EXPECT_TRUE(both.alice.heard("waits"));
  both.talk_both_ways("after");
}

}  // namespace
}  // namespace sotto
