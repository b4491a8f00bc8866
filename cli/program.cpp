#include "cli/program.hpp"

#include "cli/event_json.hpp"
#include "protocol/jid.hpp"

namespace sotto::cli {

namespace {

/// The engine answers everything sooner; this only keeps a script from
/// hanging for ever.
constexpr std::chrono::seconds command_timeout{120};

/// As the engine writes it, or as it is where it is no address.
std::string prepared(const std::string& text, const std::string& account) {
  if (text.empty()) return text;
  const auto own = jid::parse(account);
  const auto address =
      jid::parse_with_default(text, own ? own->domain() : std::string{});
  return address ? address->bare().str() : text;
}

nlohmann::json no_account(const std::string& line, const std::string& account) {
  return error_json(
      without_secrets(line),
      "There is no account '" + account + "'. 'status' lists the accounts.");
}

}  // namespace

bool program::carry_out(const std::string& line) {
  const auto understood = parse_line(line);
  if (!understood) {
    journal_.tell(
        error_json(without_secrets(line), understood.failure().message));
    return true;
  }
  const auto& wanted = *understood;
  if (std::holds_alternative<quit>(wanted)) return false;
  if (const auto* order = std::get_if<command>(&wanted)) run(line, *order);
  if (const auto* wait = std::get_if<wait_for>(&wanted)) run(line, *wait);
  if (const auto* key = std::get_if<show_key>(&wanted)) run(line, *key);
  if (const auto* what = std::get_if<show>(&wanted)) run(line, *what);
  if (const auto* status = std::get_if<show_status>(&wanted)) run(*status);
  if (const auto* help = std::get_if<show_help>(&wanted)) run(*help);
  return true;
}

void program::run(const std::string& line, const command& order) {
  const auto id = engine_.submit(order);
  const auto done = journal_.wait_finished(id, command_timeout);
  if (!done)
    journal_.tell(error_json(without_secrets(line),
                             "It was not finished in time. It may still be; "
                             "look with 'status' and 'show'."));
  else if (done->failure)
    journal_.tell(error_json(without_secrets(line), done->failure->message));
}

void program::run(const std::string& line, const wait_for& wanted) {
  if (!journal_.wait_for(wanted.event, wanted.values, wanted.timeout))
    journal_.tell(error_json(without_secrets(line),
                             "No such event came within the time-out."));
}

void program::run(const std::string& line, const show_key& wanted) {
  const auto seen = view();
  const auto* account = find_account(*seen, prepared(wanted.account, {}));
  if (account == nullptr)
    return journal_.tell(no_account(line, wanted.account));
  if (account->fingerprint.empty())
    return journal_.tell(error_json(
        without_secrets(line), "The account " + account->account +
                                   " has no key yet. Make one: key generate " +
                                   account->account));
  journal_.tell({{"event", "key"},
                 {"account", account->account},
                 {"fingerprint", account->fingerprint}});
}

void program::run(const std::string& line, const show& wanted) {
  auto exact = wanted;
  exact.account = prepared(wanted.account, {});
  exact.contact = prepared(wanted.contact, exact.account);
  const auto seen = view();
  if (!exact.account.empty() && find_account(*seen, exact.account) == nullptr)
    return journal_.tell(no_account(line, wanted.account));
  journal_.tell(to_json(*seen, exact));
}

void program::run(const show_status&) { journal_.tell(status_json(*view())); }

void program::run(const show_help&) {
  journal_.tell({{"event", "help"}, {"commands", grammar()}});
}

std::shared_ptr<const snapshot> program::view() {
  journal_.wait_published();
  return engine_.load();
}

}  // namespace sotto::cli
