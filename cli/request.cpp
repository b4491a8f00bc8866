#include "cli/request.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <set>

#include "cli/line_reader.hpp"
#include "cli/words.hpp"

namespace sotto::cli {

namespace {

/// The words of a line and the line itself; `verb` words are the command.
struct line_words {
  std::string_view line;
  std::vector<word> words;

  std::size_t size() const { return words.size(); }
  const std::string& operator[](std::size_t i) const { return words[i].text; }
};

using parser = std::function<result<request>(const line_words&)>;

/// A form of the grammar: its leading words, how many words it may have, how
/// it is written, and how it is understood.
struct form {
  std::vector<std::string> verb;
  std::size_t least;
  std::size_t most;
  std::string usage;
  parser parse;
};

constexpr std::size_t any_number = 1'000'000;

error bad(std::string message) {
  return {errc::invalid_argument, std::move(message)};
}

/// A word as an error repeats it: a line may be megabytes.
std::string shortened(const std::string& text) {
  constexpr std::size_t most = 60;
  return text.size() > most ? text.substr(0, most) + "…" : text;
}

using options = std::map<std::string, std::string>;

/// The words from `from` on as key=value; only `known` keys, each once.
result<options> read_options(const line_words& words, std::size_t from,
                             const std::vector<std::string>& known) {
  options read;
  for (std::size_t i = from; i < words.size(); ++i) {
    const auto equals = words[i].find('=');
    const auto key = words[i].substr(0, equals);
    if (equals == std::string::npos || key.empty())
      return bad("Word " + std::to_string(i + 1) +
                 " is not of the form key=value; a value with spaces needs "
                 "quotes.");
    if (!known.empty() &&
        std::find(known.begin(), known.end(), key) == known.end())
      return bad("There is no option '" + shortened(key) + "' here.");
    if (!read.emplace(key, words[i].substr(equals + 1)).second)
      return bad("The option '" + key + "' is given twice.");
  }
  return read;
}

template <class Number>
std::optional<Number> to_number(const std::string& text) {
  Number number{};
  const auto* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc{} || stop != end || text.empty())
    return std::nullopt;
  return number;
}

result<bool> yes_or_no(const options& given, const std::string& key) {
  const auto found = given.find(key);
  if (found == given.end() || found->second == "no") return false;
  if (found->second == "yes") return true;
  return bad("'" + key + "' is yes or no.");
}

std::string value_of(const options& given, const std::string& key) {
  const auto found = given.find(key);
  return found == given.end() ? std::string{} : found->second;
}

/// A certificate's SHA-256 with or without colons, in any case.
result<std::string> read_pin(const std::string& text) {
  std::string digits;
  for (const char c : text) {
    if (c == ':' || c == ' ') continue;
    const char lower =
        c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool hex =
        (lower >= '0' && lower <= '9') || (lower >= 'a' && lower <= 'f');
    if (!hex) return bad("A pin is 64 hex digits: a certificate's SHA-256.");
    digits += lower;
  }
  if (!digits.empty() && digits.size() != 64)
    return bad("A pin is 64 hex digits: a certificate's SHA-256.");
  return digits;
}

result<request> parse_add_account(const line_words& words) {
  const auto given = read_options(
      words, 3, {"password", "host", "port", "ca", "pin", "plain"});
  if (!given) return given.failure();
  if (!given->contains("password"))
    return bad("An account needs a password=….");
  add_account order;
  order.account = words[2];
  order.password = std::make_shared<const secret>(
      secret::copy_of(std::string_view{given->at("password")}));
  order.host = value_of(*given, "host");
  order.ca_file = value_of(*given, "ca");
  if (given->contains("port")) {
    const auto port = to_number<std::uint16_t>(given->at("port"));
    if (!port || *port == 0) return bad("A port is a number, 1 to 65535.");
    order.port = *port;
  }
  const auto pin = read_pin(value_of(*given, "pin"));
  if (!pin) return pin.failure();
  order.pin = *pin;
  const auto plain = yes_or_no(*given, "plain");
  if (!plain) return plain.failure();
  order.allow_plain = *plain;
  return request{command{std::move(order)}};
}

template <class Order>
parser on_account() {
  return [](const line_words& words) -> result<request> {
    return request{command{Order{words[words.size() - 1]}}};
  };
}

result<request> parse_add_contact(const line_words& words) {
  const auto given = read_options(words, 4, {"group", "name"});
  if (!given) return given.failure();
  return request{
      command{add_contact{words[2], words[3], value_of(*given, "group"),
                          value_of(*given, "name")}}};
}

parser on_request(request_answer answer) {
  return [answer](const line_words& words) -> result<request> {
    return request{command{answer_request{words[2], words[3], answer}}};
  };
}

result<request> parse_generate(const line_words& words) {
  const auto given = read_options(words, 3, {"replace"});
  if (!given) return given.failure();
  const auto replace = yes_or_no(*given, "replace");
  if (!replace) return replace.failure();
  return request{command{generate_key{words[2], *replace}}};
}

/// The rest of the line as it was typed, or, where it is quoted, its words.
std::string rest_of(const line_words& words, std::size_t from) {
  const auto raw = words.line.substr(words.words[from].begin);
  if (raw.front() != '"' && raw.front() != '\'') return std::string{raw};
  std::string joined = words[from];
  for (std::size_t i = from + 1; i < words.size(); ++i)
    joined += " " + words[i];
  return joined;
}

result<request> parse_send(const line_words& words) {
  return request{command{send_text{words[1], words[2], rest_of(words, 3)}}};
}

parser on_otr(otr_action action) {
  return [action](const line_words& words) -> result<request> {
    return request{command{control_otr{words[2], words[3], action}}};
  };
}

result<request> parse_policy(const line_words& words) {
  const auto& name = words[words.size() - 1];
  const auto policy = parse_otr_policy(name);
  if (!policy)
    return bad("'" + shortened(name) +
               "' is no policy: opportunistic, automatic, required or never.");
  return request{command{
      set_policy{words[1], words.size() == 4 ? words[2] : "", *policy}}};
}

result<request> parse_verify(const line_words& words) {
  std::string typed;
  for (std::size_t i = 4; i < words.size(); ++i) typed += words[i] + " ";
  return request{command{verify_fingerprint{words[2], words[3], typed}}};
}

result<request> refuse_smp(const line_words& words) {
  return error{errc::unavailable,
               "'verify " + words[1] +
                   "' is not part of this version of Sotto. Compare "
                   "fingerprints instead: verify fingerprint ACCOUNT JID "
                   "TYPED…"};
}

result<request> parse_set(const line_words& words) {
  const auto given = read_options(words, 1, {"handshake-timeout"});
  if (!given) return given.failure();
  const auto seconds =
      to_number<std::uint32_t>(value_of(*given, "handshake-timeout"));
  if (!seconds) return bad("handshake-timeout is a number of seconds.");
  return request{
      command{set_handshake_timeout{std::chrono::seconds{*seconds}}}};
}

result<request> parse_show(const line_words& words) {
  static const std::map<std::string, shown> kinds{{"roster", shown::roster},
                                                  {"chat", shown::chat},
                                                  {"keys", shown::keys},
                                                  {"sessions", shown::sessions},
                                                  {"trace", shown::trace}};
  const auto kind = kinds.find(words[1]);
  if (kind == kinds.end())
    return bad("'" + words[1] +
               "' cannot be shown: roster, chat, keys, sessions or trace.");
  return request{show{kind->second, words.size() > 2 ? words[2] : "",
                      words.size() > 3 ? words[3] : ""}};
}

result<request> parse_wait(const line_words& words) {
  auto given = read_options(words, 2, {});
  if (!given) return given.failure();
  wait_for wanted{words[1], {}, std::chrono::seconds{30}};
  const auto timeout = given->find("timeout");
  if (timeout != given->end()) {
    const auto seconds = to_number<double>(timeout->second);
    if (!seconds || !(*seconds >= 0) || *seconds > 86'400)
      return bad("timeout is a number of seconds, at most a day.");
    wanted.timeout =
        std::chrono::milliseconds{static_cast<std::int64_t>(*seconds * 1'000)};
    given->erase(timeout);
  }
  wanted.values = std::move(*given);
  return request{std::move(wanted)};
}

template <class Request>
parser always() {
  return
      [](const line_words&) -> result<request> { return request{Request{}}; };
}

const std::vector<form>& forms() {
  static const std::vector<form> all{
      {{"account", "add"},
       3,
       any_number,
       "account add JID password=… [host=…] [port=…] [ca=FILE] [pin=SHA256] "
       "[plain=yes]",
       parse_add_account},
      {{"account", "remove"},
       3,
       3,
       "account remove JID",
       on_account<remove_account>()},
      {{"connect"}, 2, 2, "connect ACCOUNT", on_account<connect_account>()},
      {{"disconnect"},
       2,
       2,
       "disconnect ACCOUNT",
       on_account<disconnect_account>()},
      {{"status"}, 1, 1, "status", always<show_status>()},
      {{"contact", "add"},
       4,
       6,
       "contact add ACCOUNT ID [group=…] [name=…]",
       parse_add_contact},
      {{"contact", "remove"},
       4,
       4,
       "contact remove ACCOUNT JID",
       [](const line_words& words) -> result<request> {
         return request{command{remove_contact{words[2], words[3]}}};
       }},
      {{"contact", "authorize"},
       4,
       4,
       "contact authorize ACCOUNT JID",
       on_request(request_answer::authorize)},
      {{"contact", "deny"},
       4,
       4,
       "contact deny ACCOUNT JID",
       on_request(request_answer::deny)},
      {{"contact", "ignore"},
       4,
       4,
       "contact ignore ACCOUNT JID",
       on_request(request_answer::ignore)},
      {{"key", "generate"},
       3,
       4,
       "key generate ACCOUNT [replace=yes]",
       parse_generate},
      {{"key", "show"},
       3,
       3,
       "key show ACCOUNT",
       [](const line_words& words) -> result<request> {
         return request{show_key{words[2]}};
       }},
      {{"send"}, 4, any_number, "send ACCOUNT JID TEXT…", parse_send},
      {{"otr", "start"},
       4,
       4,
       "otr start ACCOUNT JID",
       on_otr(otr_action::start)},
      {{"otr", "end"}, 4, 4, "otr end ACCOUNT JID", on_otr(otr_action::end)},
      {{"otr", "refresh"},
       4,
       4,
       "otr refresh ACCOUNT JID",
       on_otr(otr_action::refresh)},
      {{"policy"},
       3,
       4,
       "policy ACCOUNT [JID] opportunistic|automatic|required|never",
       parse_policy},
      {{"verify", "fingerprint"},
       5,
       any_number,
       "verify fingerprint ACCOUNT JID TYPED…",
       parse_verify},
      {{"verify", "question"},
       4,
       any_number,
       "verify question ACCOUNT JID question=… answer=…",
       refuse_smp},
      {{"verify", "secret"},
       4,
       any_number,
       "verify secret ACCOUNT JID secret=…",
       refuse_smp},
      {{"verify", "answer"},
       4,
       any_number,
       "verify answer ACCOUNT JID secret=…",
       refuse_smp},
      {{"verify", "abort"}, 4, 4, "verify abort ACCOUNT JID", refuse_smp},
      {{"distrust"},
       3,
       3,
       "distrust ACCOUNT JID",
       [](const line_words& words) -> result<request> {
         return request{command{distrust_contact{words[1], words[2]}}};
       }},
      {{"show"},
       2,
       4,
       "show roster|chat|keys|sessions|trace [ACCOUNT [JID]]",
       parse_show},
      {{"wait"},
       2,
       any_number,
       "wait EVENT [key=value …] [timeout=SECONDS]",
       parse_wait},
      {{"set"}, 2, 2, "set handshake-timeout=SECONDS", parse_set},
      {{"help"}, 1, 1, "help", always<show_help>()},
      {{"quit"}, 1, 1, "quit", always<quit>()},
  };
  return all;
}

bool begins_with(const line_words& words,
                 const std::vector<std::string>& verb) {
  if (words.size() < verb.size()) return false;
  for (std::size_t i = 0; i < verb.size(); ++i)
    if (words[i] != verb[i]) return false;
  return true;
}

/// No form fits: name those that begin with the same word.
error unknown_command(const line_words& words) {
  std::string similar;
  for (const auto& each : forms())
    if (each.verb.front() == words[0])
      similar += (similar.empty() ? "" : " | ") + each.usage;
  if (similar.empty())
    return bad("There is no command '" + shortened(words[0]) +
               "'. 'help' lists the commands.");
  return bad("Write: " + similar);
}

/// A message's text may hold any quotes: it is split only as far as its text.
result<line_words> split(std::string_view line) {
  auto words = split_words(line);
  if (words) return line_words{line, *std::move(words)};
  std::size_t at = 0;
  line_words head{line, {}};
  while (head.size() < 4 && at < line.size()) {
    at = line.find_first_not_of(" \t\r", at);
    if (at == std::string_view::npos) break;
    const auto end = std::min(line.find_first_of(" \t\r", at), line.size());
    head.words.push_back({std::string{line.substr(at, end - at)}, at});
    at = end;
  }
  const bool plain_text = head.size() == 4 && head[0] == "send" &&
                          head[3].front() != '"' && head[3].front() != '\'';
  if (!plain_text) return words.failure();
  return head;
}

/// What may be told of the word at `index`. What stands where a secret belongs
/// is hidden however badly it is written.
std::string open_part(std::string_view verb, std::size_t index,
                      const std::string& text) {
  static const std::set<std::string> open_options{
      "host", "port", "ca", "pin", "plain", "group", "name", "replace"};
  const auto equals = text.find('=');
  if (equals == std::string::npos) {
    const bool bare_secret =
        (verb == "account" && index > 2) || (verb == "verify" && index > 3);
    return bare_secret ? "…" : text;
  }
  const auto key = text.substr(0, equals);
  const bool open = verb == "wait" ? key != "text" : open_options.contains(key);
  return open ? text : key + "=…";
}

}  // namespace

result<request> parse_line(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r'))
    line.remove_suffix(1);
  if (line.size() > line_reader::max_line)
    return bad("A line has at most 1 MiB; nothing of this one was done.");
  if (line.find('\0') != std::string_view::npos)
    return bad("A command line is text; this one holds a zero byte.");
  const auto words = split(line);
  if (!words) return words.failure();
  if (words->size() == 0 || (*words)[0].starts_with('#')) return request{};
  for (const auto& each : forms()) {
    if (!begins_with(*words, each.verb)) continue;
    if (words->size() < each.least || words->size() > each.most)
      return bad("Write: " + each.usage);
    return each.parse(*words);
  }
  return unknown_command(*words);
}

std::string without_secrets(std::string_view line) {
  constexpr std::size_t most = 200;
  auto words = split_words(line);
  if (!words || words->empty())
    return std::string{
        line.substr(0, line.find_first_of(" \t")).substr(0, most)};
  const auto& verb = words->front().text;
  std::string safe = verb;
  // What follows a word that was written wrong may be anything.
  const bool known = std::ranges::any_of(
      forms(), [&](const form& each) { return each.verb.front() == verb; });
  if (!known) return safe.substr(0, most);
  for (std::size_t i = 1; i < words->size(); ++i) {
    if (verb == "send" && i == 3) break;
    safe += ' ' + open_part(verb, i, (*words)[i].text);
  }
  if (safe.size() > most) safe = safe.substr(0, most) + "…";
  return safe;
}

const std::vector<std::string>& grammar() {
  static const std::vector<std::string> lines = [] {
    std::vector<std::string> all;
    for (const auto& each : forms()) all.push_back(each.usage);
    return all;
  }();
  return lines;
}

}  // namespace sotto::cli
