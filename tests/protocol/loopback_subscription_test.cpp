#include <gtest/gtest.h>

#include <cstdio>
#include <random>

#include "protocol/roster.hpp"
#include "tests/protocol/loopback_fixture.hpp"

namespace sotto {
namespace {

using test::address;
using test::client;

const std::string sally_name = "sally@example.org";
const std::string terrence_name = "terrence@example.org";

/// Terrence and Sally, both logged in.
struct two_people : testing::Test {
  loopback_hub hub;
  client terrence{hub, terrence_name};
  client sally{hub, sally_name};

  void SetUp() override {
    terrence.log_in();
    sally.log_in();
    forget();
  }
  void forget() {
    terrence.seen->forget();
    sally.seen->forget();
  }
  void become_contacts() {
    terrence.tell(sally_name, presence_type::subscribe);
    sally.tell(terrence_name, presence_type::subscribed);
    sally.tell(terrence_name, presence_type::subscribe);
    terrence.tell(sally_name, presence_type::subscribed);
  }
};
using loopback_subscription = two_people;

TEST_F(loopback_subscription, makes_contacts_step_by_step) {
  terrence.tell(sally_name, presence_type::subscribe, "It is me");
  EXPECT_EQ(terrence.pushed(sally_name).subscribed, subscription::none);
  EXPECT_TRUE(terrence.pushed(sally_name).ask_subscribe);
  ASSERT_EQ(sally.count(presence_type::subscribe, terrence_name), 1);
  EXPECT_EQ(sally.seen->all<presence_stanza>()[0].status, "It is me");
  EXPECT_TRUE(sally.pushed(terrence_name).address.empty());
  forget();

  sally.tell(terrence_name, presence_type::subscribed);
  EXPECT_EQ(terrence.count(presence_type::subscribed, sally_name), 1);
  EXPECT_EQ(terrence.count(presence_type::available, sally_name + "/desk"), 1);
  EXPECT_EQ(terrence.pushed(sally_name).subscribed, subscription::to);
  EXPECT_FALSE(terrence.pushed(sally_name).ask_subscribe);
  EXPECT_EQ(sally.pushed(terrence_name).subscribed, subscription::from);
  forget();

  sally.tell(terrence_name, presence_type::subscribe);
  terrence.tell(sally_name, presence_type::subscribed);
  EXPECT_EQ(terrence.pushed(sally_name).subscribed, subscription::both);
  EXPECT_EQ(sally.pushed(terrence_name).subscribed, subscription::both);
}

TEST_F(loopback_subscription, declines_with_presence_and_push) {
  terrence.tell(sally_name, presence_type::subscribe);
  forget();
  sally.tell(terrence_name, presence_type::unsubscribed);
  EXPECT_EQ(terrence.count(presence_type::unsubscribed, sally_name), 1);
  EXPECT_EQ(terrence.pushed(sally_name).address, address(sally_name));
  EXPECT_FALSE(terrence.pushed(sally_name).ask_subscribe);
  forget();
  sally.tell(terrence_name, presence_type::unsubscribed);
  EXPECT_EQ(terrence.count(presence_type::unsubscribed, sally_name), 0);
}

TEST_F(loopback_subscription, withdraws_later) {
  become_contacts();
  forget();
  sally.tell(terrence_name, presence_type::unsubscribed);
  EXPECT_EQ(terrence.count(presence_type::unsubscribed, sally_name), 1);
  EXPECT_EQ(terrence.count(presence_type::unavailable, sally_name + "/desk"),
            1);
  EXPECT_EQ(terrence.pushed(sally_name).subscribed, subscription::from);
  EXPECT_EQ(sally.pushed(terrence_name).subscribed, subscription::to);
}

TEST_F(loopback_subscription, resends_open_requests_at_each_login) {
  terrence.tell(sally_name, presence_type::subscribe, "please");
  terrence.tell(sally_name, presence_type::subscribe, "please");
  EXPECT_EQ(sally.count(presence_type::subscribe, terrence_name), 1);
  sally.link().close();
  for (int i = 0; i < 2; ++i) {
    client again{hub, sally_name};
    again.log_in();
    ASSERT_EQ(again.count(presence_type::subscribe, terrence_name), 1);
  }
  client last{hub, sally_name};
  last.log_in();
  last.tell(terrence_name, presence_type::subscribed);
  client after{hub, sally_name, "after"};
  after.log_in();
  EXPECT_EQ(after.count(presence_type::subscribe, terrence_name), 0);
}

TEST_F(loopback_subscription, keeps_states_while_one_side_is_away) {
  terrence.tell(sally_name, presence_type::subscribe);
  terrence.link().close();
  sally.tell(terrence_name, presence_type::subscribed);
  client again{hub, terrence_name};
  again.log_in();
  const auto answers = again.seen->all<iq_stanza>();
  ASSERT_EQ(answers.size(), 1U);
  const auto& rows = std::get<roster_query>(answers[0].payload).items;
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].subscribed, subscription::to);
  EXPECT_EQ(again.count(presence_type::available, sally_name + "/desk"), 1);
}

TEST_F(loopback_subscription, answers_for_who_has_subscribed_already) {
  become_contacts();
  forget();
  terrence.tell(sally_name, presence_type::subscribe);
  EXPECT_EQ(sally.count(presence_type::subscribe, terrence_name), 0);
  // The answer that comes for her is not due either.
  EXPECT_EQ(terrence.count(presence_type::subscribed, sally_name), 0);
  EXPECT_TRUE(terrence.pushed(sally_name).address.empty());
}

TEST_F(loopback_subscription, takes_no_answer_that_was_not_asked_for) {
  sally.tell(terrence_name, presence_type::subscribed);
  sally.tell(terrence_name, presence_type::unsubscribed);
  sally.tell(terrence_name, presence_type::unsubscribe);
  sally.tell(sally_name, presence_type::subscribe);
  EXPECT_TRUE(terrence.seen->all<presence_stanza>().empty());
  EXPECT_TRUE(terrence.seen->all<iq_stanza>().empty());
  EXPECT_TRUE(sally.seen->all<presence_stanza>().empty());
}

TEST_F(loopback_subscription, shows_presence_only_to_subscribers) {
  client stranger{hub, "stranger@example.org"};
  stranger.log_in();
  become_contacts();
  stranger.tell(sally_name, presence_type::probe);
  forget();
  stranger.seen->forget();
  presence_stanza away;
  away.show = presence_show::away;
  sally.send(away);
  EXPECT_EQ(terrence.count(presence_type::available, sally_name + "/desk"), 1);
  sally.link().close();
  EXPECT_EQ(terrence.count(presence_type::unavailable, sally_name + "/desk"),
            1);
  EXPECT_TRUE(stranger.seen->all<presence_stanza>().empty());
}

TEST_F(loopback_subscription, routes_directed_presence_to_strangers) {
  for (const std::string& to : {sally_name, sally_name + "/desk"}) {
    terrence.tell(to, presence_type::available, "hello");
    EXPECT_EQ(sally.count(presence_type::available, terrence_name + "/desk"),
              1);
    terrence.tell(to, presence_type::unavailable);
    EXPECT_EQ(sally.count(presence_type::unavailable, terrence_name + "/desk"),
              1);
    forget();
  }
  terrence.tell("nobody@example.org", presence_type::available);
  EXPECT_TRUE(terrence.seen->all<presence_stanza>().empty());
}

TEST_F(loopback_subscription, tells_of_unavailability_on_a_cut_and_on_demand) {
  become_contacts();
  forget();
  hub.cut(address(sally_name));
  EXPECT_EQ(terrence.count(presence_type::unavailable, sally_name + "/desk"),
            1);
  client again{hub, sally_name};
  again.log_in();
  EXPECT_EQ(terrence.count(presence_type::available, sally_name + "/desk"), 1);
  presence_stanza gone;
  gone.type = presence_type::unavailable;
  gone.status = "bye";
  again.send(gone);
  again.link().close();
  const auto seen = terrence.seen->all<presence_stanza>();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[2].type, presence_type::unavailable);
  EXPECT_EQ(seen[2].status, "bye");
}

TEST_F(loopback_subscription, removes_a_row_with_both_subscriptions) {
  become_contacts();
  forget();
  terrence.set_row({address(sally_name), "", {}, subscription::remove, false});
  EXPECT_EQ(terrence.pushed(sally_name).subscribed, subscription::remove);
  EXPECT_EQ(terrence.count(presence_type::unavailable, sally_name + "/desk"),
            1);
  EXPECT_EQ(sally.pushed(terrence_name).subscribed, subscription::none);
  EXPECT_EQ(sally.count(presence_type::unsubscribe, terrence_name), 1);
  EXPECT_EQ(sally.count(presence_type::unsubscribed, terrence_name), 1);
  EXPECT_EQ(sally.count(presence_type::unavailable, terrence_name + "/desk"),
            1);
  forget();
  terrence.set_row({address(sally_name), "", {}, subscription::remove, false});
  EXPECT_EQ(terrence.seen->all<iq_stanza>().back().error->condition,
            "item-not-found");
}

TEST_F(loopback_subscription, withdraws_an_open_request_with_the_row) {
  terrence.tell(sally_name, presence_type::subscribe);
  terrence.set_row({address(sally_name), "", {}, subscription::remove, false});
  EXPECT_EQ(sally.count(presence_type::unsubscribe, terrence_name), 1);
  client again{hub, sally_name, "again"};
  again.log_in();
  EXPECT_EQ(again.count(presence_type::subscribe, terrence_name), 0);
}

TEST_F(loopback_subscription, sets_names_and_groups_on_every_resource) {
  client second{hub, terrence_name, "second"};
  second.log_in();
  client uninterested{hub, terrence_name, "uninterested"};
  const roster_item row{
      address(sally_name), "Sally", {"Friends"}, subscription::both, true};
  terrence.set_row(row);
  for (const client* each : {&terrence, &second}) {
    EXPECT_EQ(each->pushed(sally_name).name, "Sally");
    EXPECT_EQ(each->pushed(sally_name).groups,
              std::vector<std::string>{"Friends"});
    // Not for a client to decide.
    EXPECT_EQ(each->pushed(sally_name).subscribed, subscription::none);
    EXPECT_FALSE(each->pushed(sally_name).ask_subscribe);
  }
  EXPECT_TRUE(uninterested.seen->all<iq_stanza>().empty());
}

TEST_F(loopback_subscription, refuses_bad_roster_sets) {
  terrence.set_row(
      {address(terrence_name), "me", {}, subscription::none, false});
  EXPECT_EQ(terrence.seen->all<iq_stanza>().back().error->condition,
            "not-allowed");
  terrence.set_row({});
  EXPECT_EQ(terrence.seen->all<iq_stanza>().back().error->condition,
            "bad-request");
  terrence.send(iq_stanza{{}, {}, "0", iq_type::set, roster_query{}, {}});
  EXPECT_EQ(terrence.seen->all<iq_stanza>().back().error->condition,
            "bad-request");
}

/// The roster of a client, kept by the client's own class.
roster follow(const client& person) {
  roster rows;
  for (const auto& iq : person.seen->all<iq_stanza>()) {
    const auto* query = std::get_if<roster_query>(&iq.payload);
    if (query == nullptr) continue;
    if (iq.type == iq_type::result) (void)rows.reset(*query);
    if (iq.type == iq_type::set)
      for (const auto& item : query->items) (void)rows.push(item);
  }
  return rows;
}

subscription mirrored(subscription side) {
  if (side == subscription::to) return subscription::from;
  if (side == subscription::from) return subscription::to;
  return side;
}

subscription state_of(const roster& rows, const std::string& who) {
  const contact* row = rows.find(address(who));
  return row == nullptr ? subscription::none : row->item.subscribed;
}

TEST_F(loopback_subscription, keeps_both_sides_mirrored_whatever_they_do) {
  const unsigned seed = 6'121;
  std::mt19937 random{seed};
  const presence_type moves[] = {
      presence_type::subscribe, presence_type::subscribed,
      presence_type::unsubscribe, presence_type::unsubscribed};
  terrence.log_in();
  sally.log_in();
  const int steps = 2'000;
  int seen_states[4] = {};
  for (int i = 0; i < steps; ++i) {
    const bool by_sally = random() % 2 == 0;
    client& actor = by_sally ? sally : terrence;
    const std::string& other = by_sally ? terrence_name : sally_name;
    if (random() % 12 == 0)
      actor.set_row({address(other), "", {}, subscription::remove, false});
    else
      actor.tell(other, moves[random() % 4]);
    // A fresh look at the server's truth keeps the logs short.
    forget();
    for (client* person : {&terrence, &sally})
      person->send(iq_stanza{{}, {}, "look", iq_type::get, roster_query{}, {}});
    const auto one = state_of(follow(terrence), sally_name);
    const auto two = state_of(follow(sally), terrence_name);
    ASSERT_EQ(one, mirrored(two)) << "step " << i;
    ++seen_states[static_cast<int>(one)];
  }
  std::printf("seed %u, steps %d, states none %d to %d from %d both %d\n", seed,
              steps, seen_states[0], seen_states[1], seen_states[2],
              seen_states[3]);
  for (const int seen : seen_states) EXPECT_GT(seen, 0);
}

TEST_F(loopback_subscription, feeds_the_roster_class_a_decline) {
  terrence.tell(sally_name, presence_type::subscribe);
  roster rows = follow(terrence);
  EXPECT_EQ(rows.find(address(sally_name))->standing(),
            contact_standing::waiting);
  forget();
  sally.tell(terrence_name, presence_type::unsubscribed);
  for (const auto& presence : terrence.seen->all<presence_stanza>())
    (void)rows.presence(presence);
  (void)rows.push(terrence.pushed(sally_name));
  EXPECT_EQ(rows.find(address(sally_name))->standing(),
            contact_standing::declined);
}

}  // namespace
}  // namespace sotto
