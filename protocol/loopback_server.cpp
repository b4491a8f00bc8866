#include "protocol/loopback_server.hpp"

#include <algorithm>
#include <chrono>

#include "protocol/namespaces.hpp"

namespace sotto {
namespace {

bool same_password(const std::shared_ptr<const secret>& a,
                   const std::shared_ptr<const secret>& b) {
  static const secret none;
  return (a ? *a : none).equals(b ? *b : none);
}

iq_stanza reply_to(const iq_stanza& request, iq_type type) {
  iq_stanza reply;
  reply.from = request.to;
  reply.to = request.from;
  reply.id = request.id;
  reply.type = type;
  return reply;
}

bool is_request(const iq_stanza& iq) {
  return iq.type == iq_type::get || iq.type == iq_type::set;
}

}  // namespace

result<loopback_server::connection> loopback_server::connect(
    const jid& address, const std::string& resource,
    std::shared_ptr<const secret> password) {
  const jid bare = address.bare();
  if (bare.local().empty())
    return error{errc::invalid_argument,
                 "An account needs an address like name@example.org."};
  const auto [found, made] = accounts_.try_emplace(bare);
  account& owner = found->second;
  if (made)
    owner.password = std::move(password);
  else if (!same_password(owner.password, password))
    return error{errc::refused,
                 "The server refused the password of " + bare.str() +
                     " (not-authorized). Check it and try again."};
  const jid full = free_address(bare, resource);
  const link_id link = ++last_link_;
  owner.sessions[full.resource()] = session{link, full, false, {}};
  links_[link] = full;
  return connection{link, full};
}

void loopback_server::disconnect(link_id link) {
  const auto found = links_.find(link);
  if (found == links_.end()) return;
  const jid full = found->second;
  if (session* ending = find_session(full))
    if (ending->presence) unavailable(*ending, {});
  find_account(full)->sessions.erase(full.resource());
  links_.erase(link);
}

void loopback_server::handle(link_id link, stanza incoming) {
  const auto found = links_.find(link);
  if (found == links_.end()) return;
  session* sender = find_session(found->second);
  std::visit(
      [&](auto& what) {
        what.from = sender->full;
        take(*sender, std::move(what));
      },
      incoming);
}

std::vector<loopback_server::connection> loopback_server::connections(
    const jid& address) const {
  std::vector<connection> all;
  const auto owner = accounts_.find(address.bare());
  if (owner == accounts_.end()) return all;
  for (const auto& [resource, one] : owner->second.sessions)
    all.push_back({one.link, one.full});
  return all;
}

loopback_server::account* loopback_server::find_account(const jid& address) {
  const auto found = accounts_.find(address.bare());
  return found == accounts_.end() ? nullptr : &found->second;
}

loopback_server::session* loopback_server::find_session(const jid& full) {
  account* owner = find_account(full);
  if (owner == nullptr) return nullptr;
  const auto found = owner->sessions.find(full.resource());
  return found == owner->sessions.end() ? nullptr : &found->second;
}

jid loopback_server::free_address(const jid& bare,
                                  const std::string& resource) {
  auto wanted = bare.with_resource(resource);
  if (wanted && find_session(*wanted) == nullptr) return *wanted;
  for (link_id n = last_link_ + 1;; ++n) {
    auto made = bare.with_resource("session-" + std::to_string(n));
    if (made && find_session(*made) == nullptr) return *made;
  }
}

void loopback_server::deliver(const session& to, stanza what) {
  output_.push_back({to.link, std::move(what)});
}

// Messages.

void loopback_server::take(session& sender, message_stanza message) {
  message.is_carbon = false;
  message.is_archived = false;
  message.outer_from = {};
  if (message.to.empty()) message.to = sender.full.bare();
  account* receiver = find_account(message.to);
  if (receiver == nullptr) return bounce(message);
  if (message.to.is_bare()) return to_bare(*receiver, message);
  if (const session* resource = find_session(message.to))
    return deliver(*resource, message);
  // RFC 6121 section 8.5.3.2.1: the resource is gone.
  if (message.type == message_type::chat)
    to_bare(*receiver, message);
  else if (message.type != message_type::headline)
    bounce(message);
}

void loopback_server::to_bare(account& receiver,
                              const message_stanza& message) {
  switch (message.type) {
    case message_type::error:
      return;
    case message_type::groupchat:
      return bounce(message);
    case message_type::headline:
      for (const auto& [resource, one] : receiver.sessions)
        if (one.presence && one.presence->priority >= 0) deliver(one, message);
      return;
    case message_type::normal:
    case message_type::chat:
      return to_top_resources(receiver, message);
  }
}

/// Whether no available resource has a higher priority, and it is not
/// negative.
bool loopback_server::is_top(const account& of, const session& candidate) {
  if (!candidate.presence || candidate.presence->priority < 0) return false;
  return std::none_of(
      of.sessions.begin(), of.sessions.end(), [&](const auto& other) {
        const auto& presence = other.second.presence;
        return presence && presence->priority > candidate.presence->priority;
      });
}

void loopback_server::to_top_resources(account& receiver,
                                       const message_stanza& message) {
  bool delivered = false;
  for (const auto& [resource, one] : receiver.sessions) {
    if (!is_top(receiver, one)) continue;
    deliver(one, message);
    delivered = true;
  }
  if (!delivered) keep_offline(receiver, message);
}

void loopback_server::keep_offline(account& receiver,
                                   const message_stanza& message) {
  if (!message.body) return;
  if (message.hints.no_store || receiver.offline.size() >= max_offline)
    return bounce(message);
  message_stanza kept = message;
  kept.delay = std::chrono::system_clock::now();
  kept.delay_from = message.to.domain();
  receiver.offline.push_back(std::move(kept));
}

void loopback_server::flush_offline(account& owner, const session& to) {
  for (message_stanza& message : std::exchange(owner.offline, {}))
    deliver(to, std::move(message));
}

void loopback_server::bounce(const message_stanza& message) {
  const session* sender = find_session(message.from);
  if (sender == nullptr || message.type == message_type::error) return;
  message_stanza reply;
  reply.from = message.to;
  reply.to = message.from;
  reply.id = message.id;
  reply.type = message_type::error;
  reply.error = stanza_error{"cancel", "service-unavailable", ""};
  deliver(*sender, std::move(reply));
}

// IQs.

void loopback_server::take(session& sender, const iq_stanza& iq) {
  const bool for_server =
      iq.to.empty() || iq.to == sender.full.bare() || iq.to.local().empty();
  if (for_server) return answer(sender, iq);
  const session* receiver = iq.to.is_bare() ? nullptr : find_session(iq.to);
  if (receiver != nullptr) return deliver(*receiver, iq);
  refuse(iq, "cancel", "service-unavailable");
}

void loopback_server::answer(session& sender, const iq_stanza& iq) {
  if (!is_request(iq)) return;
  const auto* query = std::get_if<roster_query>(&iq.payload);
  if (query != nullptr && iq.type == iq_type::get)
    return roster_get(sender, iq);
  if (query != nullptr) return roster_set(sender, iq, *query);
  if (std::holds_alternative<ping_query>(iq.payload) && iq.type == iq_type::get)
    return deliver(sender, reply_to(iq, iq_type::result));
  refuse(iq, "cancel", "service-unavailable");
}

void loopback_server::refuse(const iq_stanza& iq, const char* type,
                             const char* condition) {
  const session* sender = find_session(iq.from);
  if (sender == nullptr || !is_request(iq)) return;
  iq_stanza reply = reply_to(iq, iq_type::error);
  reply.error = stanza_error{type, condition, ""};
  deliver(*sender, std::move(reply));
}

void loopback_server::roster_get(session& sender, const iq_stanza& iq) {
  sender.interested = true;
  roster_query rows;
  for (const auto& [contact, one] : find_account(sender.full)->roster)
    if (one.listed) rows.items.push_back(one.item);
  iq_stanza reply = reply_to(iq, iq_type::result);
  reply.payload = std::move(rows);
  deliver(sender, std::move(reply));
}

/// RFC 6121 sections 2.3 to 2.5.
void loopback_server::roster_set(session& sender, const iq_stanza& iq,
                                 const roster_query& query) {
  if (query.items.size() != 1) return refuse(iq, "modify", "bad-request");
  const roster_item& wanted = query.items.front();
  const jid me = sender.full.bare();
  const jid contact = wanted.address.bare();
  if (contact.empty()) return refuse(iq, "modify", "bad-request");
  if (contact == me) return refuse(iq, "cancel", "not-allowed");
  if (wanted.subscribed == subscription::remove)
    return roster_remove(sender, iq, contact);
  entry& row = make_entry(*find_account(me), contact);
  row.listed = true;
  row.item.name = wanted.name;
  row.item.groups = wanted.groups;
  deliver(sender, reply_to(iq, iq_type::result));
  push(me, row.item);
}

void loopback_server::roster_remove(session& sender, const iq_stanza& iq,
                                    const jid& contact) {
  const jid me = sender.full.bare();
  account& owner = *find_account(me);
  const auto row = owner.roster.find(contact);
  if (row == owner.roster.end() || !row->second.listed)
    return refuse(iq, "cancel", "item-not-found");
  const entry last = std::move(row->second);
  owner.roster.erase(row);
  deliver(sender, reply_to(iq, iq_type::result));
  push(me, {contact, "", {}, subscription::remove, false});
  cancel_both(me, contact, last);
}

}  // namespace sotto
