#include "actors/stored_state.hpp"

#include <nlohmann/json.hpp>

#include <functional>

namespace sotto {

using nlohmann::json;

namespace {

// The vault's tables. Keys are bare JIDs; those of a contact are
// "account\ncontact" (no JID holds a line break).
constexpr const char* account_table = "account";
constexpr const char* password_table = "password";
constexpr const char* identity_table = "identity";
constexpr const char* trust_table = "trust";
constexpr const char* latch_table = "latch";
constexpr const char* policy_table = "policy";
constexpr const char* contact_table = "contact";
constexpr const char* request_table = "request";
constexpr const char* setting_table = "setting";

constexpr const char* timeout_key = "handshake_timeout_ms";

std::string joined(const contact_key& key) {
  return key.first + "\n" + key.second;
}

contact_key split(const std::string& text) {
  const auto at = text.find('\n');
  if (at == std::string::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

vault_change put(const char* table, std::string key, std::string_view value) {
  return {table, std::move(key), secret::copy_of(value)};
}

vault_change put(const char* table, std::string key, const json& value) {
  // A text that is no UTF-8 (a path, say) is kept as well as it can be.
  return put(table, std::move(key),
             std::string_view{
                 value.dump(-1, ' ', false, json::error_handler_t::replace)});
}

vault_change erase(const char* table, std::string key) {
  return {table, std::move(key), std::nullopt};
}

std::int64_t to_seconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::seconds>(
             time.time_since_epoch())
      .count();
}

/// A whole number within its range: the library would convert what is none.
template <class Number>
Number number(const json& value, Number least, Number most) {
  if (!value.is_number_integer()) throw std::runtime_error("no number");
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(most))
    throw std::runtime_error("number too large");
  const auto read = value.get<std::int64_t>();
  if (read < std::int64_t{least} || read > std::int64_t{most})
    throw std::runtime_error("number out of range");
  return static_cast<Number>(read);
}

std::chrono::system_clock::time_point parse_time(const json& value) {
  using std::chrono::system_clock;
  const std::int64_t last = to_seconds(system_clock::time_point::max());
  return system_clock::time_point{
      std::chrono::seconds{number<std::int64_t>(value, 0, last)}};
}

/// A bare address in the form in which it is stored.
jid parsed(const std::string& text) {
  auto address = jid::parse(text);
  if (!address) throw std::runtime_error(address.failure().message);
  if (address->str() != text || address->bare() != *address)
    throw std::runtime_error("not a stored address");
  return *address;
}

contact_key parsed_key(const std::string& text) {
  auto key = split(text);
  parsed(key.first);
  parsed(key.second);
  return key;
}

otr_policy parsed_policy(std::string_view text) {
  const auto policy = parse_otr_policy(text);
  if (!policy) throw std::runtime_error("unknown policy");
  return *policy;
}

account_settings parse_account(const std::string& key, const json& value) {
  account_settings settings;
  settings.account = parsed(key);
  settings.host = value.at("host");
  settings.port = number<std::uint16_t>(value.at("port"), 0, 65'535);
  settings.ca_file = value.at("ca_file");
  if (value.contains("pin"))
    settings.pin = certificate_pin{value.at("pin").at("sha256"),
                                   value.at("pin").at("problems")};
  settings.allow_plain = value.at("allow_plain");
  settings.best_mechanism = value.at("best_mechanism");
  settings.resource = value.at("resource");
  return settings;
}

known_keys parse_keys(const json& value) {
  if (!value.is_array()) throw std::runtime_error("no list");
  std::vector<known_key> keys;
  for (const auto& row : value) {
    auto print = fingerprint::parse(row.at("fingerprint").get<std::string>());
    if (!print) throw std::runtime_error(print.failure().message);
    keys.push_back({*print, row.at("accepted"), row.at("verified"),
                    parse_time(row.at("first_seen")),
                    parse_time(row.at("last_seen"))});
  }
  return known_keys{std::move(keys)};
}

contact parse_contact(const std::string& address, const json& value) {
  contact row;
  row.item.address = parsed(address);
  row.item.name = value.at("name");
  row.item.groups = value.at("groups").get<std::vector<std::string>>();
  row.item.subscribed = static_cast<subscription>(number<int>(
      value.at("subscription"), 0, static_cast<int>(subscription::both)));
  row.item.ask_subscribe = value.at("ask");
  row.declined = value.at("declined");
  return row;
}

subscription_request parse_request(const std::string& address,
                                   const json& value) {
  return {parsed(address), value.at("text"), value.at("ignored")};
}

json parse_json(const secret& value) { return json::parse(value.view()); }

/// Puts one row in its place; throws where it makes no sense.
using row_reader = std::function<void(const vault_row&, stored_state&)>;

struct table_reader {
  const char* table;
  row_reader read;
};

void read_policy(const vault_row& row, stored_state& state) {
  const auto policy = parsed_policy(row.value.view());
  if (row.key.find('\n') == std::string::npos)
    state.account_policies[parsed(row.key).str()] = policy;
  else
    state.contact_policies[parsed_key(row.key)] = policy;
}

void read_identity(const vault_row& row, stored_state& state) {
  auto identity = otr_identity::parse(row.key, row.value);
  if (!identity) throw std::runtime_error(identity.failure().message);
  state.identities[row.key] = *identity;
}

void read_setting(const vault_row& row, stored_state& state) {
  if (row.key != timeout_key) throw std::runtime_error("unknown setting");
  state.handshake_timeout = std::chrono::milliseconds{
      number<std::int64_t>(parse_json(row.value), 1'000, 600'000)};
}

std::vector<table_reader> table_readers() {
  return {
      {account_table,
       [](const vault_row& row, stored_state& state) {
         state.accounts[row.key] =
             parse_account(row.key, parse_json(row.value));
       }},
      {password_table,
       [](const vault_row& row, stored_state& state) {
         state.accounts.at(row.key).password =
             std::make_shared<const secret>(row.value.clone());
       }},
      {identity_table, read_identity},
      {trust_table,
       [](const vault_row& row, stored_state& state) {
         const auto key = parsed_key(row.key);
         state.trust.put(key.first, key.second,
                         parse_keys(parse_json(row.value)));
       }},
      {latch_table,
       [](const vault_row& row, stored_state& state) {
         state.latched.insert(parsed_key(row.key));
       }},
      {policy_table, read_policy},
      {contact_table,
       [](const vault_row& row, stored_state& state) {
         const auto key = parsed_key(row.key);
         state.contacts[key.first].push_back(
             parse_contact(key.second, parse_json(row.value)));
       }},
      {request_table,
       [](const vault_row& row, stored_state& state) {
         const auto key = parsed_key(row.key);
         state.requests[key.first].push_back(
             parse_request(key.second, parse_json(row.value)));
       }},
      {setting_table, read_setting},
  };
}

}  // namespace

result<stored_state> load_state(vault& source) {
  stored_state state;
  for (const auto& reader : table_readers()) {
    auto rows = source.all(reader.table);
    if (!rows) return rows.failure();
    for (const auto& row : *rows) {
      try {
        reader.read(row, state);
      } catch (const std::exception&) {
        // The cause may quote the row: only its place is told.
        return error{errc::corrupt,
                     "A row of the table '" + std::string{reader.table} +
                         "' in the data folder cannot be understood. Nothing "
                         "was changed. Restore the folder from a backup."};
      }
    }
  }
  return state;
}

result<void> erase_account(vault& storage, const std::string& account) {
  std::vector<vault_change> changes;
  for (const auto& reader : table_readers()) {
    auto rows = storage.all(reader.table);
    if (!rows) return rows.failure();
    for (const auto& row : *rows)
      if (split(row.key).first == account)
        changes.push_back(erase(reader.table, row.key));
  }
  return storage.apply(changes);
}

vault_change account_row(const account_settings& settings) {
  json value{{"host", settings.host},
             {"port", settings.port},
             {"ca_file", settings.ca_file},
             {"allow_plain", settings.allow_plain},
             {"best_mechanism", settings.best_mechanism},
             {"resource", settings.resource}};
  if (settings.pin)
    value["pin"] = {{"sha256", settings.pin->sha256},
                    {"problems", settings.pin->problems}};
  return put(account_table, settings.account.str(), value);
}

vault_change password_row(const account_settings& settings) {
  return {password_table, settings.account.str(), settings.password->clone()};
}

vault_change identity_row(const otr_identity& identity) {
  return {identity_table, identity.account(), identity.serialized()};
}

vault_change trust_row(const contact_key& key, const known_keys& keys) {
  json value = json::array();
  for (const auto& known : keys.list())
    value.push_back({{"fingerprint", known.print.hex()},
                     {"accepted", known.accepted},
                     {"verified", known.verified},
                     {"first_seen", to_seconds(known.first_seen)},
                     {"last_seen", to_seconds(known.last_seen)}});
  return put(trust_table, joined(key), value);
}

vault_change latch_row(const contact_key& key, bool latched) {
  if (!latched) return erase(latch_table, joined(key));
  return put(latch_table, joined(key), std::string_view{"private"});
}

vault_change policy_row(const std::string& account, otr_policy policy) {
  return put(policy_table, account, to_string(policy));
}

vault_change policy_row(const contact_key& key, otr_policy policy) {
  return put(policy_table, joined(key), to_string(policy));
}

vault_change contact_row(const std::string& account, const contact& row) {
  return put(contact_table, joined({account, row.item.address.str()}),
             json{{"name", row.item.name},
                  {"groups", row.item.groups},
                  {"subscription", static_cast<int>(row.item.subscribed)},
                  {"ask", row.item.ask_subscribe},
                  {"declined", row.declined}});
}

vault_change contact_erased(const std::string& account, const jid& address) {
  return erase(contact_table, joined({account, address.str()}));
}

vault_change request_row(const std::string& account,
                         const subscription_request& request) {
  return put(request_table, joined({account, request.from.str()}),
             json{{"text", request.text}, {"ignored", request.ignored}});
}

vault_change request_erased(const std::string& account, const jid& address) {
  return erase(request_table, joined({account, address.str()}));
}

vault_change timeout_row(std::chrono::milliseconds timeout) {
  return put(setting_table, timeout_key, json(timeout.count()));
}

}  // namespace sotto
