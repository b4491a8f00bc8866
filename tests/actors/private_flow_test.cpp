#include <gtest/gtest.h>

#include "tests/actors/world.hpp"

namespace sotto {
namespace {

using test::person;
using test::texts;
using test::world;

struct private_flow : testing::Test {
  void SetUp() override { test::befriend(place, terrence, sally); }
  void begin() {
    ASSERT_FALSE(terrence.otr(sally, otr_action::start));
    ASSERT_EQ(terrence.state(sally), otr_state::unverified);
    ASSERT_EQ(sally.state(terrence), otr_state::unverified);
  }
  void say_all(const std::vector<std::string>& list) {
    for (const auto& text : list) ASSERT_FALSE(terrence.say(sally, text));
  }
  message_state state_of(const person& who, const std::string& text) {
    const auto message = who.message(text);
    EXPECT_TRUE(message) << text;
    return message ? message->state : message_state::failed;
  }
  world place;
  person terrence{place, "terrence@localhost"};
  person sally{place, "sally@localhost"};
};

TEST_F(private_flow, is_verified_by_each_and_nothing_is_seen) {
  ASSERT_FALSE(terrence.say(sally, "hello in the clear"));
  EXPECT_TRUE(place.saw("hello in the clear"));
  begin();
  ASSERT_FALSE(terrence.say(sally, "first secret"));
  EXPECT_EQ(terrence.message("first secret")->security,
            message_security::unverified);
  const auto wrong = terrence.order(verify_fingerprint{
      terrence.account(), sally.account(), terrence.fingerprint()});
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->code, errc::refused);
  EXPECT_EQ(terrence.state(sally), otr_state::unverified);
  ASSERT_FALSE(terrence.verify(sally));
  EXPECT_EQ(terrence.state(sally), otr_state::verified);
  EXPECT_EQ(sally.state(terrence), otr_state::unverified);
  ASSERT_FALSE(sally.verify(terrence));
  ASSERT_FALSE(sally.say(terrence, "second secret"));
  EXPECT_EQ(terrence.heard(sally), std::vector<std::string>{"second secret"});
  EXPECT_EQ(terrence.message("second secret")->security,
            message_security::verified);
  EXPECT_FALSE(place.saw("secret"));
}

TEST_F(private_flow, fifty_typed_before_the_handshake_arrive_in_order) {
  ASSERT_FALSE(terrence.policy(sally, otr_policy::required));
  sally.order(disconnect_account{sally.account()});
  const auto typed = texts("queued secret", 50);
  say_all(typed);
  EXPECT_EQ(terrence.conversation(sally).queued, 50U);
  for (const auto& text : typed)
    EXPECT_EQ(state_of(terrence, text), message_state::queued);
  ASSERT_FALSE(sally.connect());
  ASSERT_TRUE(place.pass_until(
      [&] { return terrence.state(sally) == otr_state::unverified; }));
  EXPECT_EQ(sally.heard(terrence), typed);
  EXPECT_EQ(terrence.conversation(sally).queued, 0U);
  EXPECT_FALSE(place.saw("queued secret"));
}

TEST_F(private_flow, a_handshake_without_answer_times_out_and_waits) {
  ASSERT_FALSE(sally.policy(terrence, otr_policy::never));
  ASSERT_FALSE(terrence.otr(sally, otr_action::start));
  EXPECT_EQ(terrence.state(sally), otr_state::starting);
  ASSERT_FALSE(terrence.say(sally, "a secret"));
  place.pass(std::chrono::seconds{29});
  EXPECT_EQ(terrence.state(sally), otr_state::starting);
  place.pass(std::chrono::seconds{2});
  EXPECT_EQ(terrence.state(sally), otr_state::timed_out);
  EXPECT_TRUE(terrence.noticed("timed_out"));
  ASSERT_FALSE(terrence.say(sally, "another secret"));
  EXPECT_EQ(state_of(terrence, "a secret"), message_state::queued);
  EXPECT_EQ(state_of(terrence, "another secret"), message_state::queued);
  EXPECT_FALSE(place.saw("secret"));

  // The user gives it up: what was meant to be private is not sent at all.
  ASSERT_FALSE(terrence.otr(sally, otr_action::end));
  EXPECT_EQ(state_of(terrence, "a secret"), message_state::failed);
  EXPECT_EQ(state_of(terrence, "another secret"), message_state::failed);
  ASSERT_FALSE(terrence.say(sally, "in the clear, then"));
  EXPECT_TRUE(place.saw("in the clear, then"));
  EXPECT_FALSE(place.saw("secret"));
}

TEST_F(private_flow, the_time_out_can_be_set_and_tried_again) {
  ASSERT_FALSE(terrence.order(set_handshake_timeout{std::chrono::seconds{2}}));
  ASSERT_FALSE(sally.policy(terrence, otr_policy::never));
  ASSERT_FALSE(terrence.otr(sally, otr_action::start));
  ASSERT_FALSE(terrence.say(sally, "waits for the second try"));
  place.pass(std::chrono::seconds{3});
  EXPECT_EQ(terrence.state(sally), otr_state::timed_out);
  ASSERT_FALSE(sally.policy(terrence, otr_policy::opportunistic));
  ASSERT_FALSE(terrence.otr(sally, otr_action::start));
  EXPECT_EQ(terrence.state(sally), otr_state::unverified);
  EXPECT_EQ(sally.heard(terrence).back(), "waits for the second try");
  EXPECT_FALSE(place.saw("second try"));
}

TEST_F(private_flow, automatic_begins_by_itself_with_the_first_message) {
  ASSERT_FALSE(terrence.policy(sally, otr_policy::automatic));
  ASSERT_FALSE(terrence.say(sally, "starts it"));
  EXPECT_EQ(terrence.state(sally), otr_state::unverified);
  EXPECT_EQ(sally.heard(terrence), std::vector<std::string>{"starts it"});
  EXPECT_FALSE(place.saw("starts it"));
}

TEST_F(private_flow, an_end_by_the_contact_keeps_the_latch) {
  begin();
  ASSERT_FALSE(sally.otr(terrence, otr_action::end));
  EXPECT_EQ(terrence.state(sally), otr_state::finished);
  ASSERT_FALSE(terrence.say(sally, "not for everybody"));
  EXPECT_EQ(state_of(terrence, "not for everybody"), message_state::queued);
  ASSERT_FALSE(terrence.otr(sally, otr_action::start));
  EXPECT_EQ(sally.heard(terrence),
            std::vector<std::string>{"not for everybody"});
  EXPECT_FALSE(place.saw("not for everybody"));
}

TEST_F(private_flow, a_changed_key_blocks_until_it_is_verified) {
  begin();
  ASSERT_FALSE(terrence.verify(sally));
  const auto account = sally.account();
  sally.stop();
  person other{place, account, 5};
  ASSERT_FALSE(other.connect());
  ASSERT_FALSE(terrence.otr(other, otr_action::start));
  EXPECT_EQ(terrence.state(other), otr_state::unverified);
  EXPECT_TRUE(terrence.noticed("key_changed"));
  ASSERT_FALSE(terrence.say(other, "for the right person"));
  EXPECT_EQ(state_of(terrence, "for the right person"), message_state::queued);
  EXPECT_FALSE(terrence.alarms.empty());
  EXPECT_TRUE(other.heard(terrence).empty());
  ASSERT_FALSE(terrence.verify(other));
  EXPECT_EQ(other.heard(terrence),
            std::vector<std::string>{"for the right person"});
  EXPECT_FALSE(place.saw("right person"));
}

TEST_F(private_flow, what_waits_never_goes_in_the_clear_by_a_policy) {
  ASSERT_FALSE(terrence.policy(sally, otr_policy::required));
  ASSERT_FALSE(sally.policy(terrence, otr_policy::never));
  ASSERT_FALSE(terrence.say(sally, "typed under required"));
  EXPECT_EQ(state_of(terrence, "typed under required"), message_state::queued);
  for (const auto next :
       {otr_policy::automatic, otr_policy::opportunistic, otr_policy::never}) {
    ASSERT_FALSE(terrence.policy(sally, next));
    place.pass(std::chrono::seconds{40});
    EXPECT_FALSE(place.saw("typed under required"));
  }
  EXPECT_EQ(state_of(terrence, "typed under required"), message_state::failed);
  ASSERT_FALSE(terrence.say(sally, "in the clear now"));
  EXPECT_TRUE(place.saw("in the clear now"));
}

TEST_F(private_flow, a_strangers_handshake_gets_no_answer) {
  person stranger{place, "stranger@localhost"};
  ASSERT_FALSE(stranger.connect());
  const auto before = place.tapped.size();
  ASSERT_FALSE(stranger.otr(sally, otr_action::start));
  place.settle();
  for (std::size_t i = before; i < place.tapped.size(); ++i)
    EXPECT_NE(place.tapped[i].from.bare(), sally.address());
  EXPECT_EQ(stranger.state(sally), otr_state::starting);
  // Their clear text is shown; only the answer needs consent.
  place.pass(std::chrono::seconds{31});
  ASSERT_FALSE(stranger.otr(sally, otr_action::end));
  ASSERT_FALSE(stranger.say(sally, "may we talk?"));
  EXPECT_EQ(sally.heard(stranger), std::vector<std::string>{"may we talk?"});
  // Who writes to them consents.
  ASSERT_FALSE(sally.say(stranger, "yes"));
  ASSERT_FALSE(stranger.otr(sally, otr_action::start));
  EXPECT_EQ(sally.state(stranger), otr_state::unverified);
}

TEST_F(private_flow, a_delayed_handshake_is_too_late) {
  message_stanza late;
  late.from = *jid::parse(terrence.account() + "/old");
  late.to = sally.address();
  late.type = message_type::chat;
  late.body = "?OTRv23?";
  late.delay = std::chrono::system_clock::now();
  const auto before = place.tapped.size();
  place.hub.inject(sally.address(), late);
  place.settle();
  EXPECT_EQ(place.tapped.size(), before);
  EXPECT_TRUE(sally.noticed("late_otr"));
}

TEST_F(private_flow, a_refresh_in_the_middle_of_talk_loses_nothing) {
  begin();
  std::vector<std::string> said;
  for (int i = 0; i < 20; ++i) {
    if (i % 5 == 2) {
      ASSERT_FALSE(sally.otr(terrence, otr_action::refresh));
    }
    if (i % 5 == 4) {
      ASSERT_FALSE(terrence.otr(sally, otr_action::refresh));
    }
    said.push_back("line " + std::to_string(i));
    ASSERT_FALSE(terrence.say(sally, said.back()));
  }
  EXPECT_EQ(sally.heard(terrence), said);
  EXPECT_FALSE(place.saw("line "));
}

TEST_F(private_flow, a_key_is_made_and_replaced_only_on_demand) {
  person fresh{place, "fresh@localhost", -1};
  EXPECT_TRUE(fresh.fingerprint().empty());
  ASSERT_FALSE(fresh.connect());
  const auto keyless = fresh.otr(sally, otr_action::start);
  ASSERT_TRUE(keyless);
  EXPECT_EQ(keyless->code, errc::unavailable);
  ASSERT_FALSE(fresh.order(generate_key{fresh.account(), false}));
  const auto first = fresh.fingerprint();
  EXPECT_EQ(first.size(), 40U);
  EXPECT_TRUE(fresh.order(generate_key{fresh.account(), false}));
  EXPECT_EQ(fresh.fingerprint(), first);
  ASSERT_FALSE(fresh.order(generate_key{fresh.account(), true}));
  EXPECT_NE(fresh.fingerprint(), first);
}

}  // namespace
}  // namespace sotto
