#include "crypto/fingerprint.hpp"

#include <algorithm>
#include <optional>

namespace sotto {

namespace {

constexpr std::size_t hex_digits = 2 * fingerprint::size;
constexpr std::size_t group_length = 8;

std::optional<std::uint8_t> hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

bool is_ascii_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z');
}

/// The length of the non-ASCII separator that `text` begins with, or 0: the
/// spaces, dashes, dots and marks that a copied fingerprint picks up.
std::size_t wide_separator(std::string_view text) {
  using namespace std::string_view_literals;
  constexpr std::string_view pairs[] = {"\xc2\xa0"sv, "\xc2\xad"sv,
                                        "\xc2\xb7"sv};
  for (const auto mark : pairs) {
    if (text.starts_with(mark)) return mark.size();
  }
  if (text.starts_with("\xe3\x80\x80") || text.starts_with("\xef\xbb\xbf")) {
    return 3;  // ideographic space, byte order mark
  }
  // U+2000 to U+206F: General Punctuation.
  if (text.size() >= 3 && text[0] == '\xe2' &&
      (text[1] == '\x80' || text[1] == '\x81')) {
    return 3;
  }
  return 0;
}

/// The hex digits of what was typed; nothing if it holds anything that is
/// neither a digit nor a separator.
std::optional<std::vector<std::uint8_t>> digits_of(std::string_view typed) {
  std::vector<std::uint8_t> digits;
  while (!typed.empty()) {
    std::size_t taken = 1;
    if (const auto value = hex_value(typed.front())) {
      digits.push_back(*value);
    } else if (is_ascii_letter_or_digit(typed.front())) {
      return std::nullopt;
    } else if (static_cast<unsigned char>(typed.front()) >= 0x80) {
      taken = wide_separator(typed);
      if (taken == 0) return std::nullopt;
    }
    typed.remove_prefix(taken);
  }
  return digits;
}

}  // namespace

result<fingerprint> fingerprint::parse(std::string_view typed) {
  const auto digits = digits_of(typed);
  if (!digits) {
    return error{errc::invalid_argument,
                 "A fingerprint holds only the digits 0 to 9 and A to F; "
                 "compare what was typed with what the contact gave you."};
  }
  if (digits->size() != hex_digits) {
    return error{errc::invalid_argument,
                 "A fingerprint has 40 digits, but " +
                     std::to_string(digits->size()) +
                     " were typed; copy all five groups."};
  }
  std::array<std::uint8_t, size> bytes{};
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] =
        static_cast<std::uint8_t>((*digits)[2 * i] << 4 | (*digits)[2 * i + 1]);
  }
  return fingerprint(bytes);
}

std::string fingerprint::hex() const {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  text.reserve(hex_digits);
  for (const auto byte : bytes_) {
    text += digits[byte >> 4];
    text += digits[byte & 0x0f];
  }
  return text;
}

std::string fingerprint::grouped() const {
  const auto digits = hex();
  std::string text;
  text.reserve(hex_digits + 4);
  for (std::size_t at = 0; at < digits.size(); at += group_length) {
    if (at != 0) text += ' ';
    text += digits.substr(at, group_length);
  }
  return text;
}

fingerprint_comparison compare_typed(std::string_view typed,
                                     const fingerprint& expected) {
  using verdict = fingerprint_comparison::verdict;
  const auto digits = digits_of(typed);
  if (!digits || digits->size() > hex_digits) return {verdict::invalid, -1};
  for (std::size_t i = 0; i < digits->size(); ++i) {
    const auto byte = expected.bytes()[i / 2];
    const auto wanted = i % 2 == 0 ? byte >> 4 : byte & 0x0f;
    if ((*digits)[i] != wanted) {
      return {verdict::mismatch, static_cast<int>(i / group_length)};
    }
  }
  const bool whole = digits->size() == hex_digits;
  return {whole ? verdict::match : verdict::incomplete, -1};
}

}  // namespace sotto
