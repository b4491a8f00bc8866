#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/otr_conversation.hpp"
#include "crypto/trust.hpp"
#include "protocol/presence_table.hpp"
#include "protocol/roster.hpp"
#include "protocol/transport.hpp"

namespace sotto {

// The rows of a snapshot: plain values for front ends to draw. Addresses are
// JIDs as text; fingerprints are 40 upper-case hex digits; times are UTC.

struct account_view {
  std::string account;
  link_phase phase = link_phase::offline;
  std::string error;        ///< why the link failed or waits
  std::string fingerprint;  ///< own OTR key; empty: no key yet (I6)
  otr_policy policy = otr_policy::opportunistic;
};

struct contact_view {
  std::string account;
  std::string contact;
  std::string name;
  std::vector<std::string> groups;
  subscription subscribed = subscription::none;
  contact_standing standing = contact_standing::none;
  bool ask_subscribe = false;            ///< waiting for authorization (S7)
  std::string presence = "unavailable";  ///< see presence_word
  std::vector<resource_presence> resources;
  std::string warning;  ///< see confusable_warning
};

struct request_view {
  std::string account;
  std::string contact;
  std::string text;
  bool ignored = false;
};

/// queued: not yet on its way; sent: handed to the server; acked and
/// delivered: the server, the contact's client has it; failed: will not go.
enum class message_state { queued, sent, acked, delivered, failed };
std::string_view to_string(message_state state);

struct message_view {
  std::string id;
  bool outgoing = false;
  std::string text;
  message_security security = message_security::plaintext;
  message_state state = message_state::queued;
  std::chrono::system_clock::time_point time{};
  std::string note;  ///< why it is queued or failed; empty if nothing to say
};

/// A system line: `kind` is a stable word, `text` a sentence for the chat.
struct notice_view {
  std::string kind;
  std::string text;
  std::chrono::system_clock::time_point time{};
};

/// The private state of a conversation, as the padlock shows it.
struct conversation_state {
  std::string account;
  std::string contact;
  otr_state state = otr_state::plaintext;
  std::string fingerprint;  ///< the contact's key in this session, or the last
  std::optional<key_standing> standing;
  otr_policy policy = otr_policy::opportunistic;
  bool private_expected = false;  ///< nothing would leave in the clear
  int version = 0;                ///< OTR version of the session; 0: none
  std::uint32_t instance = 0;     ///< the contact's instance tag
  std::string resource;           ///< the contact's device
  std::size_t queued = 0;         ///< messages that wait
};

struct trace_view {
  std::uint64_t number = 0;
  std::chrono::system_clock::time_point time{};
  std::string actor;  ///< the actor's name
  std::string account;
  std::string contact;  ///< empty if it concerns none
  std::string what;     ///< never a message's text
};

std::string_view to_string(link_phase phase);
std::string_view to_string(subscription subscribed);

}  // namespace sotto
