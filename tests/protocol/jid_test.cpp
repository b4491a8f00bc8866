#include "protocol/jid.hpp"

#include <gtest/gtest.h>
#include <stringprep.h>

#include <array>
#include <cstdio>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "protocol/utf8.hpp"

namespace sotto {
namespace {

/// Vectors checked so far by the tests that run in this process.
std::size_t accepted = 0;
std::size_t refused = 0;

std::string times(std::size_t n, const std::string& text) {
  std::string all;
  for (std::size_t i = 0; i < n; ++i) all += text;
  return all;
}

void expect_parts(const std::string& text, const std::string& local,
                  const std::string& domain, const std::string& resource) {
  const auto got = jid::parse(text);
  ASSERT_TRUE(got) << text;
  EXPECT_EQ(got->local(), local) << text;
  EXPECT_EQ(got->domain(), domain) << text;
  EXPECT_EQ(got->resource(), resource) << text;
  const auto again = jid::parse(got->str());
  ASSERT_TRUE(again) << text;
  EXPECT_EQ(*again, *got) << text;
  ++accepted;
}

void expect_refused(const std::string& text) {
  const auto got = jid::parse(text);
  EXPECT_FALSE(got) << text;
  if (got) return;
  EXPECT_FALSE(got.failure().message.empty());
  ++refused;
}

void print_so_far(const char* name) {
  std::printf("%s: %zu accepted, %zu refused so far\n", name, accepted,
              refused);
}

TEST(jid, accepts_the_examples_of_rfc_7622) {
  expect_parts("juliet@example.com", "juliet", "example.com", "");
  expect_parts("juliet@example.com/foo", "juliet", "example.com", "foo");
  expect_parts("juliet@example.com/foo bar", "juliet", "example.com",
               "foo bar");
  expect_parts("juliet@example.com/foo@bar", "juliet", "example.com",
               "foo@bar");
  expect_parts("foo\\20bar@example.com", "foo\\20bar", "example.com", "");
  expect_parts("fussball@example.com", "fussball", "example.com", "");
  // nodeprep folds what PRECIS keeps apart.
  expect_parts("fu\u00DFball@example.com", "fussball", "example.com", "");
  expect_parts("\u03C0@example.com", "\u03C0", "example.com", "");
  expect_parts("\u03A3@example.com/foo", "\u03C3", "example.com", "foo");
  expect_parts("\u03C3@example.com/foo", "\u03C3", "example.com", "foo");
  expect_parts("\u03C2@example.com/foo", "\u03C3", "example.com", "foo");
  expect_parts("king@example.com/\u265A", "king", "example.com", "\u265A");
  expect_parts("example.com", "", "example.com", "");
  expect_parts("example.com/foobar", "", "example.com", "foobar");
  expect_parts("a.example.com/b@example.net", "", "a.example.com",
               "b@example.net");
}

TEST(jid, refuses_the_bad_examples_of_rfc_7622) {
  for (const char* text :
       {"\"juliet\"@example.com", "foo bar@example.com", "juliet@example.com/",
        "@example.com/", "juliet@", "/foobar"})
    expect_refused(text);
  // PRECIS refuses these two; stringprep, as servers use it, maps the first
  // and allows the second.
  expect_parts("henry\u2163@example.com", "henryiv", "example.com", "");
  expect_parts("\u265A@example.com", "\u265A", "example.com", "");
}

TEST(jid, splits_at_the_first_slash_and_the_first_at_before_it) {
  expect_parts("a@b/c/d", "a", "b", "c/d");
  expect_parts("a@b/c@d/e", "a", "b", "c@d/e");
  expect_parts("b/@", "", "b", "@");
  expect_parts("b//", "", "b", "/");
  for (const char* text : {"", "@", "/", "@/", "a@/c", "@b", "@b/c", "b/",
                           "a@b/", "a@b@c", "a@b@c/d", "@@b", "a@@b"})
    expect_refused(text);
}

TEST(jid, prepares_what_it_keeps) {
  expect_parts("Terrence@Example.ORG/Desk", "terrence", "example.org", "Desk");
  expect_parts("\u00C9ric@example.org", "\u00E9ric", "example.org", "");
  expect_parts("e\u0301ric@example.org/e\u0301", "\u00E9ric", "example.org",
               "\u00E9");
  expect_parts("a\u00ADb@example.org/a\u00ADb", "ab", "example.org", "ab");
  expect_parts("a\u200Bb@example.org", "ab", "example.org", "");
  expect_parts("\uFF21@\uFF22.org", "a", "b.org", "");
  expect_parts("a@b/ x ", "a", "b", " x ");
  expect_parts("a@b/\U0001F600", "a", "b", "\U0001F600");
  EXPECT_EQ(*jid::parse("SALLY@EXAMPLE.ORG/x"),
            *jid::parse("sally@example.org./x"));
}

TEST(jid, refuses_what_stringprep_forbids) {
  for (const char* text :
       {"a\u00A0b@c",       "a b@c",      "a\u2028b@c",     "a\uFFFD@c",
        "a\uE000@c",        "a\u202Eb@c", "a@b/\u202E",     "a@b/\uE000",
        "a@b/\u00A0\u2028", "\u0627a@c",  "\u0627\u0031@c", "a@b/\x01",
        "a@b/\x7F",         "a\tb@c",     "a\nb@c",         "a@b/\n",
        "a@b\u2028c",       "\u00AD@c",   "a@b/\u00AD",     "a@\u00AD",
        "\uFF20@c",         "a\uFF0Fb@c"})
    expect_refused(text);
  // Composed before anything is forbidden.
  expect_parts("a\u0340@c", "\u00E0", "c", "");
  expect_parts("a@b/\u00A0", "a", "b", " ");
}

TEST(jid, refuses_bytes_that_are_no_utf_8) {
  for (const std::string bad :
       {"\x80", "\xC3", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80",
        "\xF4\x90\x80\x80", "\xFE", "\xFF", "\xE2\x82"}) {
    expect_refused("a" + bad + "@b");
    expect_refused("a@b" + bad);
    expect_refused("a@b/c" + bad);
  }
  for (const std::string& zero :
       {std::string("a\0b@c", 5), std::string("a@b\0c", 5),
        std::string("a@b/c\0d", 7), std::string("a@b\0", 4)})
    expect_refused(zero);
}

TEST(jid, holds_each_part_to_1023_bytes) {
  expect_parts(times(1'023, "a") + "@b", times(1'023, "a"), "b", "");
  expect_refused(times(1'024, "a") + "@b");
  expect_parts("a@b/" + times(1'023, "c"), "a", "b", times(1'023, "c"));
  expect_refused("a@b/" + times(1'024, "c"));
  expect_parts(times(341, "\u20AC") + "@b", times(341, "\u20AC"), "b", "");
  expect_refused(times(342, "\u20AC") + "@b");
  // Shorter or longer once it is prepared.
  expect_parts(times(500, "\uFF41") + "@b", times(500, "a"), "b", "");
  expect_refused(times(200, "\uFDFA") + "@b");
  expect_refused(times(1'000'000, "a"));
  expect_refused("a@b/" + times(1'000'000, "\u20AC"));
}

TEST(jid, holds_domains_to_what_dns_can_carry) {
  const std::string label = times(63, "a");
  expect_parts("a@" + label, "a", label, "");
  expect_refused("a@" + label + "a");
  const std::string long_name =
      label + '.' + label + '.' + label + '.' + times(61, "a");
  expect_parts("a@" + long_name, "a", long_name, "");
  expect_parts("a@" + long_name + '.', "a", long_name, "");
  expect_refused("a@" + long_name + "a");
  expect_refused("a@" + times(60, "\u00FC"));
  expect_parts("a@m\u00FCnchen.example", "a", "m\u00FCnchen.example", "");
  expect_parts("a@M\u00DCNCHEN.example", "a", "m\u00FCnchen.example", "");
  expect_parts("a@xn--mnchen-3ya.example", "a", "m\u00FCnchen.example", "");
  expect_parts("a@XN--MNCHEN-3YA.example", "a", "m\u00FCnchen.example", "");
  // Not what IDNA 2003 would make: kept as it stands.
  expect_parts("a@xn--strae-oqa.example", "a", "xn--strae-oqa.example", "");
  expect_parts("a@b\u3002c\uFF0Ed\uFF61e", "a", "b.c.d.e", "");
  expect_parts("a@b\u2488c", "a", "b1.c", "");
  expect_parts("a@my_server.example", "a", "my_server.example", "");
  for (const char* domain :
       {".",       "..",      ".b",   "b..c", "b..",    "-b",
        "b-",      "b.-c",    "b.c-", "b c",  "b!",     "b:5222",
        "b#",      "b%",      "b\\",  "b,c",  "\u3002", "b\u3002\u3002",
        "b\u2100", "b\uFF0Fc"})
    expect_refused(std::string{"a@"} + domain);
}

TEST(jid, accepts_ip_addresses_as_domains) {
  expect_parts("a@127.0.0.1", "a", "127.0.0.1", "");
  expect_parts("a@[::1]/r", "a", "[::1]", "r");
  expect_parts("a@[2001:DB8:0:0::1]", "a", "[2001:db8::1]", "");
  expect_parts("[::ffff:192.0.2.1]", "", "[::ffff:192.0.2.1]", "");
  for (const char* domain :
       {"[", "[]", "[::1", "::1", "[::1]x", "[::g]", "[::1]:5222",
        "[fe80::1%eth0]", "[127.0.0.1]", "[[::1]]", "[::1].", "[1:2]"})
    expect_refused(std::string{"a@"} + domain);
}

TEST(jid, decides_every_ascii_character_in_every_part) {
  const std::string not_in_local = "\"&'/:<>@ ";
  for (int code = 0; code < 128; ++code) {
    const char c = static_cast<char>(code);
    const bool printable = code >= 0x20 && code < 0x7F;
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    const std::string lower(
        1, c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
    const std::string around = "x" + std::string(1, c) + "y";
    const std::string text = around + "@b";
    if (printable && not_in_local.find(c) == std::string::npos)
      expect_parts(text, "x" + lower + "y", "b", "");
    else if (c == '/')
      expect_parts(text, "", "x", "y@b");
    else
      expect_refused(text);
    if (letter || digit || c == '-' || c == '_' || c == '.')
      expect_parts("a@" + around, "a", "x" + lower + "y", "");
    else if (c == '/')
      expect_parts("a@" + around, "a", "x", "y");
    else
      expect_refused("a@" + around);
    if (printable)
      expect_parts("a@b/" + around, "a", "b", around);
    else
      expect_refused("a@b/" + around);
  }
  print_so_far("every ASCII character");
}

/// What libidn alone makes of a part, run until it settles.
std::optional<std::string> model(const std::string& part,
                                 const Stringprep_profile* profile) {
  std::array<char, 8'192> buffer{};
  std::string now = part;
  for (int i = 0; i < 8; ++i) {
    now.copy(buffer.data(), buffer.size() - 1);
    buffer.at(now.size()) = '\0';
    if (stringprep(buffer.data(), buffer.size(), Stringprep_profile_flags{},
                   profile) != STRINGPREP_OK)
      return {};
    if (now == buffer.data()) break;
    now = buffer.data();
  }
  if (now.empty() || now.size() > 1'023) return {};
  return now;
}

std::string random_part(std::mt19937& random) {
  static const std::vector<char32_t> picks{
      U'a',   U'B',   U'7',   U'.',   U'-',   U' ',    U'"',    U'\'',
      0x00AD, 0x00DF, 0x00E9, 0x0130, 0x0301, 0x0345,  0x03A3,  0x03C2,
      0x0430, 0x05D0, 0x0627, 0x0661, 0x1E9E, 0x200D,  0x202E,  0x2163,
      0x3000, 0xAC00, 0xFB01, 0xFE0F, 0xFF21, 0x1D400, 0x1F600, 0x10FFFD};
  std::string part;
  const auto length = 1 + random() % 8;
  for (std::size_t i = 0; i < length; ++i) {
    char32_t c = picks[random() % picks.size()];
    if (random() % 4 == 0) c = static_cast<char32_t>(1 + random() % 0x2FFF);
    if (c == U'@' || c == U'/') c = U'a';
    utf8_append(part, c);
  }
  return part;
}

TEST(jid, agrees_with_stringprep_on_generated_parts) {
  const unsigned seed = 7'622;
  std::mt19937 random{seed};
  for (int i = 0; i < 3'000; ++i) {
    const std::string part = random_part(random);
    const auto local = model(part, stringprep_xmpp_nodeprep);
    if (local)
      expect_parts(part + "@b", *local, "b", "");
    else
      expect_refused(part + "@b");
    const auto resource = model(part, stringprep_xmpp_resourceprep);
    if (resource)
      expect_parts("a@b/" + part, "a", "b", *resource);
    else
      expect_refused("a@b/" + part);
  }
  std::printf("seed %u; ", seed);
  print_so_far("generated parts");
  EXPECT_GE(accepted + refused, 6'000U);
  EXPECT_GT(accepted, 500U);
  EXPECT_GT(refused, 500U);
}

TEST(jid, survives_random_bytes_and_keeps_its_promises) {
  const unsigned seed = 6'122;
  std::mt19937 random{seed};
  int parsed = 0;
  const int tried = 50'000;
  for (int i = 0; i < tried; ++i) {
    std::string text;
    const auto length = random() % 24;
    for (std::size_t n = 0; n < length; ++n) {
      const auto pick = random() % 6;
      if (pick == 0)
        text += "@/.[]:-"[random() % 7];
      else if (pick == 1)
        text += static_cast<char>(random() % 256);
      else if (pick == 2)
        utf8_append(text, static_cast<char32_t>(0x80 + random() % 0x3000));
      else
        text += static_cast<char>('a' + random() % 26);
    }
    const auto got = jid::parse(text);
    if (!got) continue;
    ++parsed;
    ASSERT_FALSE(got->domain().empty());
    const auto again = jid::parse(got->str());
    ASSERT_TRUE(again && *again == *got) << text;
  }
  std::printf("seed %u, random addresses %d, parsed %d\n", seed, tried, parsed);
  EXPECT_GT(parsed, 0);
}

TEST(jid, gives_a_bare_name_the_default_domain) {
  EXPECT_EQ(jid::parse_with_default(" sally ", "example.org")->str(),
            "sally@example.org");
  EXPECT_EQ(jid::parse_with_default("sally.smith", "example.org")->str(),
            "sally.smith@example.org");
  EXPECT_EQ(jid::parse_with_default("sally@other.org", "example.org")->str(),
            "sally@other.org");
  EXPECT_EQ(jid::parse_with_default("other.org/x", "example.org")->str(),
            "other.org/x");
  EXPECT_FALSE(jid::parse_with_default("", "example.org"));
  EXPECT_FALSE(jid::parse_with_default("  ", "example.org"));
  EXPECT_FALSE(jid::parse_with_default("sal ly", "example.org"));
  EXPECT_FALSE(jid::parse_with_default("@", "example.org"));
}

TEST(jid, swaps_resources) {
  const jid full = *jid::parse("a@b/c");
  EXPECT_EQ(full.bare().str(), "a@b");
  EXPECT_TRUE(full.bare().is_bare());
  EXPECT_EQ(full.bare().with_resource("d e")->str(), "a@b/d e");
  EXPECT_FALSE(full.with_resource(""));
  EXPECT_FALSE(full.with_resource("\x01"));
  EXPECT_FALSE(jid{}.with_resource("x"));
  EXPECT_TRUE(jid{}.empty());
  EXPECT_EQ(jid{}.str(), "");
}

TEST(jid, orders_and_compares_by_its_parts) {
  const std::set<jid> all{*jid::parse("a@b/c"), *jid::parse("A@B/c"),
                          *jid::parse("a@b"), *jid::parse("b"), jid{}};
  EXPECT_EQ(all.size(), 4U);
}

TEST(confusable_warning, is_silent_for_ordinary_names) {
  for (const char* text :
       {"sally@example.org/Desk", "\u00E9ric.m\u00FCller@example.org",
        "\u0434\u0436\u0443\u043B\u044C\u0435\u0442\u0442\u0430@example.org",
        "\u03BB\u03CC\u03B3\u03BF\u03C2@example.org",
        "\u30B5\u30EA\u30FC@\u4F8B\u3048.jp", "user7_x-y@my-server.example",
        "\u05E9\u05DC\u05D5\u05DD@example.org"})
    EXPECT_EQ(confusable_warning(*jid::parse(text)), "") << text;
  EXPECT_EQ(confusable_warning(jid{}), "");
}

TEST(confusable_warning, speaks_up_about_look_alikes) {
  for (const char* text :
       {"s\u0430lly@example.org",            // one Cyrillic letter
        "sally@ex\u0430mple.org",            //
        "\u03BFlga@example.org",             // one Greek letter
        "\u0441\u0430\u0440@example.org",    // all Cyrillic, reads "cap"
        "sally@\u0441\u043E\u0440.example",  //
        "\u0131van@example.org",             // dotless i
        "\u0261oo\u0261le@example.org",      // script g
        "sally@example\u2044org.net",        // a slash that is none
        "\u0570\u0585t@example.org",         // Armenian
        "sally@xn--strae-oqa.example",       //
        "a@b/s\u0430lly"})
    EXPECT_NE(confusable_warning(*jid::parse(text)), "") << text;
}

}  // namespace
}  // namespace sotto
