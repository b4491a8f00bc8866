#include "protocol/roster.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sotto {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

jid address(const std::string& text) { return *jid::parse(text); }
const jid sally = address("sally@example.org");
const jid terrence = address("terrence@example.org");

roster_item item(const jid& who, subscription state, bool ask = false) {
  return {who, "", {}, state, ask};
}

presence_stanza presence(const jid& from, presence_type type,
                         std::string text = "") {
  presence_stanza stanza;
  stanza.from = from;
  stanza.type = type;
  stanza.status = std::move(text);
  return stanza;
}

contact_standing standing(const roster& rows, const jid& who) {
  const contact* row = rows.find(who);
  return row ? row->standing() : contact_standing::none;
}

/// A roster in which our request to sally is pending.
roster waiting_for_sally() {
  roster rows;
  (void)rows.push(item(sally, subscription::none, true));
  return rows;
}

TEST(roster, shows_a_new_contact_as_waiting_then_accepted) {
  roster rows = waiting_for_sally();
  EXPECT_EQ(standing(rows, sally), contact_standing::waiting);
  (void)rows.presence(presence(sally, presence_type::subscribed));
  const auto change = rows.push(item(sally, subscription::to));
  EXPECT_THAT(change.contacts, ElementsAre(sally));
  EXPECT_EQ(standing(rows, sally), contact_standing::accepted);
}

TEST(roster, shows_a_decline_when_unsubscribed_comes_first) {
  roster rows = waiting_for_sally();
  const auto change =
      rows.presence(presence(sally, presence_type::unsubscribed));
  EXPECT_THAT(change.contacts, ElementsAre(sally));
  EXPECT_EQ(standing(rows, sally), contact_standing::declined);
  (void)rows.push(item(sally, subscription::none));
  EXPECT_EQ(standing(rows, sally), contact_standing::declined);
}

TEST(roster, shows_a_decline_when_the_push_comes_first) {
  roster rows = waiting_for_sally();
  (void)rows.push(item(sally, subscription::none));
  EXPECT_EQ(standing(rows, sally), contact_standing::none);
  (void)rows.presence(presence(sally, presence_type::unsubscribed));
  EXPECT_EQ(standing(rows, sally), contact_standing::declined);
}

TEST(roster, shows_a_later_withdrawal_as_declined_in_either_order) {
  for (const bool push_first : {false, true}) {
    roster rows;
    (void)rows.push(item(sally, subscription::both));
    if (push_first) (void)rows.push(item(sally, subscription::from));
    (void)rows.presence(presence(sally, presence_type::unsubscribed));
    if (!push_first) (void)rows.push(item(sally, subscription::from));
    EXPECT_EQ(standing(rows, sally), contact_standing::declined);
    EXPECT_EQ(rows.find(sally)->item.subscribed, subscription::from);
    EXPECT_TRUE(rows.consented(sally));
  }
}

TEST(roster, takes_no_decline_from_whom_we_never_asked) {
  roster rows;
  (void)rows.push(item(sally, subscription::from));
  for (const jid& who : {sally, terrence}) {
    const auto change =
        rows.presence(presence(who, presence_type::unsubscribed));
    EXPECT_THAT(change.contacts, IsEmpty());
  }
  EXPECT_EQ(standing(rows, sally), contact_standing::none);
  EXPECT_EQ(rows.find(terrence), nullptr);
}

TEST(roster, keeps_a_decline_across_a_restart) {
  roster rows;
  rows.restore({{item(sally, subscription::none), true}}, {});
  const auto change = rows.reset({"", {item(sally, subscription::none)}});
  EXPECT_THAT(change.contacts, IsEmpty());
  EXPECT_EQ(standing(rows, sally), contact_standing::declined);
}

TEST(roster, sees_after_a_restart_that_a_request_was_declined_meanwhile) {
  for (const auto& before :
       {item(sally, subscription::none, true), item(sally, subscription::to)}) {
    roster rows;
    rows.restore({{before, false}}, {});
    const auto change = rows.reset({"", {item(sally, subscription::none)}});
    EXPECT_THAT(change.contacts, ElementsAre(sally));
    EXPECT_EQ(standing(rows, sally), contact_standing::declined);
  }
}

TEST(roster, clears_a_decline_when_a_new_request_or_acceptance_comes) {
  const auto declined = [] {
    roster rows;
    rows.restore({{item(sally, subscription::none), true}}, {});
    return rows;
  };
  roster asked = declined();
  EXPECT_THAT(asked.asked(sally).contacts, ElementsAre(sally));
  EXPECT_EQ(standing(asked, sally), contact_standing::none);
  roster pushed = declined();
  (void)pushed.push(item(sally, subscription::none, true));
  EXPECT_EQ(standing(pushed, sally), contact_standing::waiting);
  roster accepted = declined();
  (void)accepted.presence(presence(sally, presence_type::subscribed));
  EXPECT_EQ(standing(accepted, sally), contact_standing::none);
  roster reset = declined();
  (void)reset.reset({"", {item(sally, subscription::both)}});
  EXPECT_EQ(standing(reset, sally), contact_standing::accepted);
  (void)reset.push(item(sally, subscription::from));
  EXPECT_EQ(standing(reset, sally), contact_standing::none);
}

TEST(roster, asking_again_makes_a_stale_loss_no_decline) {
  roster rows = waiting_for_sally();
  (void)rows.push(item(sally, subscription::none));
  (void)rows.asked(sally);
  (void)rows.presence(presence(sally, presence_type::unsubscribed));
  EXPECT_EQ(standing(rows, sally), contact_standing::none);
}

TEST(roster, deletes_rows_that_are_removed) {
  roster rows = waiting_for_sally();
  const auto change = rows.push(item(sally, subscription::remove));
  EXPECT_THAT(change.contacts, ElementsAre(sally));
  EXPECT_EQ(rows.find(sally), nullptr);
  EXPECT_THAT(rows.push(item(sally, subscription::remove)).contacts, IsEmpty());
  (void)rows.push(item(sally, subscription::both));
  EXPECT_THAT(rows.removed(sally).contacts, ElementsAre(sally));
  EXPECT_FALSE(rows.consented(sally));
}

TEST(roster, replaces_rows_and_tells_only_what_differs) {
  roster rows;
  (void)rows.push(item(sally, subscription::both));
  (void)rows.push(item(terrence, subscription::both));
  const jid third = address("third@example.org");
  const auto change = rows.reset(
      {"", {item(sally, subscription::both), item(third, subscription::to)}});
  EXPECT_THAT(change.contacts, testing::UnorderedElementsAre(third, terrence));
  EXPECT_EQ(rows.contacts().size(), 2U);
}

TEST(roster, tells_of_a_request_once) {
  roster rows;
  const auto request =
      presence(sally, presence_type::subscribe, "It is me, Sally");
  const auto first = rows.presence(request);
  ASSERT_EQ(first.new_requests.size(), 1U);
  EXPECT_EQ(first.new_requests.front().from, sally);
  EXPECT_EQ(first.new_requests.front().text, "It is me, Sally");
  const auto again = rows.presence(request);
  EXPECT_THAT(again.new_requests, IsEmpty());
  EXPECT_THAT(again.requests, IsEmpty());
  EXPECT_THAT(rows.ignored(sally).requests, ElementsAre(sally));
  EXPECT_THAT(rows.presence(request).new_requests, IsEmpty());
  EXPECT_TRUE(rows.find_request(sally)->ignored);
}

TEST(roster, keeps_ignored_requests_across_a_restart) {
  roster rows;
  rows.restore({}, {{sally, "", true}});
  const auto change = rows.presence(presence(sally, presence_type::subscribe));
  EXPECT_THAT(change.new_requests, IsEmpty());
  EXPECT_TRUE(rows.find_request(sally)->ignored);
}

TEST(roster, ends_a_request_when_it_is_answered_withdrawn_or_moot) {
  const auto requested = [] {
    roster rows;
    (void)rows.presence(presence(sally, presence_type::subscribe));
    return rows;
  };
  roster answered = requested();
  EXPECT_THAT(answered.answered(sally).requests, ElementsAre(sally));
  roster withdrawn = requested();
  EXPECT_THAT(
      withdrawn.presence(presence(sally, presence_type::unsubscribe)).requests,
      ElementsAre(sally));
  roster elsewhere = requested();
  EXPECT_THAT(elsewhere.push(item(sally, subscription::from)).requests,
              ElementsAre(sally));
  EXPECT_EQ(elsewhere.find_request(sally), nullptr);
}

TEST(roster, takes_no_request_from_whom_already_sees_us) {
  for (const auto state : {subscription::from, subscription::both}) {
    roster rows;
    (void)rows.push(item(sally, state));
    const auto change =
        rows.presence(presence(sally, presence_type::subscribe));
    EXPECT_THAT(change.new_requests, IsEmpty());
    EXPECT_EQ(rows.find_request(sally), nullptr);
  }
}

TEST(roster, consents_to_whom_the_user_asked_or_authorized) {
  roster rows;
  EXPECT_FALSE(rows.consented(sally));
  (void)rows.presence(presence(sally, presence_type::subscribe));
  EXPECT_FALSE(rows.consented(sally));
  (void)rows.push(item(sally, subscription::none));
  EXPECT_FALSE(rows.consented(sally));
  for (const auto& consenting :
       {item(sally, subscription::none, true), item(sally, subscription::from),
        item(sally, subscription::to), item(sally, subscription::both)}) {
    (void)rows.push(consenting);
    EXPECT_TRUE(rows.consented(sally));
    EXPECT_TRUE(rows.consented(address("sally@example.org/any")));
  }
}

TEST(roster, caps_contacts_and_requests_and_counts_what_is_dropped) {
  roster rows;
  std::size_t dropped = 0;
  const std::size_t tried = 100'000;
  const std::string long_text(100'000, 'x');
  for (std::size_t i = 0; i < tried; ++i) {
    const jid who = address("u" + std::to_string(i) + "@example.org");
    dropped += rows.push(item(who, subscription::none)).dropped;
    dropped += rows.presence(presence(who, presence_type::subscribe, long_text))
                   .dropped;
  }
  EXPECT_EQ(rows.contacts().size(), roster::max_contacts);
  EXPECT_EQ(rows.requests().size(), roster::max_requests);
  EXPECT_EQ(dropped, 2 * tried - roster::max_contacts - roster::max_requests);
  EXPECT_EQ(rows.requests().begin()->second.text.size(),
            roster::max_request_text);
  std::printf("contacts and requests tried %zu each, dropped %zu\n", tried,
              dropped);
}

}  // namespace
}  // namespace sotto
