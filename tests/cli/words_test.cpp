#include "cli/words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace sotto::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> words_of(std::string_view line) {
  const auto words = split_words(line);
  if (!words) return {"error: " + words.failure().message};
  std::vector<std::string> texts;
  for (const auto& each : *words) texts.push_back(each.text);
  return texts;
}

TEST(Words, AreSeparatedByAnyWhiteSpace) {
  EXPECT_THAT(words_of("connect  me@here\t now\r"),
              ElementsAre("connect", "me@here", "now"));
  EXPECT_THAT(words_of("  led by spaces"), ElementsAre("led", "by", "spaces"));
}

TEST(Words, ThereAreNoneInAnEmptyLine) {
  EXPECT_THAT(words_of(""), IsEmpty());
  EXPECT_THAT(words_of(" \t\r "), IsEmpty());
}

TEST(Words, KeepSpacesWithinQuotes) {
  EXPECT_THAT(words_of(R"(name="Sally the Doer" 'two words')"),
              ElementsAre("name=Sally the Doer", "two words"));
}

TEST(Words, MayBeQuotedInPart) {
  EXPECT_THAT(words_of(R"(a"b c"d'e f'g)"), ElementsAre("ab cde fg"));
}

TEST(Words, MayBeEmptyWhereQuoted) {
  EXPECT_THAT(words_of(R"(a "" '' b)"), ElementsAre("a", "", "", "b"));
}

TEST(Words, AreLiteralWithinSingleQuotes) {
  EXPECT_THAT(words_of(R"('a\b"c')"), ElementsAre(R"(a\b"c)"));
}

TEST(Words, TakeAnyCharacterAfterABackslash) {
  EXPECT_THAT(words_of(R"(a\ b \"c\" "d\"e\\" \'f)"),
              ElementsAre("a b", "\"c\"", "d\"e\\", "'f"));
}

TEST(Words, KeepABackslashAtTheEndOfTheLine) {
  EXPECT_THAT(words_of(R"(a b\)"), ElementsAre("a", R"(b\)"));
}

TEST(Words, KnowWhereTheyBegin) {
  const auto words = split_words(R"(  send "a b"  c)");
  ASSERT_TRUE(words);
  ASSERT_EQ(words->size(), 3u);
  EXPECT_EQ((*words)[0].begin, 2u);
  EXPECT_EQ((*words)[1].begin, 7u);
  EXPECT_EQ((*words)[2].begin, 14u);
}

TEST(Words, AreRefusedWhereAQuoteIsNotClosed) {
  for (const char* line : {"don't", "a \"b", "'", "\"", R"("a\")"}) {
    const auto words = split_words(line);
    ASSERT_FALSE(words) << line;
    EXPECT_EQ(words.failure().code, errc::invalid_argument);
    EXPECT_THAT(words.failure().message, HasSubstr("quote"));
  }
}

TEST(Words, KeepUtf8AsItIs) {
  EXPECT_THAT(words_of("grüße an 'ein paar' 漢字"),
              ElementsAre("grüße", "an", "ein paar", "漢字"));
}

/// Quoted so that any bytes are one word again.
std::string in_quotes(const std::string& text) {
  std::string made = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') made += '\\';
    made += c;
  }
  return made + '"';
}

TEST(Words, ComeBackFromQuotesWhateverTheyHold) {
  const auto seed = std::random_device{}();
  std::mt19937 random{seed};
  std::uniform_int_distribution<int> byte{1, 255};
  std::uniform_int_distribution<std::size_t> length{0, 40};
  constexpr int lines = 2'000;
  for (int i = 0; i < lines; ++i) {
    std::vector<std::string> wanted(3);
    std::string line;
    for (auto& each : wanted) {
      each.resize(length(random));
      for (auto& c : each) c = static_cast<char>(byte(random));
      line += in_quotes(each) + ' ';
    }
    ASSERT_EQ(words_of(line), wanted) << "seed " << seed << ", line " << i;
  }
  std::printf("seed %u: %d lines of 3 words, 0 differ\n", seed, lines);
}

}  // namespace
}  // namespace sotto::cli
