#include "protocol/roster.hpp"

#include <utility>

#include "protocol/utf8.hpp"

namespace sotto {
namespace {

/// We see the contact's presence.
bool sees(const roster_item& item) {
  return item.subscribed == subscription::to ||
         item.subscribed == subscription::both;
}

/// The contact sees ours.
bool is_seen_by(const roster_item& item) {
  return item.subscribed == subscription::from ||
         item.subscribed == subscription::both;
}

bool sees_or_asks(const roster_item& item) {
  return sees(item) || item.ask_subscribe;
}

/// The item once the contact has ended our subscription and our request.
roster_item without_our_side(roster_item item) {
  item.ask_subscribe = false;
  item.subscribed = is_seen_by(item) ? subscription::from : subscription::none;
  return item;
}

}  // namespace

contact_standing contact::standing() const {
  if (sees(item)) return contact_standing::accepted;
  if (item.ask_subscribe) return contact_standing::waiting;
  return declined ? contact_standing::declined : contact_standing::none;
}

void roster::restore(const std::vector<contact>& contacts,
                     std::vector<subscription_request> requests) {
  contacts_.clear();
  requests_.clear();
  lost_.clear();
  roster_change unused;
  for (const contact& row : contacts) put(row.item, row.declined, unused);
  for (subscription_request& request : requests) {
    if (requests_.size() >= max_requests) break;
    request.from = request.from.bare();
    const jid from = request.from;
    if (!from.empty()) requests_.try_emplace(from, std::move(request));
  }
}

roster_change roster::reset(const roster_query& full) {
  roster_change change;
  const auto before = std::exchange(contacts_, {});
  lost_.clear();
  for (const roster_item& item : full.items) {
    if (item.subscribed == subscription::remove) continue;
    const auto old = before.find(item.address);
    const bool declined =
        old != before.end() &&
        (old->second.declined || sees_or_asks(old->second.item));
    put(item, declined, change);
  }
  // What `put` noted as changed is new to an empty table; tell only what
  // differs from before.
  change.contacts.clear();
  for (const auto& [address, row] : contacts_) {
    const auto old = before.find(address);
    if (old == before.end() || old->second != row)
      change.contacts.push_back(address);
  }
  for (const auto& [address, row] : before)
    if (!contacts_.contains(address)) change.contacts.push_back(address);
  return change;
}

roster_change roster::push(const roster_item& item) {
  if (item.subscribed == subscription::remove) return removed(item.address);
  roster_change change;
  const contact* old = find(item.address);
  const bool had = old != nullptr && sees_or_asks(old->item);
  if (sees_or_asks(item))
    lost_.erase(item.address);
  else if (had)
    lost_.insert(item.address);
  put(item, old != nullptr && old->declined, change);
  return change;
}

roster_change roster::presence(const presence_stanza& incoming) {
  roster_change change;
  const jid from = incoming.from.bare();
  if (from.empty()) return change;
  switch (incoming.type) {
    case presence_type::subscribe:
      request(incoming, change);
      break;
    case presence_type::subscribed:
      return asked(from);
    case presence_type::unsubscribe:
      drop_request(from, change);
      break;
    case presence_type::unsubscribed:
      decline(from, change);
      break;
    default:
      break;
  }
  return change;
}

roster_change roster::asked(const jid& address) {
  roster_change change;
  const jid bare = address.bare();
  lost_.erase(bare);
  const auto row = contacts_.find(bare);
  if (row == contacts_.end() || !row->second.declined) return change;
  row->second.declined = false;
  change.contacts.push_back(bare);
  return change;
}

roster_change roster::answered(const jid& address) {
  roster_change change;
  drop_request(address.bare(), change);
  return change;
}

roster_change roster::ignored(const jid& address) {
  roster_change change;
  const auto request = requests_.find(address.bare());
  if (request == requests_.end() || request->second.ignored) return change;
  request->second.ignored = true;
  change.requests.push_back(request->first);
  return change;
}

roster_change roster::removed(const jid& address) {
  roster_change change;
  const jid bare = address.bare();
  lost_.erase(bare);
  if (contacts_.erase(bare) > 0) change.contacts.push_back(bare);
  drop_request(bare, change);
  return change;
}

const contact* roster::find(const jid& address) const {
  const auto row = contacts_.find(address.bare());
  return row == contacts_.end() ? nullptr : &row->second;
}

const subscription_request* roster::find_request(const jid& address) const {
  const auto request = requests_.find(address.bare());
  return request == requests_.end() ? nullptr : &request->second;
}

bool roster::consented(const jid& address) const {
  const contact* row = find(address);
  return row != nullptr && (is_seen_by(row->item) || sees_or_asks(row->item));
}

/// Adds or replaces a row. A decline holds only where there is neither
/// subscription nor request.
void roster::put(const roster_item& item, bool declined,
                 roster_change& change) {
  const jid address = item.address.bare();
  if (address.empty()) return;
  contact row{item, declined && !sees_or_asks(item)};
  row.item.address = address;
  if (is_seen_by(item)) drop_request(address, change);
  const auto old = contacts_.find(address);
  if (old == contacts_.end()) {
    if (contacts_.size() >= max_contacts) {
      ++change.dropped;
      return;
    }
    contacts_.emplace(address, std::move(row));
  } else if (old->second != row) {
    old->second = std::move(row);
  } else {
    return;
  }
  change.contacts.push_back(address);
}

void roster::drop_request(const jid& address, roster_change& change) {
  if (requests_.erase(address) > 0) change.requests.push_back(address);
}

void roster::decline(const jid& address, roster_change& change) {
  const auto found = contacts_.find(address);
  if (found == contacts_.end()) return;
  contact& row = found->second;
  const bool about_us = lost_.erase(address) > 0 || sees_or_asks(row.item);
  if (!about_us) return;
  row.item = without_our_side(std::move(row.item));
  row.declined = true;
  change.contacts.push_back(address);
}

/// A server sends a pending request again at each login (RFC 6121 section
/// 3.1.3): that is no news.
void roster::request(const presence_stanza& incoming, roster_change& change) {
  const jid from = incoming.from.bare();
  if (const contact* row = find(from); row && is_seen_by(row->item)) return;
  std::string text{utf8_prefix(incoming.status, max_request_text)};
  if (const auto known = requests_.find(from); known != requests_.end()) {
    if (known->second.text == text) return;
    known->second.text = std::move(text);
    change.requests.push_back(from);
    return;
  }
  if (requests_.size() >= max_requests) {
    ++change.dropped;
    return;
  }
  const subscription_request request{from, std::move(text), false};
  requests_.emplace(from, request);
  change.requests.push_back(from);
  change.new_requests.push_back(request);
}

}  // namespace sotto
