#include "crypto/html_text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

namespace sotto {

namespace {

// Sorted, for the binary search.
constexpr auto known_tags = std::to_array<std::u32string_view>({
    U"a",          U"abbr",   U"acronym", U"address", U"b",      U"big",
    U"blockquote", U"body",   U"br",      U"center",  U"cite",   U"code",
    U"dd",         U"del",    U"div",     U"dl",      U"dt",     U"em",
    U"font",       U"h1",     U"h2",      U"h3",      U"h4",     U"h5",
    U"h6",         U"head",   U"hr",      U"html",    U"i",      U"img",
    U"ins",        U"kbd",    U"li",      U"meta",    U"ol",     U"p",
    U"pre",        U"q",      U"s",       U"samp",    U"script", U"small",
    U"span",       U"strike", U"strong",  U"style",   U"sub",    U"sup",
    U"table",      U"tbody",  U"td",      U"th",      U"thead",  U"title",
    U"tr",         U"tt",     U"u",       U"ul",      U"var",
});
static_assert(std::ranges::is_sorted(known_tags));

// Longer ones are text: bounds the work on a text of nothing but '<'.
constexpr std::size_t longest_tag = 2048;
constexpr std::size_t longest_entity = 10;

bool is_letter(char32_t c) {
  return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
}
bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }
bool is_space(char32_t c) {
  return c == U' ' || c == U'\t' || c == U'\n' || c == U'\r';
}
char32_t lower(char32_t c) {
  return c >= U'A' && c <= U'Z' ? c - U'A' + U'a' : c;
}

struct tag {
  std::u32string name;
  bool closing = false;
  std::size_t length = 0;
};

/// Reads one tag from the start of a text.
class tag_reader {
 public:
  explicit tag_reader(std::u32string_view text)
      : text_(text.substr(0, longest_tag)) {}

  std::optional<tag> read() {
    if (!take(U'<')) return std::nullopt;
    tag found;
    found.closing = take(U'/');
    while (is_letter(peek()) || (!found.name.empty() && is_digit(peek()))) {
      found.name += lower(text_[at_++]);
    }
    if (!std::ranges::binary_search(known_tags, found.name)) {
      return std::nullopt;
    }
    while (is_space(peek())) {
      skip_spaces();
      if (is_letter(peek()) && !skip_attribute()) return std::nullopt;
    }
    take(U'/');
    if (!take(U'>')) return std::nullopt;
    found.length = at_;
    return found;
  }

 private:
  char32_t peek() const { return at_ < text_.size() ? text_[at_] : U'\0'; }
  bool take(char32_t wanted) {
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void skip_spaces() {
    while (is_space(peek())) ++at_;
  }

  /// `name=value`, quoted or not. One without a value makes no tag: "if a <b
  /// and c> d" is text.
  bool skip_attribute() {
    while (is_letter(peek()) || is_digit(peek()) || peek() == U'-' ||
           peek() == U':') {
      ++at_;
    }
    if (!take(U'=')) return false;
    const auto quote = peek();
    if (quote == U'"' || quote == U'\'') {
      const auto end = text_.find(quote, at_ + 1);
      if (end == std::u32string_view::npos) return false;
      at_ = end + 1;
      return true;
    }
    const auto start = at_;
    while (at_ < text_.size() && !is_space(peek()) && peek() != U'>' &&
           peek() != U'<') {
      ++at_;
    }
    return at_ > start;
  }

  std::u32string_view text_;
  std::size_t at_ = 0;
};

struct entity {
  char32_t value = 0;
  std::size_t length = 0;
};

std::optional<char32_t> named_entity(std::u32string_view name) {
  if (name == U"amp") return U'&';
  if (name == U"lt") return U'<';
  if (name == U"gt") return U'>';
  if (name == U"quot") return U'"';
  if (name == U"apos") return U'\'';
  if (name == U"nbsp") return U' ';
  return std::nullopt;
}

std::optional<char32_t> numeric_entity(std::u32string_view digits) {
  const bool hex = !digits.empty() && lower(digits.front()) == U'x';
  if (hex) digits.remove_prefix(1);
  if (digits.empty()) return std::nullopt;
  char32_t value = 0;
  for (const auto c : digits) {
    const auto digit = lower(c);
    if (is_digit(digit)) {
      value = value * (hex ? 16 : 10) + (digit - U'0');
    } else if (hex && digit >= U'a' && digit <= U'f') {
      value = value * 16 + (digit - U'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value == 0 || value > 0x10ffff || surrogate) return U'\xfffd';
  return value;
}

/// The entity that `text` (which begins with '&') begins with.
std::optional<entity> read_entity(std::u32string_view text) {
  const auto end = text.substr(0, longest_entity + 1).find(U';');
  if (end == std::u32string_view::npos) return std::nullopt;
  auto name = text.substr(1, end - 1);
  std::optional<char32_t> value;
  if (name.starts_with(U'#')) {
    value = numeric_entity(name.substr(1));
  } else {
    value = named_entity(name);
  }
  if (!value) return std::nullopt;
  return entity{*value, end + 1};
}

bool breaks_line(const tag& found) {
  return found.name == U"br" ||
         (found.closing && (found.name == U"p" || found.name == U"div"));
}

}  // namespace

std::u32string text_of_html(std::u32string_view html) {
  std::u32string text;
  text.reserve(html.size());
  bool line_due = false;
  const auto append = [&](char32_t value) {
    // The end of the last paragraph ends no line.
    if (line_due) text += U'\n';
    line_due = false;
    text += value;
  };
  while (!html.empty()) {
    if (html.front() == U'<') {
      if (const auto found = tag_reader(html).read()) {
        if (found->name == U"br") {
          append(U'\n');
        } else if (breaks_line(*found)) {
          line_due = !text.empty();
        }
        html.remove_prefix(found->length);
        continue;
      }
    } else if (html.front() == U'&') {
      if (const auto found = read_entity(html)) {
        append(found->value);
        html.remove_prefix(found->length);
        continue;
      }
    }
    append(html.front());
    html.remove_prefix(1);
  }
  return text;
}

}  // namespace sotto
