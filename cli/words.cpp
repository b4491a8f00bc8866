#include "cli/words.hpp"

namespace sotto::cli {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/// Reads one word from `at` on, which it moves behind it.
result<word> read_word(std::string_view line, std::size_t& at) {
  word read{{}, at};
  char quote = 0;
  for (; at < line.size(); ++at) {
    const char c = line[at];
    if (quote == 0 && is_space(c)) break;
    if (c == '\\' && quote != '\'' && at + 1 < line.size()) {
      read.text += line[++at];
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    } else {
      read.text += c;
    }
  }
  if (quote != 0)
    return error{errc::invalid_argument,
                 std::string{"A quote "} + quote +
                     " is opened and not closed. Close it, or put a backslash "
                     "before it."};
  return read;
}

}  // namespace

result<std::vector<word>> split_words(std::string_view line) {
  std::vector<word> words;
  std::size_t at = 0;
  while (true) {
    while (at < line.size() && is_space(line[at])) ++at;
    if (at == line.size()) return words;
    auto next = read_word(line, at);
    if (!next) return next.failure();
    words.push_back(*std::move(next));
  }
}

}  // namespace sotto::cli
