#include <gtest/gtest.h>

#include "tests/actors/world.hpp"

namespace sotto {
namespace {

using test::person;
using test::world;

struct contacts_flow : testing::Test {
  void SetUp() override {
    ASSERT_FALSE(terrence.connect());
    ASSERT_FALSE(sally.connect());
  }
  std::optional<error> add(person& who, const person& whom) {
    return who.order(
        add_contact{who.account(), whom.account(), "Friends", "The other one"});
  }
  std::optional<error> answer(person& who, const person& whom,
                              request_answer given) {
    return who.order(answer_request{who.account(), whom.account(), given});
  }
  world place;
  person terrence{place, "terrence@localhost"};
  person sally{place, "sally@localhost"};
};

TEST_F(contacts_flow, adds_waits_and_is_authorized) {
  ASSERT_FALSE(add(terrence, sally));
  const auto* row = terrence.contact(sally.account());
  ASSERT_NE(row, nullptr);
  EXPECT_TRUE(row->ask_subscribe);
  EXPECT_EQ(row->standing, contact_standing::waiting);
  EXPECT_EQ(row->groups, std::vector<std::string>{"Friends"});
  EXPECT_EQ(row->name, "The other one");
  ASSERT_NE(sally.request(terrence.account()), nullptr);

  ASSERT_FALSE(answer(sally, terrence, request_answer::authorize));
  EXPECT_EQ(sally.request(terrence.account()), nullptr);
  row = terrence.contact(sally.account());
  EXPECT_EQ(row->subscribed, subscription::to);
  EXPECT_EQ(row->standing, contact_standing::accepted);
  EXPECT_EQ(row->presence, "available");
  ASSERT_EQ(row->resources.size(), 1U);

  ASSERT_FALSE(sally.order(disconnect_account{sally.account()}));
  EXPECT_EQ(terrence.contact(sally.account())->presence, "unavailable");
}

TEST_F(contacts_flow, a_declined_row_stays_also_after_a_restart) {
  ASSERT_FALSE(add(terrence, sally));
  ASSERT_FALSE(answer(sally, terrence, request_answer::deny));
  EXPECT_EQ(sally.request(terrence.account()), nullptr);
  const auto* row = terrence.contact(sally.account());
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->standing, contact_standing::declined);

  terrence.restart();
  ASSERT_NE(terrence.contact(sally.account()), nullptr);
  EXPECT_EQ(terrence.contact(sally.account())->standing,
            contact_standing::declined);
  ASSERT_FALSE(terrence.connect());
  EXPECT_EQ(terrence.contact(sally.account())->standing,
            contact_standing::declined);

  // Asked again, it waits again.
  ASSERT_FALSE(add(terrence, sally));
  EXPECT_EQ(terrence.contact(sally.account())->standing,
            contact_standing::waiting);
  EXPECT_NE(sally.request(terrence.account()), nullptr);
}

TEST_F(contacts_flow, an_ignored_request_stays_ignored) {
  ASSERT_FALSE(add(terrence, sally));
  ASSERT_FALSE(answer(sally, terrence, request_answer::ignore));
  ASSERT_NE(sally.request(terrence.account()), nullptr);
  EXPECT_TRUE(sally.request(terrence.account())->ignored);
  sally.restart();
  ASSERT_FALSE(sally.connect());
  ASSERT_NE(sally.request(terrence.account()), nullptr);
  EXPECT_TRUE(sally.request(terrence.account())->ignored);
  EXPECT_TRUE(terrence.contact(sally.account())->ask_subscribe);
}

TEST_F(contacts_flow, removes_a_contact_for_good) {
  ASSERT_FALSE(add(terrence, sally));
  ASSERT_FALSE(answer(sally, terrence, request_answer::authorize));
  ASSERT_FALSE(
      terrence.order(remove_contact{terrence.account(), sally.account()}));
  EXPECT_EQ(terrence.contact(sally.account()), nullptr);
  terrence.restart();
  ASSERT_FALSE(terrence.connect());
  EXPECT_EQ(terrence.contact(sally.account()), nullptr);
}

TEST_F(contacts_flow, refuses_what_makes_no_sense) {
  const auto self = terrence.order(
      add_contact{terrence.account(), terrence.account(), "", ""});
  ASSERT_TRUE(self);
  EXPECT_EQ(self->code, errc::invalid_argument);
  const auto nobody =
      terrence.order(add_contact{terrence.account(), "@@", "", ""});
  ASSERT_TRUE(nobody);
  EXPECT_EQ(nobody->code, errc::invalid_argument);
  const auto missing =
      terrence.order(remove_contact{terrence.account(), "x@localhost"});
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->code, errc::not_found);
  const auto unasked = answer(terrence, sally, request_answer::authorize);
  ASSERT_TRUE(unasked);
  EXPECT_EQ(unasked->code, errc::not_found);
  ASSERT_FALSE(terrence.order(disconnect_account{terrence.account()}));
  const auto offline = add(terrence, sally);
  ASSERT_TRUE(offline);
  EXPECT_EQ(offline->code, errc::unavailable);
}

TEST_F(contacts_flow, a_forged_push_changes_nothing) {
  iq_stanza push;
  push.type = iq_type::set;
  push.id = "push";
  push.from = *jid::parse("mallory@localhost/x");
  roster_item item;
  item.address = *jid::parse("mallory@localhost");
  item.subscribed = subscription::both;
  push.payload = roster_query{"", {item}};
  place.hub.inject(terrence.address(), push);
  place.settle();
  EXPECT_EQ(terrence.contact("mallory@localhost"), nullptr);
}

}  // namespace
}  // namespace sotto
