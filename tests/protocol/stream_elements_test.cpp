#include <gtest/gtest.h>

#include "protocol/stanza_codec.hpp"
#include "tests/protocol/xml_fixture.hpp"

namespace sotto {
namespace {

std::optional<stream_element> decode_xml(const std::string& xml) {
  const auto element = test::parse_xml(xml);
  EXPECT_TRUE(element) << xml;
  return decode_stream_element(element.get());
}

template <class Element>
Element decode_as(const std::string& xml) {
  const auto got = decode_xml(xml);
  EXPECT_TRUE(got && std::holds_alternative<Element>(*got)) << xml;
  return std::get<Element>(got.value());
}

const std::string sasl = " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
const std::string tls = " xmlns='urn:ietf:params:xml:ns:xmpp-tls'";

TEST(stream_elements, reads_features) {
  const auto got = decode_as<stream_features>(
      "<s:features xmlns:s='http://etherx.jabber.org/streams'>"
      "<starttls" +
      tls + "><required/></starttls><mechanisms" + sasl +
      "><mechanism>SCRAM-SHA-1</mechanism><mechanism> PLAIN\n</mechanism>"
      "<mechanism>not a name</mechanism><mechanism/></mechanisms>"
      "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
      "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/>"
      "</session><sm xmlns='urn:xmpp:sm:3'/>"
      "<ver xmlns='urn:xmpp:features:rosterver'/>"
      "<register xmlns='http://jabber.org/features/iq-register'/>"
      "</s:features>");
  EXPECT_TRUE(got.starttls);
  EXPECT_TRUE(got.starttls_required);
  EXPECT_EQ(got.mechanisms, (std::vector<std::string>{"SCRAM-SHA-1", "PLAIN"}));
  EXPECT_TRUE(got.bind && got.session && got.session_optional);
  EXPECT_TRUE(got.stream_management && got.roster_versioning &&
              got.registration);
}

TEST(stream_elements, sees_no_feature_in_another_namespace) {
  const auto got = decode_as<stream_features>(
      "<s:features xmlns:s='http://etherx.jabber.org/streams' xmlns='x'>"
      "<starttls/><mechanisms><mechanism>PLAIN</mechanism></mechanisms>"
      "<bind/><session/><sm/></s:features>");
  EXPECT_FALSE(got.starttls || got.bind || got.session ||
               got.stream_management);
  EXPECT_TRUE(got.mechanisms.empty());
}

TEST(stream_elements, caps_the_mechanisms) {
  std::string many;
  for (int i = 0; i < 1'000; ++i) many += "<mechanism>PLAIN</mechanism>";
  const auto got = decode_as<stream_features>(
      "<s:features xmlns:s='http://etherx.jabber.org/streams'><mechanisms" +
      sasl + ">" + many + "</mechanisms></s:features>");
  EXPECT_EQ(got.mechanisms.size(), 64U);
}

TEST(stream_elements, reads_tls_and_sasl_answers) {
  decode_as<tls_proceed>("<proceed" + tls + "/>");
  decode_as<tls_failure>("<failure" + tls + "/>");
  EXPECT_EQ(
      decode_as<sasl_challenge>("<challenge" + sasl + "> YQ== </challenge>")
          .text,
      "YQ==");
  EXPECT_EQ(decode_as<sasl_success>("<success" + sasl + "/>").text, "");
  const auto failure = decode_as<sasl_failure>(
      "<failure" + sasl + "><text>No.</text><not-authorized/></failure>");
  EXPECT_EQ(failure.condition, "not-authorized");
  EXPECT_EQ(failure.text, "No.");
}

TEST(stream_elements, tells_the_two_failures_apart_by_namespace) {
  EXPECT_FALSE(decode_xml("<failure xmlns='x'/>").has_value());
  EXPECT_FALSE(decode_xml("<proceed" + sasl + "/>").has_value());
  EXPECT_FALSE(decode_xml("<success" + tls + "/>").has_value());
  EXPECT_FALSE(decode_xml("<message xmlns='jabber:client'/>").has_value());
}

TEST(stream_elements, reads_stream_errors) {
  const auto got = decode_as<stream_error>(
      "<s:error xmlns:s='http://etherx.jabber.org/streams'>"
      "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
      "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Replaced</text>"
      "</s:error>");
  EXPECT_EQ(got.condition, "conflict");
  EXPECT_EQ(got.text, "Replaced");
}

TEST(stream_elements, reads_answers_of_the_login) {
  const auto bound = decode_as<login_answer>(
      "<iq xmlns='jabber:client' type='result' id='b'>"
      "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
      "<jid>a@b/c</jid></bind></iq>");
  EXPECT_EQ(bound.id, "b");
  EXPECT_EQ(bound.bound, "a@b/c");
  EXPECT_FALSE(bound.is_error);
  const auto refused = decode_as<login_answer>(
      "<iq xmlns='jabber:client' type='error' id='b'><error type='cancel'>"
      "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
  EXPECT_TRUE(refused.is_error);
  EXPECT_EQ(refused.condition, "conflict");
  for (const char* no_answer : {"<iq xmlns='jabber:client' type='get' id='b'/>",
                                "<iq xmlns='jabber:client' type='result'/>",
                                "<iq xmlns='jabber:client' id='b'/>"})
    EXPECT_FALSE(decode_xml(no_answer).has_value());
}

TEST(stream_elements, writes_what_the_login_sends) {
  EXPECT_EQ(encode_starttls(), "<starttls" + tls + "/>");
  EXPECT_EQ(encode_sasl_auth("PLAIN", std::nullopt),
            "<auth" + sasl + " mechanism='PLAIN'/>");
  EXPECT_EQ(encode_sasl_auth("X", ""),
            "<auth" + sasl + " mechanism='X'>=</auth>");
  EXPECT_EQ(encode_sasl_response("YQ=="),
            "<response" + sasl + ">YQ==</response>");
  EXPECT_EQ(encode_sasl_response(""), "<response" + sasl + "/>");
  EXPECT_EQ(encode_sasl_abort(), "<abort" + sasl + "/>");
  EXPECT_EQ(encode_bind("1", "a<"),
            "<iq type='set' id='1'>"
            "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
            "<resource>a&lt;</resource></bind></iq>");
  EXPECT_EQ(encode_bind("1", ""),
            "<iq type='set' id='1'>"
            "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
  EXPECT_EQ(encode_session("2"),
            "<iq type='set' id='2'>"
            "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>");
  EXPECT_EQ(encode_ping("3"),
            "<iq id='3' type='get'><ping xmlns='urn:xmpp:ping'/></iq>");
}

}  // namespace
}  // namespace sotto
