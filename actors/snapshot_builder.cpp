#include "actors/snapshot_builder.hpp"

#include <type_traits>
#include <utility>

namespace sotto {

namespace {

template <class Map>
void erase_account(Map& map, const std::string& account) {
  std::erase_if(map,
                [&](const auto& row) { return row.first.first == account; });
}

/// The account that an event is about; nothing if it makes one, or is about
/// none.
template <class Change>
const std::string* account_of(const Change& change) {
  const std::string* account = nullptr;
  if constexpr (requires { change.contact.account; })
    account = &change.contact.account;
  else if constexpr (requires { change.request.account; })
    account = &change.request.account;
  else if constexpr (requires { change.conversation.account; })
    account = &change.conversation.account;
  else if constexpr (requires { change.account; } &&
                     !std::is_same_v<Change, account_changed>)
    account = &change.account;
  return account;
}

}  // namespace

void snapshot_builder::fold(const event& what) {
  std::visit(
      [this](const auto& change) {
        const auto* account = account_of(change);
        if (account == nullptr || !removed_.contains(*account)) apply(change);
      },
      what);
}

std::shared_ptr<const snapshot> snapshot_builder::freeze() {
  for (const auto& name : touched_) {
    const auto found = conversations_.find(name);
    if (found == conversations_.end()) continue;
    auto& view = found->second.view;
    frozen_.edit(found->second.row) = std::make_shared<const conversation_view>(
        conversation_view{view.state, view.lines.share(), view.unread});
  }
  touched_.clear();

  auto next = std::make_shared<snapshot>();
  next->version = ++version_;
  for (const auto& [name, row] : accounts_) next->accounts.push_back(row);
  next->contacts = contacts_.share();
  for (const auto& [name, row] : requests_) next->requests.push_back(row);
  next->conversations = frozen_.share();
  for (const auto& [name, keys] : keys_)
    next->keys.push_back({name.first, name.second, keys});
  next->trace = trace_.share();
  return next;
}

void snapshot_builder::apply(const account_changed& what) {
  removed_.erase(what.account.account);
  auto& row = accounts_[what.account.account];
  const auto phase = row.phase;
  auto problem = std::move(row.error);
  row = what.account;
  // The link's own events say these two.
  row.phase = phase;
  row.error = std::move(problem);
}

void snapshot_builder::apply(const account_removed& what) {
  removed_.insert(what.account);
  accounts_.erase(what.account);
  erase_account(requests_, what.account);
  erase_account(keys_, what.account);
  while (true) {
    const auto found = contact_row_.lower_bound({what.account, {}});
    if (found == contact_row_.end() || found->first.first != what.account)
      break;
    drop_contact(key{found->first});
  }
  for (auto at = conversations_.begin(); at != conversations_.end();) {
    if (at->first.first != what.account) {
      ++at;
      continue;
    }
    const auto row = at->second.row;
    const auto last = frozen_.size() - 1;
    for (auto& [name, other] : conversations_)
      if (other.row == last) other.row = row;
    frozen_.remove(row);
    at = conversations_.erase(at);
  }
}

void snapshot_builder::apply(const link_changed& what) {
  auto& row = accounts_[what.account];
  row.account = what.account;
  row.phase = what.phase;
  row.error = what.error;
}

void snapshot_builder::apply(const contact_changed& what) {
  const key name{what.contact.account, what.contact.contact};
  const auto found = contact_row_.find(name);
  if (found != contact_row_.end()) {
    contacts_.edit(found->second) = what.contact;
    return;
  }
  contact_row_[name] = contacts_.size();
  contacts_.push_back(what.contact);
}

void snapshot_builder::apply(const contact_removed& what) {
  drop_contact({what.account, what.contact});
}

void snapshot_builder::drop_contact(const key& name) {
  const auto found = contact_row_.find(name);
  if (found == contact_row_.end()) return;
  const auto row = found->second;
  const auto& last = contacts_[contacts_.size() - 1];
  contact_row_[{last.account, last.contact}] = row;
  contacts_.remove(row);
  contact_row_.erase(name);
}

void snapshot_builder::apply(const request_changed& what) {
  requests_[{what.request.account, what.request.contact}] = what.request;
}

void snapshot_builder::apply(const request_removed& what) {
  requests_.erase({what.account, what.contact});
}

snapshot_builder::draft& snapshot_builder::conversation(
    const std::string& account, const std::string& contact) {
  const key name{account, contact};
  touched_.insert(name);
  auto [at, fresh] = conversations_.try_emplace(name);
  if (fresh) {
    at->second.row = frozen_.size();
    at->second.view.state.account = account;
    at->second.view.state.contact = contact;
    frozen_.push_back(nullptr);
  }
  return at->second;
}

void snapshot_builder::apply(const conversation_changed& what) {
  auto& row =
      conversation(what.conversation.account, what.conversation.contact);
  row.view.state = what.conversation;
}

void snapshot_builder::apply(const message_changed& what) {
  auto& row = conversation(what.account, what.contact);
  const auto known = row.line_of.find(what.message.id);
  if (known != row.line_of.end()) {
    row.view.lines.edit(known->second) = what.message;
    return;
  }
  row.line_of[what.message.id] = row.view.lines.size();
  row.view.lines.push_back(what.message);
  if (!what.message.outgoing) ++row.view.unread;
}

void snapshot_builder::apply(const notice_added& what) {
  conversation(what.account, what.contact).view.lines.push_back(what.notice);
}

void snapshot_builder::apply(const conversation_lost& what) {
  auto& lines = conversation(what.account, what.contact).view.lines;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto* message = std::get_if<message_view>(&lines[i]);
    if (message != nullptr && message->state == message_state::queued)
      std::get<message_view>(lines.edit(i)).state = message_state::failed;
  }
}

void snapshot_builder::apply(const conversation_read& what) {
  conversation(what.account, what.contact).view.unread = 0;
}

void snapshot_builder::apply(const known_keys_changed& what) {
  keys_[{what.account, what.contact}] = what.keys;
}

void snapshot_builder::apply(const trace_added& what) {
  auto entry = what.entry;
  entry.number = traced_++;
  const auto place = static_cast<std::size_t>(entry.number % max_trace);
  if (place < trace_.size())
    trace_.edit(place) = std::move(entry);
  else
    trace_.push_back(std::move(entry));
}

std::shared_ptr<const snapshot> snapshot_cell::load() const {
  const std::lock_guard lock{mutex_};
  return current_;
}

void snapshot_cell::publish(std::shared_ptr<const snapshot> next) {
  const std::lock_guard lock{mutex_};
  current_.swap(next);
}

const account_view* find_account(const snapshot& view,
                                 std::string_view account) {
  for (const auto& row : view.accounts)
    if (row.account == account) return &row;
  return nullptr;
}

const conversation_view* find_conversation(const snapshot& view,
                                           std::string_view account,
                                           std::string_view contact) {
  for (std::size_t i = 0; i < view.conversations.size(); ++i) {
    const auto& row = view.conversations[i];
    if (row && row->state.account == account && row->state.contact == contact)
      return row.get();
  }
  return nullptr;
}

}  // namespace sotto
