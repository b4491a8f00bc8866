#include "crypto/plain_text.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <random>

namespace sotto {
namespace {

std::string clear(std::string_view text) {
  return plain_text(text, text_origin::clear);
}
std::string otr(std::string_view text) {
  return plain_text(text, text_origin::otr);
}

TEST(plain_text, clear_text_keeps_what_looks_like_html) {
  EXPECT_EQ(clear("<b>x</b> &amp; y"), "<b>x</b> &amp; y");
}

TEST(plain_text, tags_out_of_otr_are_taken_away) {
  EXPECT_EQ(otr("<b>bold</b> and <I>italic</I>"), "bold and italic");
  EXPECT_EQ(otr("<FONT COLOR=\"#ff0000\" face='a > b'>red</FONT>"), "red");
  EXPECT_EQ(otr("<a href=\"https://x.example/\">here</a>"), "here");
  EXPECT_EQ(otr("<html><body>hi</body></html>"), "hi");
  EXPECT_EQ(otr("one<br>two<br/>three<BR />four"), "one\ntwo\nthree\nfour");
  EXPECT_EQ(otr("<p>one</p><p>two</p>"), "one\ntwo");
  EXPECT_EQ(otr("<span style=color:red>x</span>"), "x");
}

TEST(plain_text, entities_out_of_otr_are_decoded_once) {
  EXPECT_EQ(otr("x &lt; y &amp; z &gt; &quot;q&quot; &apos;a&apos;"),
            "x < y & z > \"q\" 'a'");
  EXPECT_EQ(otr("&#65;&#x42;&#X43;&#39;"), "ABC'");
  EXPECT_EQ(otr("&amp;lt;b&amp;gt;"), "&lt;b&gt;");
  EXPECT_EQ(otr("&lt;b&gt;"), "<b>");
}

TEST(otr_payload, gives_back_whatever_was_typed) {
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  const std::vector<std::string> parts{
      "<", ">",    "&",      "b",     "<b>", "</b>",   "<br/>",
      " ", "&lt;", "&#65;",  "&amp;", "\n",  "&nbsp;", "<a href='x'>",
      "ä", ";",    "<html>", "#",     "lt",  "x"};
  int escaped = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (auto left = 1 + random() % 8; left > 0; --left) {
      text += parts[random() % parts.size()];
    }
    const auto payload = otr_payload(text);
    ASSERT_EQ(otr(payload), clear(text)) << text << ", seed " << seed;
    escaped += payload == text ? 0 : 1;
  }
  EXPECT_EQ(otr_payload("1 < 2 & 3 > 2"), "1 < 2 & 3 > 2");
  std::cout << "seed " << seed << ": 20000 texts, " << escaped
            << " of them escaped\n";
}

TEST(plain_text, what_is_no_tag_or_entity_stays) {
  for (const std::string_view text : {"1 < 2 and 3 > 2",
                                      "a<b",
                                      "if a <b and c> d",
                                      "<",
                                      ">",
                                      "<>",
                                      "</>",
                                      "<notatag>",
                                      "<b",
                                      "<a href=\"unclosed>",
                                      "x <- y -> z",
                                      "i<3 you",
                                      "AT&T",
                                      "&",
                                      "&;",
                                      "&unknown;",
                                      "&#;",
                                      "&#x;",
                                      "&#xZZ;",
                                      "a && b",
                                      "<3",
                                      "< b>",
                                      "std::vector<int>",
                                      "&amp"}) {
    EXPECT_EQ(otr(text), text);
    EXPECT_EQ(clear(text), text);
  }
}

TEST(plain_text, controls_become_visible) {
  EXPECT_EQ(clear("a\tb\nc"), "a\tb\nc");
  EXPECT_EQ(clear(std::string_view("\0\x07\x1b[31m\x7f", 8)),
            "<U+0000><U+0007><U+001B>[31m<U+007F>");
  EXPECT_EQ(clear("\xc2\x85\xc2\x9b"), "<U+0085><U+009B>");
}

TEST(plain_text, bidi_and_zero_width_characters_become_visible) {
  EXPECT_EQ(clear("abc\xe2\x80\xae"
                  "def"),
            "abc<U+202E>def");
  EXPECT_EQ(clear("\xe2\x81\xa6x\xe2\x81\xa9"), "<U+2066>x<U+2069>");
  EXPECT_EQ(clear("pay\xe2\x80\x8bpal\xef\xbb\xbf"), "pay<U+200B>pal<U+FEFF>");
  EXPECT_EQ(clear("\xf3\xa0\x81\x81"), "<U+E0041>");
  EXPECT_EQ(otr("&#x202e;&#0;&#8203;"), "<U+202E>\xef\xbf\xbd<U+200B>");
}

TEST(plain_text, ordinary_text_of_any_script_stays) {
  for (const std::string_view text :
       {"gr\xc3\xbc\xc3\x9f dich", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
        "\xe4\xbd\xa0\xe5\xa5\xbd", "\xf0\x9f\x98\x80", "\xc2\xa0"}) {
    EXPECT_EQ(clear(text), text);
    EXPECT_EQ(otr(text), text);
  }
}

TEST(plain_text, line_ends_become_one_kind) {
  EXPECT_EQ(clear("a\r\nb\rc\nd\r"), "a\nb\nc\nd\n");
}

TEST(plain_text, bytes_that_are_no_utf8_are_replaced) {
  EXPECT_EQ(clear("a\xff"
                  "b"),
            "a\xef\xbf\xbd"
            "b");
  // Overlong, surrogate, beyond the last code point, cut short.
  for (const std::string_view bad :
       {"\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\xe2\x82", "\xf0\x9f\x98", "\x80"}) {
    EXPECT_FALSE(is_valid_utf8(bad));
    EXPECT_TRUE(is_valid_utf8(clear(bad)));
    EXPECT_EQ(clear(bad).substr(0, 3), "\xef\xbf\xbd");
  }
}

TEST(plain_text, a_text_of_openings_is_read_in_bounded_time) {
  std::string openings;
  while (openings.size() < 200'000) openings += "<a href=\"<b x='&#";
  EXPECT_FALSE(otr(openings).empty());
}

/// What must never be left: found here by another way than in the code.
bool is_clean(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == 0x7f || (byte < 0x20 && byte != '\n' && byte != '\t')) {
      return false;
    }
    const auto rest = text.substr(i);
    if (byte == 0xc2 && rest.size() > 1 &&
        static_cast<unsigned char>(rest[1]) < 0xa0) {
      return false;
    }
    for (const std::string_view bad :
         {"\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d", "\xe2\x80\x8e",
          "\xe2\x80\x8f", "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac",
          "\xe2\x80\xad", "\xe2\x80\xae", "\xe2\x81\xa0", "\xe2\x81\xa6",
          "\xe2\x81\xa7", "\xe2\x81\xa8", "\xe2\x81\xa9", "\xef\xbb\xbf"}) {
      if (rest.starts_with(bad)) return false;
    }
  }
  return is_valid_utf8(text);
}

TEST(plain_text, random_strings_come_out_clean) {
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  const std::vector<std::string> pieces = {"<b>",
                                           "</b>",
                                           "<br>",
                                           "<a href=\"",
                                           "\">",
                                           "&lt;",
                                           "&#x202e;",
                                           "&#8203;",
                                           "&#",
                                           ";",
                                           "\r",
                                           "\n",
                                           "\xe2\x80\xae",
                                           "\xe2\x80\x8b",
                                           "\xc2\x85",
                                           "\xff",
                                           "\xf0\x9f",
                                           "\xed\xa0\x80",
                                           "x",
                                           " "};
  int tried = 0;
  int unclean = 0;
  for (; tried < 10'000; ++tried) {
    std::string text;
    const auto length = random() % 40;
    for (unsigned i = 0; i < length; ++i) {
      if (random() % 2 == 0) {
        text += pieces[random() % pieces.size()];
      } else {
        text += static_cast<char>(random() % 256);
      }
    }
    for (const auto& shown : {clear(text), otr(text)}) {
      if (!is_clean(shown)) ++unclean;
    }
  }
  std::cout << "seed " << seed << ": " << tried << " strings, " << unclean
            << " unclean\n";
  EXPECT_EQ(unclean, 0);
}

}  // namespace
}  // namespace sotto
