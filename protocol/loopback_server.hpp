#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "crypto/result.hpp"
#include "crypto/secret.hpp"
#include "protocol/jid.hpp"
#include "protocol/stanza.hpp"

namespace sotto {

/// What the in-process server knows and does: accounts, rosters,
/// subscriptions, presence, offline messages, routing (RFC 6120 section 10,
/// RFC 6121). Every domain is its own. Not thread-safe; each call adds to the
/// output, which the caller takes and delivers in order.
class loopback_server {
 public:
  using link_id = std::uint64_t;
  struct delivery {
    link_id link = 0;
    stanza what;
  };
  struct connection {
    link_id link = 0;
    jid bound;
  };

  /// Messages kept for an account that is away; more are bounced.
  static constexpr std::size_t max_offline = 1'000;

  /// Makes the account at its first connect; later ones need the same
  /// password. A resource that is taken (or empty) is replaced by one of the
  /// server's making.
  result<connection> connect(const jid& account, const std::string& resource,
                             std::shared_ptr<const secret> password);
  /// Ends a session: unavailable goes out if it was available.
  void disconnect(link_id link);
  /// A stanza from a client. `from` is stamped over.
  void handle(link_id link, stanza incoming);

  /// The links of an account, with their full JIDs.
  std::vector<connection> connections(const jid& account) const;
  std::vector<delivery> take_output() { return std::exchange(output_, {}); }

 private:
  struct session {
    link_id link = 0;
    jid full;
    bool interested = false;                  ///< has asked for the roster
    std::optional<presence_stanza> presence;  ///< while available
  };
  struct entry {
    roster_item item;
    bool listed = false;      ///< a row that the user sees
    bool pending_in = false;  ///< the contact's request is open
    std::string request_text;
  };
  struct account {
    std::shared_ptr<const secret> password;
    std::map<jid, entry> roster;
    std::map<std::string, session> sessions;  ///< by resource
    std::deque<message_stanza> offline;
  };

  static bool is_top(const account& of, const session& candidate);
  static bool sees(const entry& of);
  static bool is_seen_by(const entry& of);
  static void set_sides(entry& of, bool sees_contact, bool seen_by_contact);

  account* find_account(const jid& address);
  session* find_session(const jid& full);
  entry* find_entry(const jid& owner, const jid& contact);
  entry& make_entry(account& owner, const jid& contact);
  jid free_address(const jid& bare, const std::string& resource);
  void deliver(const session& to, stanza what);

  // loopback_server.cpp: messages and IQs
  void take(session& sender, message_stanza message);
  void to_bare(account& receiver, const message_stanza& message);
  void to_top_resources(account& receiver, const message_stanza& message);
  void keep_offline(account& receiver, const message_stanza& message);
  void flush_offline(account& owner, const session& to);
  void bounce(const message_stanza& message);
  void take(session& sender, const iq_stanza& iq);
  void answer(session& sender, const iq_stanza& iq);
  void refuse(const iq_stanza& iq, const char* type, const char* condition);
  void roster_get(session& sender, const iq_stanza& iq);
  void roster_set(session& sender, const iq_stanza& iq,
                  const roster_query& query);
  void roster_remove(session& sender, const iq_stanza& iq, const jid& contact);

  // loopback_presence.cpp
  void take(session& sender, const presence_stanza& presence);
  void available(session& sender, const presence_stanza& presence);
  void unavailable(session& sender, presence_stanza presence);
  void directed(session& sender, presence_stanza presence);
  void broadcast(const session& sender, const presence_stanza& presence);
  void welcome(session& sender);
  void show_to(const session& watcher, const jid& contact);
  void probe(const session& sender, const jid& contact);
  void resend_requests(const session& to);
  void to_available(const jid& account, presence_stanza presence);
  void to_interested(const jid& account, const presence_stanza& presence);
  void tell_resources(const jid& owner, const jid& watcher, bool available);
  void push(const jid& owner, const roster_item& item);

  // loopback_subscriptions.cpp: RFC 6121 section 3 and appendix A. The first
  // argument is the account whose state changes.
  void subscription_from_client(const jid& me, presence_stanza presence);
  void send_subscribe(const jid& me, const presence_stanza& presence);
  void send_subscribed(const jid& me, const presence_stanza& presence);
  void send_unsubscribe(const jid& me, const presence_stanza& presence);
  void send_unsubscribed(const jid& me, const presence_stanza& presence);
  void get_subscribe(const jid& me, const presence_stanza& presence);
  void get_subscribed(const jid& me, const presence_stanza& presence);
  void get_unsubscribe(const jid& me, const presence_stanza& presence);
  void get_unsubscribed(const jid& me, const presence_stanza& presence);
  void cancel_both(const jid& me, const jid& contact, const entry& last);

  std::map<jid, account> accounts_;  ///< by bare JID
  std::unordered_map<link_id, jid> links_;
  std::vector<delivery> output_;
  link_id last_link_ = 0;
  std::uint64_t last_push_ = 0;
};

}  // namespace sotto
