#include "protocol/loopback_server.hpp"

namespace sotto {

void loopback_server::take(session& sender, const presence_stanza& presence) {
  switch (presence.type) {
    case presence_type::available:
      if (!presence.to.empty()) return directed(sender, presence);
      return available(sender, presence);
    case presence_type::unavailable:
      if (!presence.to.empty()) return directed(sender, presence);
      return unavailable(sender, presence);
    case presence_type::probe:
      return probe(sender, presence.to.bare());
    case presence_type::error:
      return;
    default:
      return subscription_from_client(sender.full.bare(), presence);
  }
}

/// RFC 6121 sections 4.2 and 4.4.
void loopback_server::available(session& sender,
                                const presence_stanza& presence) {
  const bool initial = !sender.presence.has_value();
  const bool took_messages = !initial && sender.presence->priority >= 0;
  sender.presence = presence;
  broadcast(sender, presence);
  if (initial) welcome(sender);
  if (presence.priority >= 0 && !took_messages)
    flush_offline(*find_account(sender.full), sender);
}

/// RFC 6121 section 4.5.
void loopback_server::unavailable(session& sender, presence_stanza presence) {
  if (!sender.presence) return;
  presence.type = presence_type::unavailable;
  presence.from = sender.full;
  broadcast(sender, presence);
  sender.presence.reset();
}

/// Presence for one receiver (RFC 6121 section 4.6). Nobody is told when the
/// sender goes.
void loopback_server::directed(session& sender, presence_stanza presence) {
  presence.from = sender.full;
  const jid to = presence.to;
  if (to.is_bare()) return to_available(to, std::move(presence));
  if (const session* receiver = find_session(to))
    deliver(*receiver, std::move(presence));
}

/// To the own available resources and to all who may see us.
void loopback_server::broadcast(const session& sender,
                                const presence_stanza& presence) {
  const jid me = sender.full.bare();
  to_available(me, presence);
  for (const auto& [contact, row] : find_account(me)->roster)
    if (is_seen_by(row)) to_available(contact, presence);
}

/// What a resource gets that has just become available: who else is
/// available, then the requests that are open.
void loopback_server::welcome(session& sender) {
  const jid me = sender.full.bare();
  account& owner = *find_account(me);
  for (const auto& [resource, other] : owner.sessions) {
    if (!other.presence || other.link == sender.link) continue;
    presence_stanza presence = *other.presence;
    presence.to = sender.full;
    deliver(sender, std::move(presence));
  }
  for (const auto& [contact, row] : owner.roster)
    if (sees(row)) show_to(sender, contact);
  resend_requests(sender);
}

/// The contact's presence, if the contact lets the watcher see it.
void loopback_server::show_to(const session& watcher, const jid& contact) {
  const entry* permission = find_entry(contact, watcher.full.bare());
  if (permission == nullptr || !is_seen_by(*permission)) return;
  for (const auto& [resource, one] : find_account(contact)->sessions) {
    if (!one.presence) continue;
    presence_stanza presence = *one.presence;
    presence.to = watcher.full;
    deliver(watcher, std::move(presence));
  }
}

void loopback_server::probe(const session& sender, const jid& contact) {
  show_to(sender, contact);
}

void loopback_server::resend_requests(const session& to) {
  for (const auto& [contact, row] : find_account(to.full)->roster) {
    if (!row.pending_in) continue;
    presence_stanza request;
    request.from = contact;
    request.to = to.full.bare();
    request.type = presence_type::subscribe;
    request.status = row.request_text;
    deliver(to, std::move(request));
  }
}

void loopback_server::to_available(const jid& address,
                                   presence_stanza presence) {
  const account* receiver = find_account(address);
  if (receiver == nullptr) return;
  presence.to = address.bare();
  for (const auto& [resource, one] : receiver->sessions)
    if (one.presence) deliver(one, presence);
}

void loopback_server::to_interested(const jid& address,
                                    const presence_stanza& presence) {
  const account* receiver = find_account(address);
  if (receiver == nullptr) return;
  for (const auto& [resource, one] : receiver->sessions)
    if (one.interested) deliver(one, presence);
}

/// Sends the presence of each of the owner's available resources, or that it
/// is gone, to the watcher.
void loopback_server::tell_resources(const jid& owner, const jid& watcher,
                                     bool is_available) {
  const account* teller = find_account(owner);
  if (teller == nullptr) return;
  for (const auto& [resource, one] : teller->sessions) {
    if (!one.presence) continue;
    presence_stanza presence;
    if (is_available) presence = *one.presence;
    if (!is_available) presence.type = presence_type::unavailable;
    presence.from = one.full;
    to_available(watcher, std::move(presence));
  }
}

/// RFC 6121 section 2.1.6: to every resource that has asked for the roster.
void loopback_server::push(const jid& owner, const roster_item& item) {
  const account* receiver = find_account(owner);
  if (receiver == nullptr) return;
  iq_stanza iq;
  iq.type = iq_type::set;
  iq.id = "push-" + std::to_string(++last_push_);
  iq.payload = roster_query{"", {item}};
  for (const auto& [resource, one] : receiver->sessions) {
    if (!one.interested) continue;
    iq.to = one.full;
    deliver(one, iq);
  }
}

}  // namespace sotto
