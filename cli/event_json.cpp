#include "cli/event_json.hpp"

#include <array>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

namespace sotto::cli {

using nlohmann::json;

namespace {

std::string hex(std::uint32_t number) {
  std::array<char, 9> digits{};
  std::snprintf(digits.data(), digits.size(), "%08X", number);
  return digits.data();
}

std::string ask_of(const contact_view& contact) {
  if (contact.standing == contact_standing::declined) return "declined";
  return contact.ask_subscribe ? "subscribe" : "";
}

json contact_json(const contact_view& contact) {
  json resources = json::array();
  for (const auto& resource : contact.resources)
    resources.push_back({{"resource", resource.resource},
                         {"presence", presence_word(resource)},
                         {"priority", resource.priority}});
  json row{{"account", contact.account},
           {"jid", contact.contact},
           {"name", contact.name},
           {"groups", contact.groups},
           {"subscription", to_string(contact.subscribed)},
           {"ask", ask_of(contact)},
           {"presence", contact.presence},
           {"resources", std::move(resources)}};
  if (!contact.warning.empty()) row["warning"] = contact.warning;
  return row;
}

json message_json(const message_view& message) {
  json row{{"id", message.id},
           {"direction", message.outgoing ? "out" : "in"},
           {"text", message.text},
           {"security", to_string(message.security)},
           {"state", to_string(message.state)}};
  if (!message.note.empty()) row["note"] = message.note;
  return row;
}

json conversation_json(const conversation_state& state) {
  json row{
      {"account", state.account},          {"jid", state.contact},
      {"state", to_string(state.state)},   {"fingerprint", state.fingerprint},
      {"policy", to_string(state.policy)}, {"private", state.private_expected},
      {"version", state.version},          {"queued", state.queued}};
  if (state.instance != 0) row["instance"] = hex(state.instance);
  if (!state.resource.empty()) row["resource"] = state.resource;
  if (state.standing) row["blocked"] = !allows_sending(*state.standing);
  return row;
}

json key_json(const known_key& key) {
  return {{"fingerprint", key.print.hex()},
          {"verified", key.verified},
          {"accepted", key.accepted},
          {"first_seen", utc(key.first_seen)},
          {"last_seen", utc(key.last_seen)}};
}

json with(json row, const char* event, const std::string& account,
          const std::string& contact) {
  row["event"] = event;
  row["account"] = account;
  row["jid"] = contact;
  return row;
}

/// One `operator()` an event that is told.
struct event_writer {
  std::optional<json> operator()(const link_changed& what) const {
    return json{{"event", "link"},
                {"account", what.account},
                {"state", to_string(what.phase)},
                {"error", what.error}};
  }
  std::optional<json> operator()(const certificate_asked& what) const {
    return json{{"event", "certificate"},
                {"account", what.account},
                {"sha256", what.sha256},
                {"problem", what.problems},
                {"explanation", what.explanation}};
  }
  std::optional<json> operator()(const contact_changed& what) const {
    return with(contact_json(what.contact), "roster", what.contact.account,
                what.contact.contact);
  }
  std::optional<json> operator()(const contact_removed& what) const {
    contact_view gone;
    gone.account = what.account;
    gone.contact = what.contact;
    gone.subscribed = subscription::remove;
    return with(contact_json(gone), "roster", what.account, what.contact);
  }
  std::optional<json> operator()(const request_changed& what) const {
    // Also one from before the start that is still open.
    if (what.request.ignored) return std::nullopt;
    return with({{"text", what.request.text}}, "request", what.request.account,
                what.request.contact);
  }
  std::optional<json> operator()(const conversation_changed& what) const {
    if (!what.otr_changed) return std::nullopt;
    return with(conversation_json(what.conversation), "otr",
                what.conversation.account, what.conversation.contact);
  }
  std::optional<json> operator()(const message_changed& what) const {
    return with(message_json(what.message), "message", what.account,
                what.contact);
  }
  std::optional<json> operator()(const notice_added& what) const {
    return with({{"kind", what.notice.kind}, {"text", what.notice.text}},
                "notice", what.account, what.contact);
  }
  std::optional<json> operator()(const key_generated& what) const {
    return json{{"event", "key"},
                {"account", what.account},
                {"fingerprint", what.fingerprint}};
  }
  std::optional<json> operator()(const engine_failed& what) const {
    auto row = error_json("", what.reason);
    if (!what.account.empty()) row["account"] = what.account;
    return row;
  }
  template <class Other>
  std::optional<json> operator()(const Other&) const {
    return std::nullopt;
  }
};

bool wanted_row(const show& wanted, const std::string& account,
                const std::string& contact) {
  return (wanted.account.empty() || wanted.account == account) &&
         (wanted.contact.empty() || wanted.contact == contact);
}

json roster_rows(const snapshot& view, const show& wanted) {
  json rows = json::array();
  for (std::size_t i = 0; i < view.contacts.size(); ++i) {
    const auto& contact = view.contacts[i];
    if (wanted_row(wanted, contact.account, contact.contact))
      rows.push_back(contact_json(contact));
  }
  return rows;
}

json request_rows(const snapshot& view, const show& wanted) {
  json rows = json::array();
  for (const auto& request : view.requests)
    if (wanted_row(wanted, request.account, request.contact))
      rows.push_back({{"account", request.account},
                      {"jid", request.contact},
                      {"text", request.text},
                      {"ignored", request.ignored}});
  return rows;
}

json line_json(const chat_line& line) {
  if (const auto* message = std::get_if<message_view>(&line)) {
    auto row = message_json(*message);
    row["time"] = utc(message->time);
    return row;
  }
  const auto& notice = std::get<notice_view>(line);
  return {{"notice", notice.kind},
          {"text", notice.text},
          {"time", utc(notice.time)}};
}

template <class Row>
json conversation_rows(const snapshot& view, const show& wanted, Row row_of) {
  json rows = json::array();
  for (std::size_t i = 0; i < view.conversations.size(); ++i) {
    const auto& conversation = view.conversations[i];
    if (conversation && wanted_row(wanted, conversation->state.account,
                                   conversation->state.contact))
      row_of(*conversation, rows);
  }
  return rows;
}

json chat_rows(const snapshot& view, const show& wanted) {
  return conversation_rows(
      view, wanted, [](const conversation_view& conversation, json& rows) {
        for (std::size_t i = 0; i < conversation.lines.size(); ++i) {
          auto row = line_json(conversation.lines[i]);
          row["account"] = conversation.state.account;
          row["jid"] = conversation.state.contact;
          rows.push_back(std::move(row));
        }
      });
}

json session_rows(const snapshot& view, const show& wanted) {
  return conversation_rows(
      view, wanted, [](const conversation_view& conversation, json& rows) {
        rows.push_back(conversation_json(conversation.state));
      });
}

json key_rows(const snapshot& view, const show& wanted) {
  json rows = json::array();
  for (const auto& account : view.accounts)
    if (wanted_row(wanted, account.account, wanted.contact) &&
        wanted.contact.empty())
      rows.push_back({{"account", account.account},
                      {"own", true},
                      {"fingerprint", account.fingerprint}});
  for (const auto& contact : view.keys) {
    if (!wanted_row(wanted, contact.account, contact.contact)) continue;
    for (const auto& key : contact.keys) {
      auto row = key_json(key);
      row["account"] = contact.account;
      row["jid"] = contact.contact;
      row["own"] = false;
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

json trace_rows(const snapshot& view, const show& wanted) {
  std::vector<const trace_view*> entries;
  for (std::size_t i = 0; i < view.trace.size(); ++i)
    if (wanted_row(wanted, view.trace[i].account, view.trace[i].contact))
      entries.push_back(&view.trace[i]);
  std::sort(entries.begin(), entries.end(),
            [](const auto* a, const auto* b) { return a->number < b->number; });
  json rows = json::array();
  for (const auto* entry : entries)
    rows.push_back({{"time", utc(entry->time)},
                    {"actor", entry->actor},
                    {"account", entry->account},
                    {"jid", entry->contact},
                    {"what", entry->what}});
  return rows;
}

}  // namespace

std::optional<json> to_json(const event& what) {
  return std::visit(event_writer{}, what);
}

json to_json(const snapshot& view, const show& wanted) {
  json answer{{"event", "show"}};
  const auto put = [&](const char* name, json rows) {
    answer["what"] = name;
    answer[name] = std::move(rows);
  };
  switch (wanted.what) {
    case shown::roster:
      put("roster", roster_rows(view, wanted));
      answer["requests"] = request_rows(view, wanted);
      break;
    case shown::chat:
      put("chat", chat_rows(view, wanted));
      break;
    case shown::keys:
      put("keys", key_rows(view, wanted));
      break;
    case shown::sessions:
      put("sessions", session_rows(view, wanted));
      break;
    case shown::trace:
      put("trace", trace_rows(view, wanted));
      break;
  }
  return answer;
}

json status_json(const snapshot& view) {
  json rows = json::array();
  for (const auto& account : view.accounts)
    rows.push_back({{"account", account.account},
                    {"state", to_string(account.phase)},
                    {"error", account.error},
                    {"fingerprint", account.fingerprint},
                    {"policy", to_string(account.policy)}});
  return {{"event", "status"}, {"accounts", std::move(rows)}};
}

json error_json(const std::string& command, const std::string& reason) {
  return {{"event", "error"}, {"command", command}, {"reason", reason}};
}

std::string utc(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto milliseconds_part =
      duration_cast<milliseconds>(time.time_since_epoch()).count() % 1'000;
  const std::time_t seconds_part = system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds_part, &parts);
  std::array<char, 40> text{};
  const auto length =
      std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + length, text.size() - length, ".%03dZ",
                static_cast<int>(milliseconds_part));
  return text.data();
}

std::string to_line(const json& object) {
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace sotto::cli
