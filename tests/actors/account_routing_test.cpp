#include "actors/account_routing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "protocol/namespaces.hpp"
#include "protocol/stanza_codec.hpp"

namespace sotto {
namespace {

jid address(std::string_view text) {
  const auto parsed = jid::parse(text);
  if (!parsed) throw std::runtime_error(parsed.failure().message);
  return *parsed;
}

message_stanza message_with(const std::string& body) {
  message_stanza message;
  message.from = address("sally@localhost/desk");
  message.to = address("terrence@localhost");
  message.body = body;
  return message;
}

message_stanza delayed(const std::string& body) {
  auto message = message_with(body);
  message.delay = wall_time{std::chrono::seconds{1'700'000'000}};
  return message;
}

// -- route_of ----------------------------------------------------------------

TEST(route_of, live_texts_and_otr_lines_go_to_the_conversation) {
  for (const auto* body :
       {"hello", "", "?OTRv23?", "?OTR?", "?OTR:AAMC", "?OTR:AAMD",
        "?OTR Error: no", "?OTR|0|0,1,2,x,", "?OTR,1,2,x,"})
    EXPECT_EQ(route_of(message_with(body)), message_route::converse) << body;
}

TEST(route_of, a_message_of_any_personal_kind_goes_to_the_conversation) {
  for (const auto type :
       {message_type::chat, message_type::normal, message_type::headline}) {
    auto message = message_with("hello");
    message.type = type;
    EXPECT_EQ(route_of(message), message_route::converse);
  }
}

TEST(route_of, an_error_is_a_bounce_with_or_without_a_body) {
  auto message = message_with("?OTR:AAMD");
  message.type = message_type::error;
  EXPECT_EQ(route_of(message), message_route::bounce);
  message.body.reset();
  EXPECT_EQ(route_of(message), message_route::bounce);
  message.delay = wall_time{};
  EXPECT_EQ(route_of(message), message_route::bounce);
}

TEST(route_of, a_group_chat_is_nothing_for_a_conversation) {
  for (const auto* body : {"hello", "?OTRv23?"}) {
    auto message = message_with(body);
    message.type = message_type::groupchat;
    EXPECT_EQ(route_of(message), message_route::ignore) << body;
  }
}

TEST(route_of, a_message_without_a_body_is_nothing_for_a_conversation) {
  auto message = message_with("");
  message.body.reset();
  EXPECT_EQ(route_of(message), message_route::ignore);
  message.delay = wall_time{};
  EXPECT_EQ(route_of(message), message_route::ignore);
}

TEST(route_of, copies_and_archived_messages_never_reach_a_conversation) {
  for (const auto* body : {"hello", "?OTRv23?", "?OTR:AAMC", "?OTR:AAMD"}) {
    auto carbon = message_with(body);
    carbon.is_carbon = true;
    EXPECT_EQ(route_of(carbon), message_route::ignore) << body;
    auto archived = delayed(body);
    archived.is_archived = true;
    EXPECT_EQ(route_of(archived), message_route::ignore) << body;
  }
}

TEST(route_of, a_copy_of_an_error_is_never_read_as_a_message) {
  auto message = message_with("?OTR:AAMC");
  message.type = message_type::error;
  message.is_carbon = true;
  EXPECT_NE(route_of(message), message_route::converse);
  EXPECT_NE(route_of(message), message_route::late_otr);
}

TEST(route_of, a_delayed_text_is_read) {
  for (const auto* body : {"hello", "", "what is ?OTR:AAMC ?", " ?OTRv23?"})
    EXPECT_EQ(route_of(delayed(body)), message_route::converse) << body;
}

// The first three bytes of an OTR message are its version and its kind: 00 03
// 02 is a D-H Commit of version 3, "AAMC" in base 64.
TEST(route_of, a_delayed_handshake_has_had_its_time) {
  for (const auto* body :
       {"?OTRv23?", "?OTRv3?", "?OTRv2?", "?OTR?", "?OTR?v2?",
        // D-H Commit, D-H Key, Reveal Signature, Signature of version 3 ...
        "?OTR:AAMCx.", "?OTR:AAMKx.", "?OTR:AAMRx.", "?OTR:AAMSx.",
        // ... and of version 2.
        "?OTR:AAICx.", "?OTR:AAIKx.", "?OTR:AAIRx.", "?OTR:AAISx.",
        // Data of version 1, which is refused.
        "?OTR:AAEDx.", "?OTR Error: no", "?OTR|1|2,1,2,x,", "?OTR,1,2,x,",
        "?OTR:", "?OTR"})
    EXPECT_EQ(route_of(delayed(body)), message_route::late_otr) << body;
}

TEST(route_of, a_delayed_data_message_may_still_be_read) {
  for (const auto* body : {"?OTR:AAMDx.", "?OTR:AAIDx."})
    EXPECT_EQ(route_of(delayed(body)), message_route::converse) << body;
}

// -- consent_list ------------------------------------------------------------

roster_item item_of(const std::string& contact, subscription subscribed,
                    bool ask = false) {
  roster_item item;
  item.address = address(contact);
  item.subscribed = subscribed;
  item.ask_subscribe = ask;
  return item;
}

TEST(consent_list, nobody_is_on_it_at_first) {
  const consent_list consents;
  EXPECT_FALSE(consents.contains(address("sally@localhost")));
  EXPECT_FALSE(consents.contains({}));
}

TEST(consent_list, follows_subscription_and_request) {
  struct example {
    subscription subscribed;
    bool ask;
    bool consents;
  };
  for (const auto& [subscribed, ask, expected] :
       {example{subscription::none, false, false},
        {subscription::none, true, true},
        {subscription::to, false, true},
        {subscription::from, false, true},
        {subscription::from, true, true},
        {subscription::both, false, true},
        {subscription::remove, false, false}}) {
    const auto item = item_of("sally@localhost", subscribed, ask);
    consent_list pushed;
    pushed.push(item);
    EXPECT_EQ(pushed.contains(item.address), expected);
    consent_list restored;
    restored.restore(item);
    EXPECT_EQ(restored.contains(item.address), expected);
    consent_list reset;
    reset.reset({{}, {item}});
    EXPECT_EQ(reset.contains(item.address), expected);
    EXPECT_FALSE(reset.contains(address("sally@example.org")));
  }
}

TEST(consent_list, a_push_takes_consent_back) {
  for (const auto ended : {subscription::none, subscription::remove}) {
    consent_list consents;
    consents.push(item_of("sally@localhost", subscription::both));
    consents.push(item_of("zoe@localhost", subscription::both));
    consents.push(item_of("sally@localhost", ended));
    EXPECT_FALSE(consents.contains(address("sally@localhost")));
    EXPECT_TRUE(consents.contains(address("zoe@localhost")));
  }
}

TEST(consent_list, the_servers_roster_replaces_what_was_there) {
  consent_list consents;
  consents.restore(item_of("sally@localhost", subscription::both));
  consents.reset({{}, {item_of("zoe@localhost", subscription::to)}});
  EXPECT_FALSE(consents.contains(address("sally@localhost")));
  EXPECT_TRUE(consents.contains(address("zoe@localhost")));
  consents.reset({});
  EXPECT_FALSE(consents.contains(address("zoe@localhost")));
}

// -- stanza_for --------------------------------------------------------------

bool has_otr_tags(const message_stanza& message) {
  return message.encryption_ns == "urn:xmpp:otr:0" &&
         message.encryption_name == "OTR" && message.hints.no_copy &&
         message.hints.no_permanent_store && message.hints.private_copy;
}

TEST(stanza_for, every_line_is_a_chat_message_with_its_ids) {
  const auto to = address("sally@localhost/desk");
  for (const std::string line : {"hello", "?OTRv23?"}) {
    const auto message = stanza_for(line, to, "id-1");
    EXPECT_EQ(message.to, to);
    EXPECT_TRUE(message.from.empty());  // the server's to say
    EXPECT_EQ(message.id, "id-1");
    EXPECT_EQ(message.origin_id, "id-1");
    EXPECT_EQ(message.type, message_type::chat);
    EXPECT_EQ(message.body, line);
  }
}

TEST(stanza_for, an_otr_line_carries_its_tag_and_hints) {
  for (const auto* line : {"?OTRv23?", "?OTR:AAMDx.", "?OTR:AAMCx.",
                           "?OTR Error: no", "?OTR|0|0,1,2,x,"}) {
    const auto message = stanza_for(line, address("sally@localhost"), "id-1");
    EXPECT_TRUE(has_otr_tags(message)) << line;
    // The server may keep it for a contact who is away for a moment.
    EXPECT_FALSE(message.hints.no_store) << line;
  }
}

TEST(stanza_for, a_clear_line_carries_no_tag_and_no_hint) {
  for (const auto* line :
       {"hello", "", " ?OTRv23?", "?otr?", "?OT", "this is ?OTR:AAMDx."}) {
    const auto message = stanza_for(line, address("sally@localhost"), "id-1");
    EXPECT_EQ(message.encryption_ns, "") << line;
    EXPECT_EQ(message.encryption_name, "") << line;
    EXPECT_EQ(message.hints, message_hints{}) << line;
  }
}

TEST(stanza_for, the_tags_are_on_the_wire) {
  const auto to = address("sally@localhost");
  const auto otr = encode(stanza{stanza_for("?OTRv23?", to, "id-1")});
  const auto clear = encode(stanza{stanza_for("hello", to, "id-2")});
  for (const auto* tag : {"urn:xmpp:eme:0", "urn:xmpp:otr:0", "no-copy",
                          "no-permanent-store", "urn:xmpp:carbons:2"}) {
    EXPECT_NE(otr.find(tag), std::string::npos) << tag << " in " << otr;
    EXPECT_EQ(clear.find(tag), std::string::npos) << tag << " in " << clear;
  }
}

// -- answer_to ---------------------------------------------------------------

iq_stanza request_of(iq_type type, iq_payload payload) {
  iq_stanza request;
  request.from = address("sally@localhost/desk");
  request.to = address("terrence@localhost/sotto");
  request.id = "r-1";
  request.type = type;
  request.payload = std::move(payload);
  return request;
}

void expect_refused(const iq_stanza& answer) {
  EXPECT_EQ(answer.type, iq_type::error);
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->type, "cancel");
  EXPECT_EQ(answer.error->condition, "service-unavailable");
  EXPECT_EQ(answer.error->text, "");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(answer.payload));
}

TEST(answer_to, a_ping_is_answered) {
  const auto answer = answer_to(request_of(iq_type::get, ping_query{}));
  EXPECT_EQ(answer.type, iq_type::result);
  EXPECT_FALSE(answer.error);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(answer.payload));
}

TEST(answer_to, a_disco_request_learns_what_is_spoken) {
  const auto answer =
      answer_to(request_of(iq_type::get, info_query{ns::disco_info, "a-node"}));
  EXPECT_EQ(answer.type, iq_type::result);
  const auto* info = std::get_if<disco_info>(&answer.payload);
  ASSERT_NE(info, nullptr);
  EXPECT_EQ(info->node, "a-node");
  for (const std::string feature : {"http://jabber.org/protocol/disco#info",
                                    "urn:xmpp:ping", "urn:xmpp:otr:0"})
    EXPECT_EQ(std::count(info->features.begin(), info->features.end(), feature),
              1)
        << feature;
  // What is not done must not be promised.
  EXPECT_EQ(info->features.size(), 3U);
}

TEST(answer_to, nobody_learns_the_programs_version) {
  expect_refused(
      answer_to(request_of(iq_type::get, info_query{ns::version, {}})));
}

TEST(answer_to, what_is_not_known_is_refused) {
  expect_refused(answer_to(
      request_of(iq_type::get, unknown_payload{"query", "jabber:iq:last"})));
  expect_refused(answer_to(request_of(iq_type::get, std::monostate{})));
}

TEST(answer_to, nothing_may_be_set_and_nobody_reads_the_roster) {
  const auto item = item_of("eve@localhost", subscription::both);
  for (const auto type : {iq_type::get, iq_type::set})
    expect_refused(answer_to(request_of(type, roster_query{{}, {item}})));
  expect_refused(answer_to(request_of(iq_type::set, ping_query{})));
  expect_refused(
      answer_to(request_of(iq_type::set, info_query{ns::disco_info, {}})));
  expect_refused(answer_to(
      request_of(iq_type::set, unknown_payload{"query", "jabber:iq:last"})));
}

TEST(answer_to, an_answer_goes_back_to_who_asked_and_asks_nothing) {
  const std::vector<iq_payload> payloads{
      std::monostate{}, roster_query{},
      ping_query{},     info_query{ns::disco_info, {}},
      disco_info{},     unknown_payload{"a", "b"}};
  for (const auto& payload : payloads)
    for (const auto type : {iq_type::get, iq_type::set}) {
      const auto request = request_of(type, payload);
      const auto answer = answer_to(request);
      EXPECT_EQ(answer.to, request.from);
      EXPECT_TRUE(answer.from.empty());
      EXPECT_EQ(answer.id, request.id);
      EXPECT_TRUE(answer.type == iq_type::result ||
                  answer.type == iq_type::error);
      EXPECT_EQ(answer.type == iq_type::error, answer.error.has_value());
    }
}

TEST(answer_to, the_server_is_answered_without_an_address) {
  auto request = request_of(iq_type::get, ping_query{});
  request.from = {};
  const auto answer = answer_to(request);
  EXPECT_TRUE(answer.to.empty());
  EXPECT_EQ(answer.type, iq_type::result);
}

}  // namespace
}  // namespace sotto
