#include "protocol/stanza_codec.hpp"

#include <gtest/gtest.h>

#include "protocol/namespaces.hpp"
#include "protocol/time_stamp.hpp"
#include "tests/protocol/xml_fixture.hpp"

namespace sotto {
namespace {

using test::parse_xml;
using test::standalone;

const jid own = *jid::parse("terrence@example.org/desk");
const jid sally = *jid::parse("sally@example.org/phone");

wall_time at(const char* stamp) {
  return *parse_time_stamp(stamp, std::chrono::system_clock::now());
}
const wall_time now = at("2024-05-01T12:00:00Z");

decode_context context() { return {own, now, "", {}}; }

result<stanza> decode_xml(const std::string& xml) {
  const auto element = parse_xml(xml);
  EXPECT_TRUE(element) << xml;
  return decode(element.get(), context());
}

/// The stanza after a trip over the wire.
template <class Stanza>
Stanza round_trip(const Stanza& sent) {
  const auto back = decode_xml(standalone(encode(sent)));
  EXPECT_TRUE(back) << encode(sent);
  return std::get<Stanza>(*back);
}

TEST(stanza_codec, writes_a_plain_message) {
  message_stanza message;
  message.to = sally;
  message.id = "7";
  message.body = "a <b> & 'c'";
  EXPECT_EQ(encode(message),
            "<message to='sally@example.org/phone' id='7' type='chat'>"
            "<body>a &lt;b&gt; &amp; &apos;c&apos;</body></message>");
}

TEST(stanza_codec, carries_all_of_a_message) {
  message_stanza sent;
  sent.from = sally;
  sent.to = own;
  sent.id = "i<d>";
  sent.type = message_type::headline;
  sent.body = " two\nlines\r\t ";
  sent.thread = "thread";
  sent.origin_id = "origin";
  sent.encryption_ns = "urn:xmpp:otr:0";
  sent.encryption_name = "OTR";
  sent.hints = {true, true, true, true};
  sent.receipt_request = true;
  sent.receipt_for = "earlier";
  sent.delay = at("2024-01-02T03:04:05.678Z");
  sent.delay_from = "example.org";
  const auto got = round_trip(sent);
  EXPECT_EQ(got.from, sent.from);
  EXPECT_EQ(got.to, sent.to);
  EXPECT_EQ(got.id, sent.id);
  EXPECT_EQ(got.type, sent.type);
  EXPECT_EQ(got.body, sent.body);
  EXPECT_EQ(got.thread, sent.thread);
  EXPECT_EQ(got.origin_id, sent.origin_id);
  EXPECT_EQ(got.encryption_ns, sent.encryption_ns);
  EXPECT_EQ(got.encryption_name, sent.encryption_name);
  EXPECT_EQ(got.hints, sent.hints);
  EXPECT_TRUE(got.receipt_request);
  EXPECT_EQ(got.receipt_for, sent.receipt_for);
  EXPECT_EQ(got.delay, sent.delay);
  EXPECT_EQ(got.delay_from, sent.delay_from);
  EXPECT_FALSE(got.error.has_value());
}

TEST(stanza_codec, tells_an_empty_body_from_none) {
  message_stanza message;
  EXPECT_FALSE(round_trip(message).body.has_value());
  message.body = "";
  EXPECT_EQ(round_trip(message).body, "");
}

TEST(stanza_codec, carries_every_type_of_message_and_presence) {
  for (const auto type :
       {message_type::normal, message_type::chat, message_type::groupchat,
        message_type::headline, message_type::error}) {
    message_stanza message;
    message.type = type;
    EXPECT_EQ(round_trip(message).type, type);
  }
  for (const auto type :
       {presence_type::available, presence_type::unavailable,
        presence_type::subscribe, presence_type::subscribed,
        presence_type::unsubscribe, presence_type::unsubscribed,
        presence_type::probe, presence_type::error}) {
    presence_stanza presence;
    presence.type = type;
    EXPECT_EQ(round_trip(presence).type, type);
  }
}

TEST(stanza_codec, carries_all_of_a_presence) {
  presence_stanza sent;
  sent.from = sally;
  sent.id = "p";
  sent.status = "gone <fishing>";
  for (const auto show :
       {presence_show::none, presence_show::chat, presence_show::away,
        presence_show::xa, presence_show::dnd}) {
    for (const int priority : {-128, -1, 0, 1, 127}) {
      sent.show = show;
      sent.priority = priority;
      const auto got = round_trip(sent);
      EXPECT_EQ(got.from, sally);
      EXPECT_EQ(got.status, sent.status);
      EXPECT_EQ(got.show, show);
      EXPECT_EQ(got.priority, priority);
    }
  }
}

TEST(stanza_codec, carries_a_roster) {
  iq_stanza sent{sally, own, "r", iq_type::result, {}, {}};
  roster_query query{"v1", {}};
  for (const auto state :
       {subscription::none, subscription::to, subscription::from,
        subscription::both, subscription::remove})
    query.items.push_back(
        {*jid::parse("c" + std::to_string(query.items.size()) + "@d"),
         "N<a>me",
         {"One & two", "Three"},
         state,
         state == subscription::none});
  sent.payload = query;
  const auto got = std::get<roster_query>(round_trip(sent).payload);
  EXPECT_EQ(got.version, "v1");
  EXPECT_EQ(got.items, query.items);
}

TEST(stanza_codec, carries_the_small_queries) {
  iq_stanza iq{sally, own, "q", iq_type::get, ping_query{}, {}};
  EXPECT_TRUE(std::holds_alternative<ping_query>(round_trip(iq).payload));
  for (const std::string& known :
       {std::string{ns::version}, std::string{ns::disco_info}}) {
    iq.payload = info_query{known, ""};
    EXPECT_EQ(std::get<info_query>(round_trip(iq).payload).ns, known);
  }
  iq.type = iq_type::result;
  iq.payload = disco_info{"node", {"a", "b<"}};
  const auto info = std::get<disco_info>(round_trip(iq).payload);
  EXPECT_EQ(info.node, "node");
  EXPECT_EQ(info.features, (std::vector<std::string>{"a", "b<"}));
}

TEST(stanza_codec, carries_errors_by_known_conditions_only) {
  iq_stanza iq{sally, own, "e", iq_type::error, {}, {}};
  iq.error = stanza_error{"wait", "resource-constraint", "too <much>"};
  const auto got = round_trip(iq);
  EXPECT_EQ(got.error->type, "wait");
  EXPECT_EQ(got.error->condition, "resource-constraint");
  EXPECT_EQ(got.error->text, "too <much>");
  iq.error->condition = "x/><body/>";
  EXPECT_EQ(round_trip(iq).error->condition, "undefined-condition");
}

TEST(stanza_codec, refuses_what_cannot_be_used) {
  for (const char* xml : {"<message xmlns='jabber:server'/>", "<message/>",
                          "<other xmlns='jabber:client'/>",
                          "<message xmlns='jabber:client' from='@'/>",
                          "<message xmlns='jabber:client' from=''/>",
                          "<message xmlns='jabber:client' to='a@b/'/>",
                          "<presence xmlns='jabber:client' from='a b@c'/>",
                          "<presence xmlns='jabber:client' type='invisible'/>",
                          "<presence xmlns='jabber:client' type=''/>",
                          "<iq xmlns='jabber:client' type='get'/>",
                          "<iq xmlns='jabber:client' type='get' id=''/>",
                          "<iq xmlns='jabber:client' id='1'/>",
                          "<iq xmlns='jabber:client' id='1' type='put'/>"}) {
    const auto got = decode_xml(xml);
    ASSERT_FALSE(got) << xml;
    EXPECT_FALSE(got.failure().message.empty());
  }
}

TEST(stanza_codec, matches_children_by_namespace_and_takes_the_first) {
  const auto got = std::get<message_stanza>(
      *decode_xml("<message xmlns='jabber:client' type='strange'>"
                  "<body xmlns='urn:other'>other</body><x><body>deep</body></x>"
                  "<body>first<i>not</i> half</body><body>second</body>"
                  "<private xmlns='urn:xmpp:hints'/>"
                  "<no-store xmlns='urn:xmpp:carbons:2'/></message>"));
  EXPECT_EQ(got.body, "first half");
  EXPECT_EQ(got.type, message_type::normal);
  EXPECT_EQ(got.hints, message_hints{});
}

TEST(stanza_codec, drops_unusable_roster_items_alone) {
  const auto got = std::get<iq_stanza>(*decode_xml(
      "<iq xmlns='jabber:client' type='result' id='1'>"
      "<query xmlns='jabber:iq:roster'><item/><item jid='@'/>"
      "<item jid='a@b/c' name='first'><group>g</group><group>g</group>"
      "<group/></item><item jid='a@b' name='second'/>"
      "<item jid='x@y' subscription='all'/>"
      "<item jid='z@y' ask='subscribe'/></query></iq>"));
  const auto& items = std::get<roster_query>(got.payload).items;
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].address.str(), "a@b");
  EXPECT_EQ(items[0].name, "first");
  EXPECT_EQ(items[0].groups, std::vector<std::string>{"g"});
  EXPECT_TRUE(items[1].ask_subscribe);
}

TEST(stanza_codec, reads_odd_priorities_as_zero) {
  for (const char* text : {"", "x", "128", "-129", "1x", "99999999999", "+1"})
    EXPECT_EQ(std::get<presence_stanza>(
                  *decode_xml("<presence xmlns='jabber:client'><priority>" +
                              std::string{text} + "</priority></presence>"))
                  .priority,
              0)
        << text;
}

TEST(stanza_codec, names_an_unknown_payload) {
  const auto got = std::get<iq_stanza>(*decode_xml(
      "<iq xmlns='jabber:client' type='get' id='1'><a xmlns='b'/></iq>"));
  const auto& payload = std::get<unknown_payload>(got.payload);
  EXPECT_EQ(payload.name, "a");
  EXPECT_EQ(payload.ns, "b");
}

std::string carbon(const std::string& outer_from, const std::string& kind,
                   const std::string& inner_from) {
  return "<message xmlns='jabber:client' " + outer_from + "><" + kind +
         " xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
         "<message xmlns='jabber:client' from='" +
         inner_from +
         "' type='chat'><body>inner</body></message></forwarded></" + kind +
         "><body>outer</body></message>";
}

TEST(stanza_codec, takes_a_carbon_from_the_own_account_only) {
  const auto got = std::get<message_stanza>(*decode_xml(
      carbon("from='terrence@example.org'", "received", sally.str())));
  EXPECT_TRUE(got.is_carbon);
  EXPECT_EQ(got.from, sally);
  EXPECT_EQ(got.outer_from, own.bare());
  EXPECT_EQ(got.body, "inner");
  for (const char* outer :
       {"", "from='terrence@example.org/desk'", "from='sally@example.org'",
        "from='example.org'", "from='terrence@example.net'"})
    EXPECT_FALSE(decode_xml(carbon(outer, "received", sally.str()))) << outer;
}

TEST(stanza_codec, takes_a_sent_carbon_only_if_we_are_its_sender) {
  EXPECT_TRUE(decode_xml(carbon("from='terrence@example.org'", "sent",
                                "terrence@example.org/other")));
  EXPECT_FALSE(
      decode_xml(carbon("from='terrence@example.org'", "sent", sally.str())));
}

TEST(stanza_codec, does_not_unwrap_twice) {
  std::string xml =
      carbon("from='terrence@example.org'", "received", sally.str());
  const std::string nested =
      carbon("from='terrence@example.org'", "received", "x@y");
  const std::string inner_body = "<body>inner</body>";
  xml.replace(
      xml.find(inner_body), inner_body.size(),
      nested.substr(nested.find("<received"),
                    nested.find("<body>outer") - nested.find("<received")));
  const auto got = std::get<message_stanza>(*decode_xml(xml));
  EXPECT_EQ(got.from, sally);
  EXPECT_FALSE(got.body.has_value());
}

TEST(stanza_codec, takes_an_archive_result_only_for_the_open_query) {
  const auto element = parse_xml(
      "<message xmlns='jabber:client' from='terrence@example.org'>"
      "<result xmlns='urn:xmpp:mam:2' queryid='q' id='1'>"
      "<forwarded xmlns='urn:xmpp:forward:0'>"
      "<delay xmlns='urn:xmpp:delay' stamp='2020-02-03T04:05:06Z'/>"
      "<message xmlns='jabber:client' from='sally@example.org/phone'>"
      "<body>old</body></message></forwarded></result></message>");
  EXPECT_FALSE(decode(element.get(), context()));
  auto asked = context();
  asked.open_archive_query = "other";
  EXPECT_FALSE(decode(element.get(), asked));
  asked.open_archive_query = "q";
  const auto got = decode(element.get(), asked);
  ASSERT_TRUE(got);
  const auto& message = std::get<message_stanza>(*got);
  EXPECT_TRUE(message.is_archived);
  EXPECT_EQ(message.body, "old");
  EXPECT_EQ(message.delay, at("2020-02-03T04:05:06Z"));
  asked.asked_archive = *jid::parse("room@example.org");
  EXPECT_FALSE(decode(element.get(), asked));
}

TEST(time_stamp, is_read_strictly) {
  EXPECT_EQ(format_time_stamp(at("2024-02-29T23:59:59.123456789Z")),
            "2024-02-29T23:59:59.123Z");
  EXPECT_EQ(format_time_stamp(at("2024-01-01T00:30:00.5+01:30")),
            "2023-12-31T23:00:00.500Z");
  EXPECT_EQ(format_time_stamp(at("2024-01-01T00:30:00-00:30")),
            "2024-01-01T01:00:00.000Z");
  for (const char* bad :
       {"", "now", "2024-01-01", "2024-01-01T00:00:00", "2024-1-01T00:00:00Z",
        "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z",
        "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:60Z",
        "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00Zx",
        "2024-01-01T00:00:00+15:00", "2024-01-01T00:00:00+1:00",
        "2024-01-01 00:00:00Z", " 2024-01-01T00:00:00Z", "+024-01-01T00:00:00Z",
        "20240101T00:00:00"})
    EXPECT_FALSE(parse_time_stamp(bad, now).has_value()) << bad;
}

TEST(time_stamp, is_clamped) {
  EXPECT_EQ(parse_time_stamp("0000-01-01T00:00:00Z", now),
            at("2000-01-01T00:00:00Z"));
  EXPECT_EQ(parse_time_stamp("9999-12-31T23:59:59-14:00", now),
            at("2024-05-02T12:00:00Z"));
  EXPECT_EQ(parse_time_stamp("2024-05-02T11:00:00Z", now),
            at("2024-05-02T11:00:00Z"));
}

TEST(stanza_codec, counts_an_unreadable_delay_as_one_of_now) {
  const auto got = std::get<message_stanza>(*decode_xml(
      "<message xmlns='jabber:client'>"
      "<delay xmlns='urn:xmpp:delay' stamp='soon' from='@'/></message>"));
  EXPECT_EQ(got.delay, now);
  EXPECT_EQ(got.delay_from, "");
}

}  // namespace
}  // namespace sotto
