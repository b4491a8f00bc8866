#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/jid.hpp"

namespace sotto {

using wall_time = std::chrono::system_clock::time_point;

/// A stanza error (RFC 6120 section 8.3).
struct stanza_error {
  std::string type;       ///< auth, cancel, continue, modify, wait
  std::string condition;  ///< the element's name, e.g. "service-unavailable"
  std::string text;       ///< the server's words; remote text
};

enum class message_type { normal, chat, groupchat, headline, error };

/// Delivery hints of XEP-0334 and `<private/>` of XEP-0280.
struct message_hints {
  bool no_copy = false;
  bool no_store = false;
  bool no_permanent_store = false;
  bool private_copy = false;  ///< `<private xmlns='urn:xmpp:carbons:2'/>`

  friend bool operator==(const message_hints&, const message_hints&) = default;
};

/// A `<message/>` (RFC 6121 section 5). Strings are UTF-8.
struct message_stanza {
  jid from;
  jid to;
  std::string id;
  message_type type = message_type::chat;
  std::optional<std::string> body;
  std::string thread;
  std::string origin_id;        ///< XEP-0359
  std::string encryption_ns;    ///< XEP-0380, e.g. "urn:xmpp:otr:0"
  std::string encryption_name;  ///< XEP-0380
  message_hints hints;
  bool receipt_request = false;    ///< XEP-0184
  std::string receipt_for;         ///< XEP-0184: id that is acknowledged
  std::optional<wall_time> delay;  ///< XEP-0203: was stored on the way
  std::string delay_from;          ///< XEP-0203: who says so
  bool is_carbon = false;          ///< came wrapped in a XEP-0280 carbon
  bool is_archived = false;        ///< came wrapped in a XEP-0313 result
  jid outer_from;                  ///< the wrapper's sender, if wrapped
  std::optional<stanza_error> error;
};

enum class presence_type {
  available,
  unavailable,
  subscribe,
  subscribed,
  unsubscribe,
  unsubscribed,
  probe,
  error
};

/// `<show/>` (RFC 6121 section 4.7.2.1); `none` is plainly available.
enum class presence_show { none, chat, away, xa, dnd };

/// A `<presence/>` (RFC 6121 section 4).
struct presence_stanza {
  jid from;
  jid to;
  std::string id;
  presence_type type = presence_type::available;
  presence_show show = presence_show::none;
  std::string status;
  int priority = 0;  ///< -128..127
  std::optional<stanza_error> error;
};

enum class iq_type { get, set, result, error };

/// The subscription of a roster item (RFC 6121 section 2.1.2.5); `remove`
/// stands only in a push or a set.
enum class subscription { none, to, from, both, remove };

/// One contact of the roster (RFC 6121 section 2.1.2).
struct roster_item {
  jid address;  ///< bare
  std::string name;
  std::vector<std::string> groups;
  sotto::subscription subscribed = sotto::subscription::none;
  bool ask_subscribe = false;  ///< ask='subscribe': our request is pending

  friend bool operator==(const roster_item&, const roster_item&) = default;
};

/// `jabber:iq:roster` (RFC 6121 section 2).
struct roster_query {
  std::string version;
  std::vector<roster_item> items;
};

/// `urn:xmpp:ping` (XEP-0199).
struct ping_query {};

/// `jabber:iq:version` or `disco#info` asked of us, told apart by `ns`.
struct info_query {
  std::string ns;
  std::string node;
};

/// Our answer to a `disco#info` request (XEP-0030).
struct disco_info {
  std::string node;
  std::vector<std::string> features;
};

/// A payload this program has no use for.
struct unknown_payload {
  std::string name;
  std::string ns;
};

using iq_payload = std::variant<std::monostate, roster_query, ping_query,
                                info_query, disco_info, unknown_payload>;

/// An `<iq/>` (RFC 6120 section 8.2.3).
struct iq_stanza {
  jid from;
  jid to;
  std::string id;
  iq_type type = iq_type::get;
  iq_payload payload;
  std::optional<stanza_error> error;
};

using stanza = std::variant<message_stanza, presence_stanza, iq_stanza>;

}  // namespace sotto
