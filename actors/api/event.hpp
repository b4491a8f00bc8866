#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "actors/api/command.hpp"
#include "actors/api/views.hpp"

namespace sotto {

// What happened in the engine: each is folded into the next snapshot and
// handed to `engine::on_event`, in order.

/// An account is new or its settings, key or policy have changed.
struct account_changed {
  account_view account;
};
struct account_removed {
  std::string account;
};
/// The link of an account has another phase. `error` says why where it
/// failed or waits.
struct link_changed {
  std::string account;
  link_phase phase = link_phase::offline;
  std::string error;
};
/// The server's certificate was not accepted; a person may pin it.
struct certificate_asked {
  std::string account;
  std::string sha256;
  std::string problems;     ///< stable words, comma separated
  std::string explanation;  ///< a sentence
};
/// A contact is new or has changed.
struct contact_changed {
  contact_view contact;
};
struct contact_removed {
  std::string account;
  std::string contact;
};
/// A subscription request is new (`fresh`) or has changed.
struct request_changed {
  request_view request;
  bool fresh = false;
};
struct request_removed {
  std::string account;
  std::string contact;
};
/// A conversation exists or its private state has changed.
struct conversation_changed {
  conversation_state conversation;
  /// State or fingerprint differ from the last such event.
  bool otr_changed = false;
};
/// A message is new or its state has changed (told apart by its id).
struct message_changed {
  std::string account;
  std::string contact;
  message_view message;
};
/// A system line of a conversation.
struct notice_added {
  std::string account;
  std::string contact;
  notice_view notice;
};
/// A conversation was started again after a failure: what was queued there
/// has failed, and no private session stands.
struct conversation_lost {
  std::string account;
  std::string contact;
};
struct conversation_read {
  std::string account;
  std::string contact;
};
struct key_generated {
  std::string account;
  std::string fingerprint;
};
/// The keys known for a contact.
struct known_keys_changed {
  std::string account;
  std::string contact;
  std::vector<known_key> keys;
};
/// For the debugger: something an actor did.
struct trace_added {
  trace_view entry;
};
/// A command has been carried out, or was refused for `failure`.
struct command_finished {
  command_id id = 0;
  std::optional<error> failure;
};

/// All that was stored has been told; the next snapshot holds it.
struct engine_started {};

/// Something failed that no command asked for: a full disk, say.
struct engine_failed {
  std::string account;  ///< empty if it concerns none
  std::string reason;
};

using event =
    std::variant<account_changed, account_removed, link_changed,
                 certificate_asked, contact_changed, contact_removed,
                 request_changed, request_removed, conversation_changed,
                 message_changed, notice_added, conversation_lost,
                 conversation_read, key_generated, known_keys_changed,
                 trace_added, command_finished, engine_started, engine_failed>;

}  // namespace sotto
