#include "crypto/fingerprint.hpp"

#include <gtest/gtest.h>

namespace sotto {
namespace {

using verdict = fingerprint_comparison::verdict;

constexpr std::string_view grouped_text =
    "01234567 89ABCDEF 01234567 89ABCDEF 01234567";

fingerprint sample() { return *fingerprint::parse(grouped_text); }

TEST(fingerprint, is_written_in_five_groups_of_eight) {
  EXPECT_EQ(sample().grouped(), grouped_text);
  EXPECT_EQ(sample().hex(), "0123456789ABCDEF0123456789ABCDEF01234567");
}

TEST(fingerprint, is_read_in_any_case_with_any_separators) {
  for (const std::string_view typed :
       {"0123456789abcdef0123456789ABCDEF01234567",
        "  01234567-89ABCDEF-01234567-89ABCDEF-01234567\n",
        "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67",
        "01234567\xc2\xa0"
        "89ABCDEF\xe2\x80\x89"
        "01234567\xe2\x80\x93"
        "89ABCDEF\xe3\x80\x80"
        "01234567",
        "(01234567/89ABCDEF.01234567,89ABCDEF_01234567)"}) {
    const auto read = fingerprint::parse(typed);
    ASSERT_TRUE(read) << typed;
    EXPECT_EQ(*read, sample());
  }
}

TEST(fingerprint, of_another_length_or_with_other_letters_is_refused) {
  for (const std::string_view typed :
       {"", "0123", "0123456789abcdef0123456789ABCDEF0123456",
        "0123456789abcdef0123456789ABCDEF012345678",
        "0123456789abcdef0123456789ABCDEF0123456G",
        "0123456789abcdef0123456789ABCDEF012345\xc3\xa9"}) {
    const auto read = fingerprint::parse(typed);
    ASSERT_FALSE(read) << typed;
    EXPECT_EQ(read.failure().code, errc::invalid_argument);
  }
}

TEST(fingerprint, what_is_typed_is_incomplete_until_its_last_digit) {
  for (std::size_t length = 0; length < grouped_text.size(); ++length) {
    const auto said = compare_typed(grouped_text.substr(0, length), sample());
    EXPECT_EQ(said.outcome, verdict::incomplete) << length;
    EXPECT_EQ(said.first_difference, -1);
  }
  EXPECT_EQ(compare_typed(grouped_text, sample()).outcome, verdict::match);
}

TEST(fingerprint, a_wrong_digit_is_told_at_once_with_its_group) {
  for (int digit = 0; digit < 40; ++digit) {
    auto typed = sample().hex();
    auto& wrong = typed[static_cast<std::size_t>(digit)];
    wrong = wrong == '0' ? '1' : '0';
    const auto whole = compare_typed(typed, sample());
    EXPECT_EQ(whole.outcome, verdict::mismatch);
    EXPECT_EQ(whole.first_difference, digit / 8);
    const auto so_far = compare_typed(
        std::string_view(typed).substr(0, static_cast<std::size_t>(digit) + 1),
        sample());
    EXPECT_EQ(so_far.outcome, verdict::mismatch);
    EXPECT_EQ(so_far.first_difference, digit / 8);
  }
}

TEST(fingerprint, what_can_be_no_fingerprint_is_invalid) {
  EXPECT_EQ(compare_typed("0123x", sample()).outcome, verdict::invalid);
  EXPECT_EQ(compare_typed(sample().hex() + "0", sample()).outcome,
            verdict::invalid);
  EXPECT_EQ(compare_typed("\xff", sample()).outcome, verdict::invalid);
}

}  // namespace
}  // namespace sotto
