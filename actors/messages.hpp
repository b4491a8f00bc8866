#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/api/command.hpp"
#include "actors/api/event.hpp"
#include "actors/stored_state.hpp"
#include "crypto/otr_conversation.hpp"
#include "protocol/presence_table.hpp"
#include "protocol/stanza.hpp"
#include "protocol/transport.hpp"

// The messages between actors, named for what happened or what is wanted.
// They stay in this process: none has an `inspect`, so that no text or secret
// can be printed or sent to another node by CAF.

namespace sotto {

// -- to everybody ------------------------------------------------------------

/// Finish what you do, stop your children, and quit.
struct stop_actor {};

// -- to snapshot -------------------------------------------------------------

/// Something changed: fold it into the next snapshot.
struct delta {
  event what;
};
/// Own timer: publish what was folded.
struct publish_due {};

// -- engine to supervisor ----------------------------------------------------

struct ui_command {
  command_id id = 0;
  command order;
};

// -- supervisor to account ---------------------------------------------------

struct settings_changed {
  account_settings settings;
};
struct connect_link {
  command_id id = 0;
};
struct disconnect_link {
  command_id id = 0;
};
/// A change of the roster that the user asked for; `contact` is the parsed
/// bare address.
struct contact_order {
  command_id id = 0;
  jid contact;
  std::variant<add_contact, remove_contact, answer_request> order;
};

// -- transport bridge to account ---------------------------------------------

/// `attempt` tells a late message of an earlier link from one that counts.
struct link_moved {
  std::uint64_t attempt = 0;
  link_change change;
};
struct stanza_arrived {
  std::uint64_t attempt = 0;
  stanza what;
};

/// Own timers of the account.
struct reconnect_due {
  std::uint64_t attempt = 0;
};
struct iq_deadline_due {};

// -- account and roster ------------------------------------------------------

struct roster_reset {
  roster_query full;
};
struct roster_push {
  roster_item item;
};
struct presence_in {
  presence_stanza presence;
};
struct link_lost {};
/// The answer to an IQ that the roster had sent; no failure: result.
struct iq_outcome {
  std::string purpose;
  std::optional<std::string> failure;
};
/// roster to account: send this presence.
struct presence_out {
  presence_stanza presence;
};
/// roster to account: send this request and report its answer.
struct iq_out {
  iq_stanza request;
  std::string purpose;
};

// -- roster to otr -----------------------------------------------------------

/// What is known of the contact's devices now.
struct contact_presence {
  bool visible = false;  ///< we are subscribed: absence means offline
  std::vector<resource_presence> resources;
};

// -- account to otr and session ----------------------------------------------

struct wire_in {
  message_stanza message;
  bool consent = false;  ///< the sender may be answered (R21)
};
/// The account is online or not: messages may be tried, or wait.
struct account_state {
  bool online = false;
};
/// The transport took the stanza that carries a message.
struct wire_accepted {
  std::string message_id;
};
/// It did not (not online, or its queue is full): try again later.
struct wire_refused {
  std::string message_id;
};
/// The server or the contact sent a message back.
struct message_bounced {
  std::string message_id;
  std::string reason;
};

// -- session to otr ----------------------------------------------------------

struct encrypt {
  std::string message_id;
  std::string text;
  /// It waited for a private conversation: never in the clear.
  bool must_be_private = false;
};
struct otr_order {
  command_id id = 0;
  otr_action action = otr_action::start;
};
struct verify_order {
  command_id id = 0;
  std::string typed;
};
struct distrust_order {
  command_id id = 0;
};
struct policy_changed {
  otr_policy policy = otr_policy::opportunistic;
};
struct identity_changed {
  std::shared_ptr<const otr_identity> identity;
};
struct handshake_timeout_changed {
  std::chrono::milliseconds timeout{30'000};
};
/// Own timers of the otr actor.
struct handshake_due {
  std::uint64_t generation = 0;
};
struct poll_due {
  std::uint64_t generation = 0;
};

// -- otr to session ----------------------------------------------------------

struct plain_in {
  std::string message_id;
  std::string text;
  message_security security = message_security::plaintext;
  std::chrono::system_clock::time_point time{};
};
struct encrypt_result {
  std::string message_id;
  otr_submission::verdict verdict = otr_submission::verdict::deferred;
  message_security security = message_security::plaintext;
  std::string reason;
};
/// The state after a step, and what happened in it.
struct otr_news {
  conversation_state state;
  bool changed = false;
  bool ready = false;          ///< deferred messages may be submitted again
  bool ended_by_user = false;  ///< deferred messages must fail
  std::vector<otr_event> events;
};

// -- otr to account ----------------------------------------------------------

/// Lines for the contact. `message_id` is set where they carry a message of
/// the user, which then wants wire_accepted or wire_refused.
struct wire_out {
  jid to;
  std::vector<std::string> lines;
  std::string message_id;
};

// -- keyring -----------------------------------------------------------------

struct make_key {
  command_id id = 0;
  std::string account;
  bool replace = false;
};
/// From the key worker.
struct key_made {
  command_id id = 0;
  std::string account;
  std::shared_ptr<const otr_identity> identity;
  std::string failure;
};
/// Ask: what a conversation starts from.
struct conversation_request {
  contact_key key;
};
struct conversation_secrets {
  std::shared_ptr<const otr_identity> identity;
  known_keys keys;
  bool latched = false;
};
/// The keys of a contact have changed; `id` names the command that is
/// finished once they are stored (0: none).
struct keys_updated {
  contact_key key;
  known_keys keys;
  command_id id = 0;
};
struct latch_updated {
  contact_key key;
  bool latched = false;
};
/// The account is removed; its rows are erased by the store.
struct forget_account {
  std::string account;
};
/// keyring to supervisor: an account has a new key.
struct identity_ready {
  std::string account;
  std::shared_ptr<const otr_identity> identity;
};

// -- store -------------------------------------------------------------------

/// Ask: write these rows, all or none.
struct save_rows {
  row_changes rows;
};
/// Ask: erase all that belongs to an account.
struct erase_account_rows {
  std::string account;
};
struct rows_saved {
  std::string failure;  ///< empty: they are on the disk
};
/// From the store's worker.
struct write_finished {
  std::uint64_t ticket = 0;
  std::string failure;
};

// -- account to supervisor ---------------------------------------------------

/// A message of a contact came for which there is no session yet.
struct session_wanted {
  jid account;
  jid contact;
};
/// Settings that the account learned: best mechanism, problems of a pin.
struct settings_learned {
  account_settings settings;
};

// -- for the debugger and tests ----------------------------------------------

/// Ask the supervisor for a conversation's actors.
struct find_session {
  std::string account;
  std::string contact;
};

}  // namespace sotto
