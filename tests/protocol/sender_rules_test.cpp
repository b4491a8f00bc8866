#include "protocol/sender_rules.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "protocol/ids.hpp"
#include "protocol/stanza_codec.hpp"
#include "tests/protocol/xml_fixture.hpp"

namespace sotto {
namespace {

const jid own = *jid::parse("terrence@example.org/desk");
const auto later = std::chrono::steady_clock::time_point::max();

/// Who forges: full JIDs, told apart by their number so that 100 runs are 100
/// senders.
struct forger {
  const char* kind;
  std::function<jid(int)> address;
};

jid full(const std::string& bare, int n) {
  return *jid::parse(bare + "/r" + std::to_string(n));
}

const std::vector<forger>& forgers() {
  static const std::vector<forger> all{
      {"contact", [](int n) { return full("sally@example.org", n); }},
      {"stranger",
       [](int n) {
         return full("stranger" + std::to_string(n) + "@example.org", n);
       }},
      {"other domain", [](int n) { return full("terrence@example.net", n); }},
      {"own other resource",
       [](int n) { return full("terrence@example.org", n); }}};
  return all;
}

bool decodes(const std::string& xml, const std::string& open_query = "") {
  const auto element = test::parse_xml(xml);
  EXPECT_TRUE(element) << xml;
  const decode_context context{
      own, std::chrono::system_clock::now(), open_query, {}};
  return static_cast<bool>(decode(element.get(), context));
}

std::string wrapped(const jid& from, const std::string& wrapper,
                    const std::string& inner_from) {
  const std::string name = wrapper.substr(0, wrapper.find(' '));
  return "<message xmlns='jabber:client' from='" + from.str() + "'><" +
         wrapper +
         "><forwarded xmlns='urn:xmpp:forward:0'>"
         "<message xmlns='jabber:client' from='" +
         inner_from + "'><body>forged</body></message></forwarded></" + name +
         "></message>";
}

iq_stanza roster_iq(const jid& from, iq_type type, const std::string& id) {
  return {from, own, id, type, roster_query{}, {}};
}

/// True if `answer` is taken for the answer to a request to `asked`.
bool takes_answer(const jid& asked, const iq_stanza& answer,
                  const std::string& open_id) {
  pending_iqs open;
  EXPECT_TRUE(open.add(open_id, asked, "purpose", later));
  return open.take(answer, own).has_value();
}

/// A kind of forgery: true if what `from` sends is accepted.
struct forgery {
  const char* kind;
  std::function<bool(const jid& from)> accepted;
};

const jid third = *jid::parse("third@example.com/home");
const std::string received = "received xmlns='urn:xmpp:carbons:2'";
const std::string sent = "sent xmlns='urn:xmpp:carbons:2'";
const std::string archived =
    "result xmlns='urn:xmpp:mam:2' id='1' queryid='open'";

const std::vector<forgery>& forgeries() {
  static const std::vector<forgery> all{
      {"roster push",
       [](const jid& from) {
         return may_push_roster(roster_iq(from, iq_type::set, "1"), own);
       }},
      {"roster push from the bare JID",
       [](const jid& from) {
         const jid bare = from.bare() == own.bare() ? from : from.bare();
         return may_push_roster(roster_iq(bare, iq_type::set, "1"), own);
       }},
      {"roster answer",
       [](const jid& from) {
         const std::string id = random_id();
         return takes_answer({}, roster_iq(from, iq_type::result, id), id);
       }},
      {"received carbon",
       [](const jid& from) {
         return decodes(wrapped(from, received, third.str()));
       }},
      {"sent carbon",
       [](const jid& from) { return decodes(wrapped(from, sent, own.str())); }},
      {"sent carbon of another's message, through the own account",
       [](const jid& from) {
         const bool is_own = from.bare() == own.bare();
         return decodes(wrapped(is_own ? from : own.bare(), sent,
                                is_own ? third.str() : from.str()));
       }},
      {"archive result for the open query",
       [](const jid& from) {
         return decodes(wrapped(from, archived, third.str()), "open");
       }},
      {"archive result that nobody asked for",
       [](const jid& from) {
         return decodes(wrapped(own.bare(), archived, from.str()), "") ||
                may_send_archive_result(from, from, "open", "");
       }},
      {"stanza-id",
       [](const jid& from) { return may_assign_stanza_id(from, own); }},
      {"answer by a guessed id to a request to a third",
       [](const jid& from) {
         const std::string id = random_id();
         return takes_answer(third, {from, own, id, iq_type::result, {}, {}},
                             id);
       }},
      {"error, or a set, in place of an answer",
       [](const jid& from) {
         const std::string id = random_id();
         return takes_answer(third, {from, own, id, iq_type::error, {}, {}},
                             id) ||
                takes_answer(from, {from, own, id, iq_type::set, {}, {}}, id) ||
                takes_answer(from,
                             {from, own, random_id(), iq_type::result, {}, {}},
                             id);
       }},
      {"correction", [](const jid& from) {
         return may_correct(from, third) || may_correct(from.bare(), from) ||
                may_correct(from.bare(), from.bare()) ||
                may_correct(*from.with_resource("x"), from);
       }}};
  return all;
}

TEST(sender_rules, accept_no_forgery_of_any_kind_from_anybody) {
  int tried = 0;
  int taken = 0;
  ASSERT_EQ(forgeries().size(), 12U);
  for (const forgery& attack : forgeries()) {
    for (const forger& who : forgers()) {
      for (int n = 0; n < 100; ++n, ++tried) {
        if (!attack.accepted(who.address(n))) continue;
        ++taken;
        ADD_FAILURE() << attack.kind << " by " << who.kind;
      }
    }
  }
  std::printf("forgeries tried %d (12 kinds x 4 senders x 100), accepted %d\n",
              tried, taken);
  EXPECT_EQ(taken, 0);
}

TEST(sender_rules, accept_what_the_own_account_sends) {
  EXPECT_TRUE(may_push_roster(roster_iq({}, iq_type::set, "1"), own));
  EXPECT_TRUE(may_push_roster(roster_iq(own.bare(), iq_type::set, "1"), own));
  EXPECT_TRUE(decodes(wrapped(own.bare(), received, third.str())));
  EXPECT_TRUE(decodes(wrapped(own.bare(), sent, own.str())));
  EXPECT_TRUE(decodes(wrapped(own.bare(), archived, third.str()), "open"));
  EXPECT_TRUE(may_send_archive_result(third.bare(), third.bare(), "q", "q"));
  EXPECT_TRUE(may_assign_stanza_id(own.bare(), own));
  EXPECT_TRUE(may_correct(third, third));
}

TEST(sender_rules, accept_nothing_for_nobody) {
  EXPECT_FALSE(may_push_roster(roster_iq({}, iq_type::set, "1"), {}));
  EXPECT_FALSE(may_send_carbon({}, {}));
  EXPECT_FALSE(may_send_archive_result({}, {}, "", ""));
  EXPECT_FALSE(may_send_archive_result({}, {}, "q", "q"));
  EXPECT_FALSE(may_assign_stanza_id({}, {}));
  EXPECT_FALSE(may_correct({}, {}));
}

TEST(pending_iqs, takes_the_answers_of_the_own_side) {
  const jid server = *jid::parse("example.org");
  for (const jid& asked : {jid{}, own.bare(), server}) {
    for (const jid& from : {jid{}, own.bare(), own, server}) {
      for (const auto type : {iq_type::result, iq_type::error}) {
        const std::string id = random_id();
        EXPECT_TRUE(takes_answer(asked, {from, own, id, type, {}, {}}, id));
      }
    }
  }
  EXPECT_TRUE(
      takes_answer(third, {third, own, "i", iq_type::result, {}, {}}, "i"));
}

TEST(pending_iqs, gives_the_purpose_once) {
  pending_iqs open;
  ASSERT_TRUE(open.add("1", third, "ping", later));
  const iq_stanza answer{third, own, "1", iq_type::result, {}, {}};
  EXPECT_EQ(open.take(answer, own), "ping");
  EXPECT_FALSE(open.take(answer, own).has_value());
  EXPECT_EQ(open.size(), 0U);
}

TEST(pending_iqs, stays_open_after_a_forged_answer) {
  pending_iqs open;
  ASSERT_TRUE(open.add("1", third, "ping", later));
  EXPECT_FALSE(
      open.take({third.bare(), own, "1", iq_type::result, {}, {}}, own));
  EXPECT_EQ(open.size(), 1U);
}

TEST(pending_iqs, expires_one_by_one) {
  using std::chrono::seconds;
  const std::chrono::steady_clock::time_point start{};
  pending_iqs open;
  ASSERT_TRUE(open.add("1", {}, "one", start + seconds{1}));
  ASSERT_TRUE(open.add("2", {}, "two", start + seconds{2}));
  EXPECT_FALSE(open.expired(start).has_value());
  EXPECT_EQ(open.expired(start + seconds{1}), "one");
  EXPECT_FALSE(open.expired(start + seconds{1}).has_value());
  EXPECT_EQ(open.expired(start + seconds{9}), "two");
}

TEST(pending_iqs, is_bounded_and_takes_no_id_twice) {
  pending_iqs open;
  std::size_t taken = 0;
  for (int i = 0; i < 100'000; ++i)
    taken += open.add(std::to_string(i), {}, "x", later) ? 1U : 0U;
  EXPECT_EQ(taken, pending_iqs::max_open);
  open.clear();
  EXPECT_TRUE(open.add("1", {}, "x", later));
  EXPECT_FALSE(open.add("1", third, "y", later));
  EXPECT_FALSE(open.add("", {}, "x", later));
}

}  // namespace
}  // namespace sotto
