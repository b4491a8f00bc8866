#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/api/command.hpp"
#include "crypto/result.hpp"

namespace sotto::cli {

// What a line can ask for besides the engine's commands.

struct show_help {};
struct show_status {};
struct show_key {
  std::string account;
};
enum class shown { roster, chat, keys, sessions, trace };
struct show {
  shown what = shown::roster;
  std::string account;  ///< empty: all
  std::string contact;  ///< empty: all
};
/// Wait for an event with all these values; it may have come already.
struct wait_for {
  std::string event;
  std::map<std::string, std::string> values;
  std::chrono::milliseconds timeout{30'000};
};
struct quit {};

/// One line, understood. Nothing (an empty line or a # comment) is monostate.
using request = std::variant<std::monostate, show_help, show_status, show_key,
                             show, wait_for, quit, command>;

/// Understands a line. An error says what is wrong and how it is written.
result<request> parse_line(std::string_view line);

/// The line's words without what may be secret (passwords, answers, message
/// texts), for error events.
std::string without_secrets(std::string_view line);

/// The grammar, a line each, for `help`.
const std::vector<std::string>& grammar();

}  // namespace sotto::cli
