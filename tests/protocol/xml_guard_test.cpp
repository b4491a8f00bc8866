#include "protocol/xml_guard.hpp"

#include <expat.h>
#include <gtest/gtest.h>
#include <strophe.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/strophe_library.hpp"
#include "tests/support/link_recorder.hpp"

namespace sotto {
namespace {

struct stanza_release {
  void operator()(xmpp_stanza_t* stanza) const { xmpp_stanza_release(stanza); }
};
using stanza_ptr = std::unique_ptr<xmpp_stanza_t, stanza_release>;

// libstrophe's own parser, guarded for the length of a test.
class xml_guard_test : public testing::Test {
 protected:
  static void SetUpTestSuite() { test::start_network(); }

  stanza_ptr parse(const std::string& xml) {
    guard_.reset();  // one at a time on a thread
    guard_ = std::make_unique<xml_guard>();
    return stanza_ptr(xmpp_stanza_new_from_string(context_.get(), xml.c_str()));
  }
  const std::string& violation() const { return guard_->violation(); }

  strophe_context context_ = make_strophe_context();
  std::unique_ptr<xml_guard> guard_;
};

std::string text(const char* value) { return value == nullptr ? "" : value; }

std::string repeated(std::string_view piece, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += piece;
  return all;
}

bool any_attribute_says(xmpp_stanza_t* element, std::string_view needle) {
  std::vector<const char*> values(256);
  const int count = xmpp_stanza_get_attributes(element, values.data(),
                                               static_cast<int>(values.size()));
  for (int i = 1; i < count; i += 2) {
    if (text(values[static_cast<std::size_t>(i)]).find(needle) !=
        std::string::npos) {
      return true;
    }
  }
  for (auto* child = xmpp_stanza_get_children(element); child != nullptr;
       child = xmpp_stanza_get_next(child)) {
    if (xmpp_stanza_is_tag(child) != 0 && any_attribute_says(child, needle)) {
      return true;
    }
  }
  return false;
}

TEST_F(xml_guard_test, without_it_a_forged_sender_passes) {
  EXPECT_TRUE(forged_sender_passes(context_.get()));
  const xml_guard guard;
  EXPECT_FALSE(forged_sender_passes(context_.get()));
}

TEST_F(xml_guard_test, the_self_check_accepts_this_executable) {
  const auto checked = xml_guard_self_check(context_.get());
  EXPECT_TRUE(checked);
}

TEST_F(xml_guard_test, ordinary_stanzas_come_through_unchanged) {
  const auto stanza = parse(
      "<message xmlns='jabber:client' from='sally@chat.example/x' id='1' "
      "xml:lang='de'><body>a &lt; b\nc</body><x xmlns='urn:x' n='1'/>"
      "</message>");
  ASSERT_NE(stanza, nullptr);
  EXPECT_EQ(violation(), "");
  EXPECT_EQ(text(xmpp_stanza_get_from(stanza.get())), "sally@chat.example/x");
  EXPECT_EQ(text(xmpp_stanza_get_attribute(stanza.get(), "lang")), "de");
  auto* const body = xmpp_stanza_get_child_by_name(stanza.get(), "body");
  char* const words = xmpp_stanza_get_text(body);
  EXPECT_EQ(text(words), "a < b\nc");
  xmpp_free(context_.get(), words);
  EXPECT_NE(xmpp_stanza_get_child_by_ns(stanza.get(), "urn:x"), nullptr);
}

TEST_F(xml_guard_test, other_parsers_of_the_process_are_left_alone) {
  XML_Parser parser = XML_ParserCreate(nullptr);
  int elements = 0;
  XML_SetUserData(parser, &elements);
  XML_SetElementHandler(
      parser,
      [](void* n, const char*, const char**) { ++*static_cast<int*>(n); },
      [](void*, const char*) {});
  const std::string xml = "<!DOCTYPE a><!-- fine --><a>" +
                          repeated("<b>", 200) + repeated("</b>", 200) + "</a>";
  {
    const xml_guard guard;  // not there when the handlers were set
    EXPECT_EQ(XML_Parse(parser, xml.data(), static_cast<int>(xml.size()), 1),
              XML_STATUS_OK);
    EXPECT_EQ(guard.violation(), "");
  }
  EXPECT_EQ(elements, 201);
  XML_ParserFree(parser);
}

TEST_F(xml_guard_test, stops_every_input_that_hurts_libstrophe) {
  struct input {
    const char* name;
    std::string xml;
  };
  const std::vector<input> inputs{
      {"nesting of 65", repeated("<a>", 64) + repeated("</a>", 64)},
      {"nesting of 36,000", repeated("<a>", 36'000) + repeated("</a>", 36'000)},
      {"4,097 elements", "<m>" + repeated("<a/>", 4'096) + "</m>"},
      {"60,000 children", "<m>" + repeated("<a/>", 60'000) + "</m>"},
      {"4,095 elements and as many texts",
       "<m>" + repeated("<a/>t", 4'095) + "</m>"},
      {"65 attributes",
       [] {
         std::string xml = "<m";
         for (int i = 0; i < 65; ++i) {
           xml += " a" + std::to_string(i) + "=''";
         }
         return xml + "/>";
       }()},
      {"an attribute of 8 MB", "<m a='" + std::string(8'000'000, 'x') + "'/>"},
      {"a text of 8 MB", "<m>" + std::string(8'000'000, 'x') + "</m>"},
      {"a stanza of 256 KiB + 1",
       "<m>" + std::string(256 * 1024 - 6, 'x') + "</m>"},
      {"a document type", "<!DOCTYPE m [<!ENTITY e 'x'>]><m>&e;</m>"},
      {"a comment", "<m><!-- hidden --></m>"},
      {"a processing instruction", "<m><?php x ?></m>"},
      {"text between stanzas", "text"},
      {"an unknown entity", "<m>&e;</m>"},
      {"a broken tag", "<m></n>"},
      {"a control character", "<m>\x01</m>"},
      {"overlong UTF-8", "<m>\xC0\x80</m>"},
      {"U+FFFE", "<m>\xEF\xBF\xBE</m>"},
      {"an undeclared prefix", "<x:m/>"},
  };
  std::size_t stopped = 0;
  for (const input& each : inputs) {
    const auto stanza = parse(each.xml);
    EXPECT_NE(violation(), "") << each.name;
    EXPECT_EQ(stanza, nullptr) << each.name;
    stopped += violation().empty() ? 0U : 1U;
  }
  std::printf("hostile inputs: %zu tried, %zu stopped\n", inputs.size(),
              stopped);
}

TEST_F(xml_guard_test, accepts_what_lies_within_the_limits) {
  std::string attributes = "<m";
  for (int i = 0; i < 64; ++i) attributes += " a" + std::to_string(i) + "=''";
  for (const std::string& xml :
       {repeated("<a>", 63) + repeated("</a>", 63),
        "<m>" + repeated("<a/>", 4'095) + "</m>", attributes + "/>",
        "<m>" + std::string(256 * 1024 - 7, 'x') + "</m>"}) {
    EXPECT_NE(parse(xml), nullptr) << xml.substr(0, 40);
    EXPECT_EQ(violation(), "");
  }
}

std::string iq(const std::string& type, std::size_t rows) {
  return "<iq xmlns='jabber:client' type='" + type + "' id='1'><query>" +
         repeated("<item jid='somebody@example.org'><group>a</group></item>",
                  rows) +
         "</query></iq>";
}

TEST_F(xml_guard_test, only_an_answer_may_hold_a_large_roster) {
  EXPECT_NE(parse(iq("result", 15'000)), nullptr);
  EXPECT_EQ(violation(), "");
  for (const std::string& xml :
       {iq("set", 3'000), iq("get", 3'000), iq("result", 21'000),
        "<message xmlns='jabber:client' type='result'>" +
            repeated("<a/>", 4'096) + "</message>",
        "<iq xmlns='urn:other' type='result'>" + repeated("<a/>", 4'096) +
            "</iq>",
        "<iq xmlns='jabber:client' type='result'>" + repeated("x", 8'400'000) +
            "</iq>"}) {
    EXPECT_EQ(parse(xml), nullptr) << xml.substr(0, 60);
    EXPECT_NE(violation(), "");
  }
}

// A document type stands before the root, where libstrophe's own parser never
// gets in these tests; expat with the guard's handlers does.
TEST_F(xml_guard_test, a_document_type_before_the_stream_is_stopped) {
  const xml_guard guard;
  XML_Parser parser = XML_ParserCreateNS(nullptr, '\x1F');
  XML_SetElementHandler(
      parser, [](void*, const char*, const char**) {},
      [](void*, const char*) {});
  constexpr std::string_view xml = "<!DOCTYPE s [<!ENTITY a 'b'>]><s>";
  EXPECT_EQ(XML_Parse(parser, xml.data(), static_cast<int>(xml.size()), 0),
            XML_STATUS_ERROR);
  EXPECT_EQ(guard.violation(), "sent a document type declaration");
  XML_ParserFree(parser);
}

TEST_F(xml_guard_test, a_declared_encoding_does_not_count) {
  const xml_guard guard;
  XML_Parser parser = XML_ParserCreateNS(nullptr, '\x1F');
  static std::string seen;
  seen.clear();
  XML_SetElementHandler(
      parser, [](void*, const char*, const char**) {},
      [](void*, const char*) {});
  XML_SetCharacterDataHandler(parser, [](void*, const char* s, int n) {
    seen.append(s, static_cast<std::size_t>(n));
  });
  constexpr std::string_view xml =
      "<?xml version='1.0' encoding='ISO-8859-1'?><s><b>\xC3\xA4</b>";
  EXPECT_EQ(XML_Parse(parser, xml.data(), static_cast<int>(xml.size()), 0),
            XML_STATUS_OK);
  EXPECT_EQ(seen, "\xC3\xA4");
  XML_ParserFree(parser);
}

TEST_F(xml_guard_test, a_stream_may_go_on_for_ever) {
  const xml_guard guard;
  XML_Parser parser = XML_ParserCreateNS(nullptr, '\x1F');
  XML_SetElementHandler(
      parser, [](void*, const char*, const char**) {},
      [](void*, const char*) {});
  XML_SetCharacterDataHandler(parser, [](void*, const char*, int) {});
  const auto feed = [&](std::string_view xml) {
    return XML_Parse(parser, xml.data(), static_cast<int>(xml.size()), 0);
  };
  ASSERT_EQ(feed("<s>"), XML_STATUS_OK);
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_EQ(feed("<message><body>still here</body></message>"), XML_STATUS_OK)
        << guard.violation();
    ASSERT_EQ(feed(" \n"), XML_STATUS_OK) << guard.violation();
  }
  for (int i = 0; i < 400'000; ++i) {
    ASSERT_EQ(feed(" "), XML_STATUS_OK) << guard.violation();
  }
  EXPECT_GT(guard.bytes_parsed(), 1'000'000U);
  XML_ParserFree(parser);
}

// One stanza with attributes in namespaces, and the sender that it really
// has. `forged` stands in every attribute that must not arrive.
struct forgery {
  std::string xml;
  std::string from;
};

forgery make_forgery(std::mt19937& random) {
  const auto pick = [&](std::initializer_list<const char*> from) {
    return std::string(*(from.begin() + random() % from.size()));
  };
  const auto attribute = [&] {
    const std::string prefix = pick({"f", "xml", "stream", "ns1"});
    return " " + prefix + ":" +
           pick({"from", "to", "id", "type", "by", "stamp", "base", "jid"}) +
           "='forged@chat.example/" + std::to_string(random() % 10) + "'";
  };
  // No attribute may come twice on an element, or it is not XML.
  const auto attributes = [&] {
    std::string text;
    for (std::size_t n = random() % 4; n > 0; --n) {
      const std::string next = attribute();
      const std::string name = next.substr(0, next.find('='));
      if (text.find(name + "=") == std::string::npos) text += next;
    }
    return text;
  };
  forgery made;
  const bool has_from = random() % 2 == 0;
  if (has_from) made.from = "sally@chat.example/x";
  const std::string real =
      has_from ? " from='" + made.from + "'" : std::string();
  const bool before = random() % 2 == 0;
  const std::string forged = attribute() + "";
  const std::string name = pick({"message", "presence", "iq"});
  made.xml = "<" + name +
             " xmlns='jabber:client' xmlns:f='urn:f' xmlns:ns1='jabber:client'"
             " xmlns:stream='http://etherx.jabber.org/streams'" +
             (before ? forged + real : real + forged) +
             "><delay xmlns='urn:xmpp:delay'" + attributes() +
             "/><forwarded xmlns='urn:xmpp:forward:0'><message" + attributes() +
             "><body" + attributes() + ">x</body></message></forwarded></" +
             name + ">";
  return made;
}

TEST_F(xml_guard_test, no_forged_sender_of_ten_thousand_comes_through) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  constexpr int tries = 10'000;
  int parsed = 0;
  int forged = 0;
  for (int i = 0; i < tries; ++i) {
    const forgery each = make_forgery(random);
    const auto stanza = parse(each.xml);
    if (stanza == nullptr) continue;
    ++parsed;
    const bool wrong = text(xmpp_stanza_get_from(stanza.get())) != each.from ||
                       any_attribute_says(stanza.get(), "forged");
    forged += wrong ? 1 : 0;
  }
  std::printf("seed %u: %d stanzas, %d parsed, %d forged senders\n", seed,
              tries, parsed, forged);
  EXPECT_EQ(forged, 0);
  EXPECT_EQ(parsed, tries);
}

// What takes libstrophe longest within the limits; a figure, not a verdict.
TEST_F(xml_guard_test, large_stanzas_are_parsed_in_little_time) {
  const std::size_t room = xml_limits::stanza_bytes - 100;
  const auto filled = [room](std::string_view piece) {
    return "<m>" + repeated(piece, room / piece.size()) + "</m>";
  };
  const std::vector<std::pair<const char*, std::string>> inputs{
      {"one text", filled("x")},
      {"line breaks", filled("\n")},
      {"entities", filled("&lt;")},
      {"4,095 elements", "<m>" + repeated("<a/>", 4'095) + "</m>"},
      {"elements and texts", "<m>" + repeated("<a/>t", 2'000) + "</m>"},
      {"a roster of 2,000",
       "<m>" +
           repeated("<i jid='someone@chat.example'><g>Friends</g></i>", 2'000) +
           "</m>"},
      {"4,095 elements, long names",
       "<m>" +
           repeated("<aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd b='c'/>",
                    4'095) +
           "</m>"},
      {"one attribute", "<m a='" + std::string(room, 'x') + "'/>"},
      {"63 deep, much text", repeated("<a>", 62) +
                                 std::string(room - 500, 'x') +
                                 repeated("</a>", 62)},
  };
  for (const auto& [name, xml] : inputs) {
    const auto begin = std::chrono::steady_clock::now();
    const auto stanza = parse(xml);
    const std::chrono::duration<double, std::milli> took =
        std::chrono::steady_clock::now() - begin;
    std::printf("%-28s %7zu bytes: %6.1f ms\n", name, xml.size(), took.count());
    EXPECT_NE(stanza, nullptr) << name << ": " << violation();
  }
}

// The `from` of every stanza as expat has it, namespaces and all: what the
// guarded libstrophe must not differ from.
std::vector<std::string> real_senders(const std::string& xml) {
  struct state {
    int depth = 0;
    std::vector<std::string> senders;
  } seen;
  const std::string stream = "<stream>" + xml + "</stream>";
  XML_Parser parser = XML_ParserCreateNS("UTF-8", '\x1F');
  XML_SetUserData(parser, &seen);
  XML_SetStartElementHandler(
      parser, [](void* user, const char*, const char** attributes) {
        auto& current = *static_cast<state*>(user);
        if (++current.depth != 2) return;
        std::string& from = current.senders.emplace_back();
        for (; *attributes != nullptr; attributes += 2) {
          if (std::string_view(*attributes) == "from") from = attributes[1];
        }
      });
  XML_SetEndElementHandler(parser, [](void* user, const char*) {
    --static_cast<state*>(user)->depth;
  });
  XML_Parse(parser, stream.data(), static_cast<int>(stream.size()), 1);
  XML_ParserFree(parser);
  return seen.senders;
}

TEST_F(xml_guard_test, fuzzed_streams_neither_crash_nor_forge) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  constexpr int tries = 30'000;
  constexpr std::string_view spice[]{
      "<",         ">",    "/>",           "</",       "&#1;",
      "&lt;",      "'",    "\"",           "xmlns:",   "f:from=",
      "<![CDATA[", "]]>",  "<!DOCTYPE a>", "<?x?>",    "\xFF",
      "\xC0",      "\x1F", "</stream>",    "<stream>", "<a>",
      "</a>"};
  int parsed = 0;
  int stopped = 0;
  int forged = 0;
  for (int i = 0; i < tries; ++i) {
    forgery each = make_forgery(random);
    for (std::size_t n = 1 + random() % 4; n > 0; --n) {
      const std::size_t at = random() % each.xml.size();
      const std::string_view extra = spice[random() % std::size(spice)];
      switch (random() % 3) {
        case 0:
          each.xml.insert(at, extra);
          break;
        case 1:
          each.xml.erase(at, 1 + random() % 20);
          break;
        default:
          each.xml[at] = static_cast<char>(1 + random() % 255);
      }
      if (each.xml.empty()) each.xml = "<a/>";
    }
    const auto stanza = parse(each.xml);
    parsed += stanza != nullptr ? 1 : 0;
    stopped += violation().empty() ? 0 : 1;
    if (stanza != nullptr) {
      const auto real = real_senders(each.xml);
      const std::string from = text(xmpp_stanza_get_from(stanza.get()));
      forged += real.empty() || real.front() != from ? 1 : 0;
    }
  }
  std::printf("seed %u: %d streams, %d parsed, %d stopped, %d forged\n", seed,
              tries, parsed, stopped, forged);
  EXPECT_EQ(forged, 0);
  EXPECT_GT(stopped, tries / 2);
}

}  // namespace
}  // namespace sotto
