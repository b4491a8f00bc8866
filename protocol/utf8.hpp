#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sotto {

/// The code point at the start of a text.
struct utf8_step {
  char32_t value = 0;      ///< meaningless unless `valid`
  std::size_t length = 1;  ///< bytes; 1 if not valid
  bool valid = false;
};

/// Decodes the first code point of `text`, which is not empty. Not valid:
/// overlong forms, surrogates, values over U+10FFFF, stray or missing
/// continuation bytes (RFC 3629).
utf8_step utf8_decode(std::string_view text);
void utf8_append(std::string& out, char32_t value);
bool utf8_valid(std::string_view text);
/// The longest prefix of at most `most` bytes that splits no code point.
std::string_view utf8_prefix(std::string_view text, std::size_t most);

}  // namespace sotto
