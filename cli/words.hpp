#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.hpp"

namespace sotto::cli {

/// A word of a command line and where it begins in the line (bytes).
struct word {
  std::string text;
  std::size_t begin = 0;
};

/// Splits a line at white space. Words, or parts of one, may be quoted: within
/// '…' everything is literal, within "…" a backslash makes the next character
/// literal, as it does outside of quotes. Error: a quote that does not end.
result<std::vector<word>> split_words(std::string_view line);

}  // namespace sotto::cli
