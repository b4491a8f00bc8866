#include <gtest/gtest.h>

#include <iostream>

#include "tests/actors/world.hpp"
#include "tests/support/otr_pair.hpp"

namespace sotto {
namespace {

using test::person;
using test::texts;
using test::world;

struct recovery : testing::Test {
  void SetUp() override {
    test::befriend(place, terrence, sally);
    ASSERT_FALSE(terrence.otr(sally, otr_action::start));
    ASSERT_FALSE(terrence.verify(sally));
    ASSERT_EQ(sally.state(terrence), otr_state::unverified);
  }
  void kill_otr(person& who, const person& with) {
    const auto actors = who.actors_of(with);
    ASSERT_TRUE(actors.otr);
    caf::anon_send_exit(actors.otr, caf::exit_reason::kill);
    place.settle();
  }
  world place;
  person terrence{place, "terrence@localhost"};
  person sally{place, "sally@localhost"};
};

TEST_F(recovery, a_killed_otr_actor_is_started_again_and_says_so) {
  const auto before = terrence.actors_of(sally).otr;
  kill_otr(terrence, sally);
  EXPECT_NE(terrence.actors_of(sally).otr, before);
  EXPECT_TRUE(terrence.noticed("restarted"));
  EXPECT_EQ(terrence.state(sally), otr_state::plaintext);
  EXPECT_TRUE(terrence.conversation(sally).private_expected);
  // Still latched, and the key still verified: the next word heals it.
  ASSERT_FALSE(terrence.say(sally, "after the failure"));
  EXPECT_EQ(terrence.state(sally), otr_state::verified);
  EXPECT_EQ(sally.heard(terrence),
            std::vector<std::string>{"after the failure"});
  EXPECT_FALSE(place.saw("after the failure"));
}

TEST_F(recovery, a_killed_session_is_started_again_and_says_so) {
  const auto before = terrence.actors_of(sally).session;
  caf::anon_send_exit(before, caf::exit_reason::kill);
  place.settle();
  EXPECT_NE(terrence.actors_of(sally).session, before);
  EXPECT_TRUE(terrence.noticed("restarted"));
  ASSERT_FALSE(terrence.say(sally, "after the failure"));
  EXPECT_EQ(terrence.state(sally), otr_state::verified);
  EXPECT_EQ(sally.heard(terrence),
            std::vector<std::string>{"after the failure"});
  ASSERT_FALSE(sally.say(terrence, "and back"));
  EXPECT_EQ(terrence.heard(sally), std::vector<std::string>{"and back"});
  EXPECT_FALSE(place.saw("after the failure"));
}

TEST_F(recovery, a_cut_link_comes_back_and_what_waited_goes_in_order) {
  place.hub.set_down(true);
  place.hub.cut(terrence.address());
  place.settle();
  EXPECT_EQ(terrence.link(), link_phase::waiting);
  const auto typed = texts("typed offline", 10);
  for (const auto& text : typed) ASSERT_FALSE(terrence.say(sally, text));
  EXPECT_EQ(terrence.message(typed[0])->state, message_state::queued);
  place.pass(std::chrono::seconds{5});
  EXPECT_NE(terrence.link(), link_phase::online);
  place.hub.set_down(false);
  ASSERT_TRUE(
      place.pass_until([&] { return terrence.link() == link_phase::online; },
                       std::chrono::seconds{600}));
  EXPECT_EQ(sally.heard(terrence), typed);
  EXPECT_FALSE(place.saw("typed offline"));
}

TEST_F(recovery, a_disconnected_account_stays_offline) {
  ASSERT_FALSE(terrence.order(disconnect_account{terrence.account()}));
  EXPECT_EQ(terrence.link(), link_phase::offline);
  place.pass(std::chrono::seconds{120});
  EXPECT_EQ(terrence.link(), link_phase::offline);
  ASSERT_FALSE(terrence.connect());
}

TEST_F(recovery, a_restart_of_both_finds_everything_again) {
  ASSERT_FALSE(sally.verify(terrence));
  ASSERT_FALSE(terrence.policy(sally, otr_policy::automatic));
  const auto own = terrence.fingerprint();
  terrence.restart();
  sally.restart();
  EXPECT_EQ(terrence.fingerprint(), own);
  ASSERT_NE(terrence.contact(sally.account()), nullptr);
  EXPECT_EQ(terrence.contact(sally.account())->subscribed, subscription::both);
  ASSERT_FALSE(terrence.connect());
  ASSERT_FALSE(sally.connect());
  // Sally's side was private as well: her word does not go in the clear.
  ASSERT_FALSE(sally.say(terrence, "nobody said start"));
  EXPECT_EQ(sally.state(terrence), otr_state::verified);
  EXPECT_EQ(terrence.state(sally), otr_state::verified);
  EXPECT_EQ(terrence.conversation(sally).policy, otr_policy::automatic);
  EXPECT_EQ(terrence.heard(sally),
            std::vector<std::string>{"nobody said start"});
  EXPECT_FALSE(place.saw("nobody said start"));
}

TEST_F(recovery, a_message_that_bounces_is_shown_as_failed) {
  ASSERT_FALSE(terrence.say(sally, "comes back"));
  message_stanza back;
  back.from = sally.address();
  back.to = terrence.address();
  back.type = message_type::error;
  back.id = terrence.message("comes back")->id;
  back.error = stanza_error{};
  place.hub.inject(terrence.address(), back);
  place.settle();
  EXPECT_EQ(terrence.message("comes back")->state, message_state::failed);
  EXPECT_TRUE(terrence.noticed("bounced"));
}

TEST_F(recovery, a_failed_account_is_started_again_with_its_contacts) {
  caf::anon_send_exit(terrence.actors_of(sally).account,
                      caf::exit_reason::kill);
  ASSERT_TRUE(
      place.pass_until([&] { return terrence.link() == link_phase::online; }));
  EXPECT_FALSE(terrence.alarms.empty());
  ASSERT_NE(terrence.contact(sally.account()), nullptr);
  EXPECT_EQ(terrence.contact(sally.account())->presence, "available");
  ASSERT_FALSE(terrence.say(sally, "over the new link"));
  EXPECT_EQ(sally.heard(terrence),
            std::vector<std::string>{"over the new link"});
  ASSERT_FALSE(sally.say(terrence, "and back"));
  EXPECT_EQ(terrence.heard(sally), std::vector<std::string>{"and back"});
}

/// R15: what fails stays with itself.
TEST(recovery_of_many, the_others_miss_nothing_when_a_tenth_is_killed) {
  constexpr std::size_t people = 1'000;
  world place;
  person terrence{place, "terrence@localhost"};
  ASSERT_FALSE(terrence.connect());
  const auto key = test::identity_of("other1000@localhost");
  std::vector<std::unique_ptr<person>> others;
  for (std::size_t i = 0; i < people; ++i) {
    const auto account = "other" + std::to_string(1'000 + i) + "@localhost";
    others.push_back(std::make_unique<person>(
        place, account, test::identity_renamed(*key, account)));
    ASSERT_FALSE(others.back()->connect());
    ASSERT_FALSE(terrence.say(*others.back(), "hello"));
    ASSERT_FALSE(others.back()->say(terrence, "hello yourself"));
    ASSERT_FALSE(terrence.otr(*others.back(), otr_action::start));
    ASSERT_EQ(terrence.state(*others.back()), otr_state::unverified);
  }
  for (std::size_t i = 0; i < people; i += 10)
    caf::anon_send_exit(terrence.actors_of(*others[i]).otr,
                        caf::exit_reason::kill);
  for (std::size_t i = 0; i < people; ++i) {
    ASSERT_FALSE(terrence.say(*others[i], "secret to all"));
    ASSERT_FALSE(others[i]->say(terrence, "secret answer"));
  }
  int heard = 0;
  for (std::size_t i = 0; i < people; ++i) {
    EXPECT_EQ(others[i]->heard(terrence).back(), "secret to all") << i;
    if (i % 10 != 0) {
      EXPECT_EQ(terrence.heard(*others[i]).back(), "secret answer") << i;
      ++heard;
    }
  }
  std::cout << people / 10 << " of " << people << " killed; the other " << heard
            << " missed nothing\n";
  EXPECT_FALSE(place.saw("secret"));
}

}  // namespace
}  // namespace sotto
