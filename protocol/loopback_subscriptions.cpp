#include "protocol/loopback_server.hpp"

namespace sotto {

bool loopback_server::sees(const entry& of) {
  return of.item.subscribed == subscription::to ||
         of.item.subscribed == subscription::both;
}

bool loopback_server::is_seen_by(const entry& of) {
  return of.item.subscribed == subscription::from ||
         of.item.subscribed == subscription::both;
}

void loopback_server::set_sides(entry& of, bool sees_contact,
                                bool seen_by_contact) {
  if (sees_contact && seen_by_contact)
    of.item.subscribed = subscription::both;
  else if (sees_contact)
    of.item.subscribed = subscription::to;
  else if (seen_by_contact)
    of.item.subscribed = subscription::from;
  else
    of.item.subscribed = subscription::none;
}

loopback_server::entry* loopback_server::find_entry(const jid& owner,
                                                    const jid& contact) {
  account* found = find_account(owner);
  if (found == nullptr) return nullptr;
  const auto row = found->roster.find(contact.bare());
  return row == found->roster.end() ? nullptr : &row->second;
}

loopback_server::entry& loopback_server::make_entry(account& owner,
                                                    const jid& contact) {
  entry& row = owner.roster[contact.bare()];
  row.item.address = contact.bare();
  return row;
}

void loopback_server::subscription_from_client(const jid& me,
                                               presence_stanza presence) {
  presence.from = me;
  presence.to = presence.to.bare();
  if (presence.to.empty() || presence.to == me) return;
  switch (presence.type) {
    case presence_type::subscribe:
      return send_subscribe(me, presence);
    case presence_type::subscribed:
      return send_subscribed(me, presence);
    case presence_type::unsubscribe:
      return send_unsubscribe(me, presence);
    case presence_type::unsubscribed:
      return send_unsubscribed(me, presence);
    default:
      return;
  }
}

/// Section 3.1.2.
void loopback_server::send_subscribe(const jid& me,
                                     const presence_stanza& presence) {
  entry& row = make_entry(*find_account(me), presence.to);
  const bool changes = !row.listed || (!sees(row) && !row.item.ask_subscribe);
  row.listed = true;
  if (!sees(row)) row.item.ask_subscribe = true;
  if (changes) push(me, row.item);
  get_subscribe(presence.to, presence);
}

/// Section 3.1.3.
void loopback_server::get_subscribe(const jid& me,
                                    const presence_stanza& presence) {
  account* owner = find_account(me);
  if (owner == nullptr) return;
  const entry* known = find_entry(me, presence.from);
  if (known != nullptr && known->pending_in) return;
  if (known != nullptr && is_seen_by(*known)) {
    presence_stanza already;
    already.type = presence_type::subscribed;
    already.from = me;
    already.to = presence.from;
    return get_subscribed(presence.from, already);
  }
  entry& row = make_entry(*owner, presence.from);
  row.pending_in = true;
  row.request_text = presence.status;
  to_available(me, presence);
}

/// Section 3.1.5. (Pre-approval, section 3.4, is not offered.)
void loopback_server::send_subscribed(const jid& me,
                                      const presence_stanza& presence) {
  entry* row = find_entry(me, presence.to);
  if (row == nullptr || !row->pending_in) return;
  row->pending_in = false;
  row->listed = true;
  set_sides(*row, sees(*row), true);
  push(me, row->item);
  get_subscribed(presence.to, presence);
  tell_resources(me, presence.to, true);
}

/// Section 3.1.6.
void loopback_server::get_subscribed(const jid& me,
                                     const presence_stanza& presence) {
  entry* row = find_entry(me, presence.from);
  if (row == nullptr || !row->item.ask_subscribe) return;
  row->item.ask_subscribe = false;
  set_sides(*row, true, is_seen_by(*row));
  to_interested(me, presence);
  push(me, row->item);
}

/// Section 3.3.2.
void loopback_server::send_unsubscribe(const jid& me,
                                       const presence_stanza& presence) {
  entry* row = find_entry(me, presence.to);
  if (row != nullptr && (sees(*row) || row->item.ask_subscribe)) {
    row->item.ask_subscribe = false;
    set_sides(*row, false, is_seen_by(*row));
    push(me, row->item);
  }
  get_unsubscribe(presence.to, presence);
}

/// Section 3.3.3; also withdraws a request that is still open.
void loopback_server::get_unsubscribe(const jid& me,
                                      const presence_stanza& presence) {
  entry* row = find_entry(me, presence.from);
  if (row == nullptr || (!row->pending_in && !is_seen_by(*row))) return;
  row->pending_in = false;
  to_interested(me, presence);
  if (is_seen_by(*row)) {
    set_sides(*row, sees(*row), false);
    push(me, row->item);
    tell_resources(me, presence.from, false);
  }
  if (!row->listed) find_account(me)->roster.erase(presence.from.bare());
}

/// Section 3.2.2, and the refusal of a request.
void loopback_server::send_unsubscribed(const jid& me,
                                        const presence_stanza& presence) {
  entry* row = find_entry(me, presence.to);
  if (row == nullptr || (!row->pending_in && !is_seen_by(*row))) return;
  row->pending_in = false;
  const bool was_seen = is_seen_by(*row);
  if (was_seen) {
    set_sides(*row, sees(*row), false);
    push(me, row->item);
  }
  if (!row->listed) find_account(me)->roster.erase(presence.to);
  get_unsubscribed(presence.to, presence);
  if (was_seen) tell_resources(me, presence.to, false);
}

/// Section 3.2.3.
void loopback_server::get_unsubscribed(const jid& me,
                                       const presence_stanza& presence) {
  entry* row = find_entry(me, presence.from);
  if (row == nullptr || (!sees(*row) && !row->item.ask_subscribe)) return;
  row->item.ask_subscribe = false;
  set_sides(*row, false, is_seen_by(*row));
  to_interested(me, presence);
  push(me, row->item);
}

/// Section 2.5: what a removed row still had on either side ends.
void loopback_server::cancel_both(const jid& me, const jid& contact,
                                  const entry& last) {
  presence_stanza presence;
  presence.from = me;
  presence.to = contact;
  if (sees(last) || last.item.ask_subscribe) {
    presence.type = presence_type::unsubscribe;
    get_unsubscribe(contact, presence);
  }
  if (!is_seen_by(last) && !last.pending_in) return;
  presence.type = presence_type::unsubscribed;
  get_unsubscribed(contact, presence);
  if (is_seen_by(last)) tell_resources(me, contact, false);
}

}  // namespace sotto
