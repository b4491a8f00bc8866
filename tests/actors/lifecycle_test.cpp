#include <gtest/gtest.h>

#include "tests/actors/world.hpp"

namespace sotto {
namespace {

using test::person;
using test::world;

TEST(lifecycle, an_ordered_stop_leaves_no_actor_and_ends_what_was_private) {
  world place;
  person terrence{place, "terrence@localhost"};
  person sally{place, "sally@localhost"};
  test::befriend(place, terrence, sally);
  ASSERT_FALSE(terrence.otr(sally, otr_action::start));
  const auto running = place.system.registry().running();
  terrence.stop();
  EXPECT_LT(place.system.registry().running(), running);
  EXPECT_EQ(sally.state(terrence), otr_state::finished);
  sally.stop();
  EXPECT_EQ(place.system.registry().running(), 0U);
}

TEST(lifecycle, a_stop_in_the_middle_of_a_handshake_ends_too) {
  world place;
  person terrence{place, "terrence@localhost"};
  person sally{place, "sally@localhost"};
  test::befriend(place, terrence, sally);
  ASSERT_FALSE(sally.order(disconnect_account{sally.account()}));
  ASSERT_FALSE(terrence.otr(sally, otr_action::start));
  ASSERT_FALSE(terrence.say(sally, "will not go"));
  terrence.stop();
  EXPECT_EQ(terrence.message("will not go")->state, message_state::failed);
}

TEST(lifecycle, what_arrives_while_it_stops_starts_nothing) {
  world place;
  person terrence{place, "terrence@localhost"};
  ASSERT_FALSE(terrence.connect());
  message_stanza knock;
  knock.from = *jid::parse("stranger@localhost/x");
  knock.to = terrence.address();
  knock.type = message_type::chat;
  knock.body = "knock";
  terrence.stop_while([&] { place.hub.inject(terrence.address(), knock); });
  EXPECT_TRUE(terrence.stopped());
  EXPECT_EQ(place.system.registry().running(), 0U);
}

TEST(lifecycle, a_supervisor_that_fails_takes_all_its_actors_along) {
  world place;
  person terrence{place, "terrence@localhost"};
  person sally{place, "sally@localhost"};
  test::befriend(place, terrence, sally);
  ASSERT_FALSE(terrence.otr(sally, otr_action::start));
  sally.stop();
  terrence.crash();
  EXPECT_EQ(place.system.registry().running(), 0U);
}

TEST(lifecycle, a_removed_account_is_gone_after_a_restart) {
  world place;
  person terrence{place, "terrence@localhost"};
  person sally{place, "sally@localhost"};
  test::befriend(place, terrence, sally);
  ASSERT_FALSE(terrence.order(remove_account{terrence.account()}));
  EXPECT_EQ(terrence.rows(), 0U);
  const auto failure = terrence.connect();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code, errc::not_found);
  terrence.restart();
  EXPECT_TRUE(terrence.order(connect_account{terrence.account()}));
}

TEST(lifecycle, settings_of_an_account_can_be_changed) {
  world place;
  person terrence{place, "terrence@localhost"};
  const auto key = terrence.fingerprint();
  ASSERT_FALSE(terrence.order(add_account{
      terrence.account(), nullptr, "localhost", 5222, {}, {}, false}));
  EXPECT_EQ(terrence.fingerprint(), key);
  ASSERT_FALSE(terrence.connect());
  EXPECT_TRUE(terrence.order(
      add_account{"new@localhost", nullptr, {}, 0, {}, {}, false}));
  const auto nobody =
      terrence.order(add_account{"no domain", nullptr, {}, 0, {}, {}, false});
  ASSERT_TRUE(nobody);
  EXPECT_EQ(nobody->code, errc::invalid_argument);
}

TEST(lifecycle, a_keyring_that_fails_stops_everything_in_good_order) {
  world place;
  person terrence{place, "terrence@localhost"};
  person sally{place, "sally@localhost"};
  ASSERT_FALSE(terrence.connect());
  ASSERT_FALSE(terrence.say(sally, "hello"));
  caf::anon_send_exit(terrence.actors_of(sally).keyring,
                      caf::exit_reason::kill);
  place.pass(std::chrono::seconds{5});
  ASSERT_FALSE(terrence.alarms.empty());
  EXPECT_NE(terrence.alarms.back().find("keyring"), std::string::npos);
  EXPECT_EQ(terrence.link(), link_phase::offline);
  const auto refused = terrence.say(sally, "more");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, errc::unavailable);
  terrence.restart();
  ASSERT_FALSE(terrence.connect());
}

}  // namespace
}  // namespace sotto
