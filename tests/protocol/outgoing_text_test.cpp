#include "protocol/outgoing_text.hpp"

#include <expat.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <vector>

#include "protocol/stanza_codec.hpp"
#include "protocol/utf8.hpp"

namespace sotto {
namespace {

const std::string mark = "\xEF\xBF\xBD";

/// What expat, left alone, makes of a document.
struct document {
  bool well_formed = false;
  std::vector<std::string> elements;
  std::vector<std::string> attributes;  ///< name=value
  std::string text;
};

void on_start(void* data, const XML_Char* name, const XML_Char** attributes) {
  auto& seen = *static_cast<document*>(data);
  seen.elements.emplace_back(name);
  for (; *attributes != nullptr; attributes += 2)
    seen.attributes.push_back(std::string{attributes[0]} + '=' + attributes[1]);
}

void on_text(void* data, const XML_Char* text, int length) {
  static_cast<document*>(data)->text.append(text,
                                            static_cast<std::size_t>(length));
}

document parse(const std::string& xml) {
  struct deleter {
    void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
  };
  const std::unique_ptr<XML_ParserStruct, deleter> parser{
      XML_ParserCreate("UTF-8")};
  document seen;
  XML_SetUserData(parser.get(), &seen);
  XML_SetElementHandler(parser.get(), on_start, nullptr);
  XML_SetCharacterDataHandler(parser.get(), on_text);
  seen.well_formed =
      XML_Parse(parser.get(), xml.data(), static_cast<int>(xml.size()),
                XML_TRUE) == XML_STATUS_OK;
  return seen;
}

/// Bytes with a liking for what is dangerous.
std::string random_bytes(std::mt19937& random) {
  static const std::vector<std::string> pieces{"<",
                                               ">",
                                               "&",
                                               "'",
                                               "\"",
                                               "]]>",
                                               "<body>",
                                               "</body>",
                                               "<!--",
                                               "&#0;",
                                               "&amp;",
                                               "<![CDATA[",
                                               "\x01",
                                               "\x0B",
                                               "\x7F",
                                               "\t",
                                               "\n",
                                               "\r",
                                               "\r\n",
                                               "\xC0\x80",
                                               "\xED\xA0\x80",
                                               "\xEF\xBF\xBE",
                                               "\xEF\xBF\xBF",
                                               "\xFE",
                                               "\xFF",
                                               "\xF4\x90\x80\x80",
                                               "\xE2\x82",
                                               "\xF0\x9F\x98\x80",
                                               "\xC3\xA9",
                                               std::string(1, '\0'),
                                               "text",
                                               " "};
  std::string bytes;
  const auto length = random() % 40;
  for (std::size_t i = 0; i < length; ++i) {
    if (random() % 2 == 0)
      bytes += pieces[random() % pieces.size()];
    else
      bytes += static_cast<char>(random() % 256);
  }
  return bytes;
}

TEST(filter_outgoing, keeps_what_xml_can_carry) {
  for (const std::string text :
       {"", "plain", "tab\tline\nreturn\r", "\x7F", "\xC2\x80",
        "\xED\x9F\xBF\xEE\x80\x80", "\xEF\xBF\xBD", "\xF0\x90\x80\x80",
        "\xF4\x8F\xBF\xBF", "<&>'\""})
    EXPECT_EQ(filter_outgoing(text), text);
}

TEST(filter_outgoing, replaces_what_would_end_the_stream) {
  const struct {
    std::string in;
    std::size_t marks;
  } cases[] = {{std::string(1, '\0'), 1},
               {"\x01", 1},
               {"\x08", 1},
               {"\x0B", 1},
               {"\x0C", 1},
               {"\x0E", 1},
               {"\x1F", 1},
               {"\xEF\xBF\xBE", 1},
               {"\xEF\xBF\xBF", 1},
               {"\xC0\xAF", 2},
               {"\xC1\xBF", 2},
               {"\xE0\x80\xAF", 3},
               {"\xF0\x80\x80\xAF", 4},
               {"\xED\xA0\x80", 3},
               {"\xED\xBF\xBF", 3},
               {"\xF4\x90\x80\x80", 4},
               {"\xF8\x88\x80\x80\x80", 5},
               {"\xFE", 1},
               {"\xFF", 1},
               {"\x80", 1},
               {"\xE2\x82", 2},
               {"\xC3", 1}};
  for (const auto& one : cases) {
    std::string expected;
    for (std::size_t i = 0; i < one.marks; ++i) expected += mark;
    EXPECT_EQ(filter_outgoing(one.in), expected);
    EXPECT_EQ(filter_outgoing("a" + one.in + "b"), "a" + expected + "b");
  }
}

TEST(filter_outgoing, keeps_each_code_point_of_xml_and_no_other) {
  std::size_t kept = 0;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string text;
    utf8_append(text, c);
    // XML 1.0 section 2.2, production 2.
    const bool allowed = c == 0x9 || c == 0xA || c == 0xD ||
                         (c >= 0x20 && c <= 0xD7FF) ||
                         (c >= 0xE000 && c <= 0xFFFD) || c >= 0x10000;
    ASSERT_EQ(filter_outgoing(text), allowed ? text : mark)
        << static_cast<std::uint32_t>(c);
    kept += allowed ? 1U : 0U;
  }
  EXPECT_EQ(kept, 0x110000U - 0x800U - 29U - 2U);
}

TEST(encode, survives_random_bytes_in_every_text) {
  const unsigned seed = 4'711;
  std::mt19937 random{seed};
  const int tried = 3'000;
  int lost = 0;
  int injected = 0;
  for (int i = 0; i < tried; ++i) {
    message_stanza message;
    message.body = random_bytes(random);
    message.id = random_bytes(random);
    const document as_message = parse(encode(message));
    lost += as_message.text != filter_outgoing(*message.body);
    lost += !message.id.empty() && as_message.attributes.front() !=
                                       "id=" + filter_outgoing(message.id);
    injected +=
        as_message.elements != std::vector<std::string>{"message", "body"};
    ASSERT_TRUE(as_message.well_formed);

    iq_stanza iq{{}, {}, "1", iq_type::set, {}, {}};
    const std::string name = random_bytes(random) + "n";
    const std::string group = random_bytes(random);
    iq.payload = roster_query{
        "", {{*jid::parse("a@b"), name, {group}, subscription::none, false}}};
    const document as_iq = parse(encode(iq));
    ASSERT_TRUE(as_iq.well_formed);
    lost += as_iq.text != filter_outgoing(group);
    lost += as_iq.attributes.back() != "name=" + filter_outgoing(name);
    injected += as_iq.elements !=
                std::vector<std::string>{"iq", "query", "item", "group"};
  }
  std::printf("seed %u, stanzas %d, texts changed %d, elements injected %d\n",
              seed, 2 * tried, lost, injected);
  EXPECT_EQ(lost, 0);
  EXPECT_EQ(injected, 0);
}

}  // namespace
}  // namespace sotto
