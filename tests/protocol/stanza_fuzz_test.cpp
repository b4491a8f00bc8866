#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "protocol/stanza_codec.hpp"
#include "protocol/time_stamp.hpp"
#include "tests/protocol/xml_fixture.hpp"

namespace sotto {
namespace {

const std::vector<std::string>& seeds() {
  // NOLINTBEGIN(bugprone-suspicious-missing-comma): literals of many lines
  static const std::vector<std::string> all{
      "<message xmlns='jabber:client' from='a@b/c' to='d@e' type='chat' "
      "id='1'><body>hello</body><thread>t</thread>"
      "<delay xmlns='urn:xmpp:delay' stamp='2024-01-01T00:00:00.5Z' "
      "from='e'/><no-store xmlns='urn:xmpp:hints'/>"
      "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:otr:0'/>"
      "<origin-id xmlns='urn:xmpp:sid:0' id='o'/></message>",
      "<message xmlns='jabber:client' from='own@e'><sent "
      "xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
      "<message xmlns='jabber:client' from='own@e/r'><body>x</body>"
      "</message></forwarded></sent></message>",
      "<message xmlns='jabber:client' from='own@e'><result "
      "xmlns='urn:xmpp:mam:2' queryid='q'><forwarded "
      "xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' "
      "from='a@b/c'><body>x</body></message></forwarded></result></message>",
      "<presence xmlns='jabber:client' from='a@b/c' type='subscribe'>"
      "<show>away</show><status>s</status><priority>-5</priority></presence>",
      "<iq xmlns='jabber:client' type='set' id='1'><query "
      "xmlns='jabber:iq:roster' ver='3'><item jid='a@b' name='n' "
      "subscription='both' ask='subscribe'><group>g</group></item></query>"
      "</iq>",
      "<iq xmlns='jabber:client' type='error' id='1' from='e'><error "
      "type='cancel'><item-not-found "
      "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
      "<iq xmlns='jabber:client' type='result' id='1'><bind "
      "xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@b/c</jid></bind>"
      "</iq>",
      "<s:features xmlns:s='http://etherx.jabber.org/streams'><mechanisms "
      "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN"
      "</mechanism></mechanisms></s:features>",
      "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><text>t</text>"
      "<not-authorized/></failure>"};
  // NOLINTEND(bugprone-suspicious-missing-comma)
  return all;
}

/// Changes that mostly stay well-formed: pieces of one stanza end up in
/// another, names and values change, bytes flip.
std::string mutate(std::string xml, std::mt19937& random) {
  static const std::vector<std::string> pieces{"",
                                               "'",
                                               "/",
                                               "@",
                                               " ",
                                               "&amp;",
                                               "&#xFFFD;",
                                               "<x/>",
                                               "<body/>",
                                               "<a>b</a>",
                                               "message",
                                               "from",
                                               "xmlns",
                                               "jabber:client",
                                               "type=''",
                                               "99999999999999999999",
                                               "-",
                                               ":",
                                               "\xC3\xA9",
                                               "\xED\xA0\x80",
                                               "\x80",
                                               "\xF0\x9F\x98\x80",
                                               "urn:xmpp:delay",
                                               "id='x'",
                                               "T",
                                               "Z"};
  const auto changes = 1 + random() % 4;
  for (std::size_t i = 0; i < changes && !xml.empty(); ++i) {
    const auto at = random() % xml.size();
    const auto length = random() % 12;
    const std::string& other = seeds()[random() % seeds().size()];
    switch (random() % 5) {
      case 0:
        xml.replace(at, length, pieces[random() % pieces.size()]);
        break;
      case 1:
        xml.insert(at, pieces[random() % pieces.size()]);
        break;
      case 2:
        xml[at] = static_cast<char>(1 + random() % 255);
        break;
      case 3:
        xml.insert(at, other.substr(random() % other.size(), random() % 80));
        break;
      default: {
        // A whole stanza within another one.
        const auto end = xml.find('>', at);
        if (end != std::string::npos) xml.insert(end + 1, other);
        break;
      }
    }
  }
  return xml;
}

/// What must hold of whatever was accepted.
void expect_sound(const stanza& got, const decode_context& context) {
  if (const auto* message = std::get_if<message_stanza>(&got)) {
    const bool wrapped = message->is_carbon || message->is_archived;
    EXPECT_EQ(message->outer_from, wrapped ? context.own.bare() : jid{});
    if (message->delay) {
      EXPECT_GE(*message->delay, context.now - std::chrono::years{100});
      EXPECT_LE(*message->delay, context.now + std::chrono::days{1});
    }
  }
  if (const auto* iq = std::get_if<iq_stanza>(&got)) {
    EXPECT_FALSE(iq->id.empty());
  }
  if (const auto* presence = std::get_if<presence_stanza>(&got)) {
    EXPECT_LE(presence->priority, 127);
    EXPECT_GE(presence->priority, -128);
  }
  EXPECT_TRUE(test::parse_xml(test::standalone(encode(got))));
}

TEST(stanza_fuzz, decodes_mutated_stanzas_soundly) {
  const unsigned seed = 6'120;
  std::mt19937 random{seed};
  const decode_context context{
      *jid::parse("own@e/r"), std::chrono::system_clock::now(), "q", {}};
  const int wanted = 20'000;
  int tried = 0;
  int well_formed = 0;
  int accepted = 0;
  int stream_level = 0;
  for (; well_formed < wanted; ++tried) {
    const std::string xml = mutate(seeds()[random() % seeds().size()], random);
    const auto element = test::parse_xml(xml);
    if (!element) continue;
    ++well_formed;
    stream_level += decode_stream_element(element.get()).has_value();
    const auto got = decode(element.get(), context);
    if (!got) continue;
    ++accepted;
    expect_sound(*got, context);
  }
  std::printf(
      "seed %u, stanzas %d, well-formed %d, accepted %d, stream level %d\n",
      seed, tried, well_formed, accepted, stream_level);
  EXPECT_GT(accepted, wanted / 4);
  EXPECT_LT(accepted, wanted);
}

}  // namespace
}  // namespace sotto
