#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "crypto/result.hpp"
#include "protocol/jid.hpp"
#include "protocol/stanza.hpp"

namespace sotto {

/// Where a contact stands, as the list of contacts says it.
enum class contact_standing {
  none,      ///< listed, no presence either way and nothing pending
  waiting,   ///< "Waiting for authorization" (S7): our request is pending
  declined,  ///< the contact has denied our request, or withdrew it later
  accepted   ///< we see the contact's presence (subscription to or both)
};

/// A row of the list of contacts.
struct contact {
  roster_item item;
  bool declined = false;

  contact_standing standing() const;
  friend bool operator==(const contact&, const contact&) = default;
};

/// Somebody who asks to see our presence (S9).
struct subscription_request {
  jid from;  ///< bare
  std::string text;
  bool ignored = false;  ///< closed without an answer (S12)

  friend bool operator==(const subscription_request&,
                         const subscription_request&) = default;
};

/// What a change of the roster touched.
struct roster_change {
  std::vector<jid> contacts;  ///< rows that are new, changed or gone
  std::vector<jid> requests;  ///< requests that are new, changed or gone
  /// Requests that a person has to be shown now.
  std::vector<subscription_request> new_requests;
  std::size_t dropped = 0;  ///< contacts and requests beyond the caps (R5)
};

/// One account's contacts and subscription requests: the server's roster
/// (RFC 6121 section 2), pending subscriptions (section 3), and two things
/// that the server forgets: who declined, and which requests were ignored.
/// Pure; the caller has applied the sender rules.
class roster {
 public:
  /// Caps of R5; a further contact or request is dropped and counted in
  /// `roster_change::dropped`.
  static constexpr std::size_t max_contacts = 20'000;
  static constexpr std::size_t max_requests = 1'000;
  static constexpr std::size_t max_request_text = 1'024;  ///< bytes

  /// What the cache held, before the server has been asked.
  void restore(const std::vector<contact>& contacts,
               std::vector<subscription_request> requests);
  /// The server's whole roster: replaces the rows, keeps `declined` of those
  /// that have no subscription and no pending request. A row that was waiting
  /// or subscribed and is no longer was declined while we were away.
  roster_change reset(const roster_query& full);
  /// A roster push; one item. (The server sends it beside `unsubscribed` when
  /// a contact declines; the two may come in either order.)
  roster_change push(const roster_item& item);
  /// subscribe, subscribed, unsubscribe, unsubscribed from a contact. (Other
  /// types change nothing.) `unsubscribed` while our request is pending, or
  /// while we were subscribed, makes the row declined; it stays. A new
  /// request of ours or `subscribed` clears that.
  roster_change presence(const presence_stanza& incoming);

  /// The user has asked (again) for the contact's presence: not declined any
  /// longer.
  roster_change asked(const jid& address);
  /// The user has answered a request (authorize, deny): it goes.
  roster_change answered(const jid& address);
  /// The user closed a request without an answer: it stays, ignored.
  roster_change ignored(const jid& address);
  /// Rows of contacts that the user removed go even where the server pushes
  /// nothing.
  roster_change removed(const jid& address);

  const contact* find(const jid& address) const;
  const subscription_request* find_request(const jid& address) const;
  const std::map<jid, contact>& contacts() const noexcept { return contacts_; }
  const std::map<jid, subscription_request>& requests() const noexcept {
    return requests_;
  }
  /// The contact sees our presence, or we asked for theirs: its handshakes
  /// may be answered (R21).
  bool consented(const jid& address) const;

 private:
  void put(const roster_item& item, bool declined, roster_change& change);
  void drop_request(const jid& address, roster_change& change);
  void decline(const jid& address, roster_change& change);
  void request(const presence_stanza& incoming, roster_change& change);

  std::map<jid, contact> contacts_;
  std::map<jid, subscription_request> requests_;
  /// Rows that a push took our subscription or request from: an
  /// `unsubscribed` that follows is about that.
  std::set<jid> lost_;
};

}  // namespace sotto
