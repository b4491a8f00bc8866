#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "crypto/otr_conversation.hpp"
#include "crypto/secret.hpp"

namespace sotto {

/// Names a submitted command in its `command_finished` event; never zero for
/// a command that a front end submitted.
using command_id = std::uint64_t;

// Addresses are JIDs as text. `account` is one of the own accounts; a contact
// without a domain is one on the account's own server (S4).

/// Adds an account, or changes those settings of one that exists which are
/// given; its keys, trust and roster stay.
struct add_account {
  std::string account;
  std::shared_ptr<const secret> password;
  std::string host;        ///< empty: found by DNS
  std::uint16_t port = 0;  ///< 0: the usual one
  std::string ca_file;     ///< PEM file of trusted issuers; empty: system's
  std::string pin;  ///< SHA-256 of one accepted certificate, 64 hex digits
  bool allow_plain = false;  ///< SASL PLAIN inside TLS
};
/// Forgets an account with its keys, trust and cached roster.
struct remove_account {
  std::string account;
};
struct connect_account {
  std::string account;
};
struct disconnect_account {
  std::string account;
};

/// S1 to S6: puts a contact on the roster and asks for its presence. For one
/// that is there: changes name and group, and asks again where declined.
struct add_contact {
  std::string account;
  std::string contact;
  std::string group;
  std::string name;
};
struct remove_contact {
  std::string account;
  std::string contact;
};
/// S9 to S12: the answer to a subscription request.
enum class request_answer { authorize, deny, ignore };
struct answer_request {
  std::string account;
  std::string contact;
  request_answer answer = request_answer::ignore;
};

/// S18: makes the account's OTR key; finished when it is stored.
struct generate_key {
  std::string account;
  bool replace = false;  ///< there is one and it shall go
};

struct send_text {
  std::string account;
  std::string contact;
  std::string text;
};

enum class otr_action { start, end, refresh };
struct control_otr {
  std::string account;
  std::string contact;
  otr_action action = otr_action::start;
};

/// Without a contact: the account's own default.
struct set_policy {
  std::string account;
  std::string contact;
  otr_policy policy = otr_policy::opportunistic;
};

/// S35 to S38: what the user typed or pasted is compared with the contact's
/// key; finished when the trust is stored.
struct verify_fingerprint {
  std::string account;
  std::string contact;
  std::string typed;
};
/// Takes back the verification of all keys of a contact.
struct distrust_contact {
  std::string account;
  std::string contact;
};

/// How long a handshake may take before it counts as timed out.
struct set_handshake_timeout {
  std::chrono::seconds timeout{30};
};

/// The user has seen everything in a conversation.
struct mark_read {
  std::string account;
  std::string contact;
};

using command =
    std::variant<add_account, remove_account, connect_account,
                 disconnect_account, add_contact, remove_contact,
                 answer_request, generate_key, send_text, control_otr,
                 set_policy, verify_fingerprint, distrust_contact,
                 set_handshake_timeout, mark_read>;

}  // namespace sotto
