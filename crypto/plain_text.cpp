#include "crypto/plain_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "crypto/html_text.hpp"

namespace sotto {

namespace {

constexpr char32_t replacement = 0xfffd;

/// One code point and the number of bytes it takes; nothing where the text
/// does not begin with one.
struct code_point {
  char32_t value;
  std::size_t length;
};

std::optional<code_point> first_code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const auto lead = byte(0);
  if (lead < 0x80) return code_point{lead, 1};
  std::size_t length = 0;
  char32_t smallest = 0;
  if ((lead & 0xe0) == 0xc0) {
    length = 2;
    smallest = 0x80;
  } else if ((lead & 0xf0) == 0xe0) {
    length = 3;
    smallest = 0x800;
  } else if ((lead & 0xf8) == 0xf0) {
    length = 4;
    smallest = 0x10000;
  }
  if (length == 0 || text.size() < length) return std::nullopt;
  char32_t value = lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return std::nullopt;
    value = value << 6 | (byte(i) & 0x3f);
  }
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < smallest || value > 0x10ffff || surrogate) return std::nullopt;
  return code_point{value, length};
}

std::u32string decode(std::string_view text) {
  std::u32string decoded;
  decoded.reserve(text.size());
  while (!text.empty()) {
    const auto next = first_code_point(text);
    decoded += next ? next->value : replacement;
    text.remove_prefix(next ? next->length : 1);
  }
  return decoded;
}

void append_utf8(std::string& text, char32_t value) {
  const auto tail = [&](unsigned shift) {
    text += static_cast<char>(0x80 | (value >> shift & 0x3f));
  };
  if (value < 0x80) {
    text += static_cast<char>(value);
  } else if (value < 0x800) {
    text += static_cast<char>(0xc0 | value >> 6);
    tail(0);
  } else if (value < 0x10000) {
    text += static_cast<char>(0xe0 | value >> 12);
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xf0 | value >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

struct range {
  char32_t first;
  char32_t last;
};

// What is shown by its number: controls, bidi controls, zero-width, filler
// and tag characters, line and paragraph separators, noncharacters.
constexpr std::array hidden_ranges = {
    range{0x0000, 0x0008},   range{0x000b, 0x001f},   range{0x007f, 0x009f},
    range{0x00ad, 0x00ad},   range{0x034f, 0x034f},   range{0x061c, 0x061c},
    range{0x115f, 0x1160},   range{0x17b4, 0x17b5},   range{0x180b, 0x180e},
    range{0x200b, 0x200f},   range{0x2028, 0x202e},   range{0x2060, 0x206f},
    range{0x3164, 0x3164},   range{0xfdd0, 0xfdef},   range{0xfeff, 0xfeff},
    range{0xffa0, 0xffa0},   range{0xfff0, 0xfffb},   range{0xfffe, 0xffff},
    range{0x1d173, 0x1d17a}, range{0xe0000, 0xe0fff},
};

bool is_hidden(char32_t value) {
  if ((value & 0xfffe) == 0xfffe) return true;
  const auto after =
      std::ranges::upper_bound(hidden_ranges, value, {}, &range::first);
  return after != hidden_ranges.begin() && value <= std::prev(after)->last;
}

void append_visible(std::string& text, char32_t value) {
  std::array<char, 16> number{};
  std::snprintf(number.data(), number.size(), "<U+%04X>",
                static_cast<unsigned>(value));
  text += number.data();
}

void normalise_line_ends(std::u32string& text) {
  std::u32string unix_text;
  unix_text.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != U'\r') {
      unix_text += text[i];
    } else if (i + 1 == text.size() || text[i + 1] != U'\n') {
      unix_text += U'\n';
    }
  }
  text = std::move(unix_text);
}

}  // namespace

std::string plain_text(std::string_view remote, text_origin origin) {
  auto decoded = decode(remote);
  if (origin == text_origin::otr) decoded = text_of_html(decoded);
  normalise_line_ends(decoded);
  std::string text;
  text.reserve(remote.size());
  for (const auto value : decoded) {
    if (is_hidden(value)) {
      append_visible(text, value);
    } else {
      append_utf8(text, value);
    }
  }
  return text;
}

std::string otr_payload(std::string_view text) {
  if (plain_text(text, text_origin::otr) ==
      plain_text(text, text_origin::clear)) {
    return std::string(text);
  }
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto next = first_code_point(text);
    if (!next) return false;
    text.remove_prefix(next->length);
  }
  return true;
}

}  // namespace sotto
