#include "protocol/outgoing_text.hpp"

#include "protocol/utf8.hpp"

namespace sotto {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

bool allowed_in_xml(char32_t c) {
  if (c < 0x20) return c == '\t' || c == '\n' || c == '\r';
  return c != 0xFFFE && c != 0xFFFF;
}

/// Calls `take` with each character of `text` that may leave, as UTF-8.
template <class Take>
void each_allowed(std::string_view text, Take take) {
  while (!text.empty()) {
    const utf8_step step = utf8_decode(text);
    take(step.valid && allowed_in_xml(step.value) ? text.substr(0, step.length)
                                                  : replacement);
    text.remove_prefix(step.length);
  }
}

std::string_view escaped(std::string_view character) {
  switch (character.front()) {
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '&':
      return "&amp;";
    case '"':
      return "&quot;";
    case '\'':
      return "&apos;";
    // A parser turns these into spaces or line feeds (XML 1.0 sections 2.11
    // and 3.3.3).
    case '\t':
      return "&#9;";
    case '\n':
      return "&#10;";
    case '\r':
      return "&#13;";
    default:
      return character;
  }
}

}  // namespace

std::string filter_outgoing(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  each_allowed(text, [&out](std::string_view c) { out += c; });
  return out;
}

std::string escape_outgoing(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  each_allowed(text, [&out](std::string_view c) { out += escaped(c); });
  return out;
}

}  // namespace sotto
