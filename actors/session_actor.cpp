#include "actors/session_actor.hpp"

#include <algorithm>
#include <deque>

#include "actors/notice_text.hpp"
#include "actors/outbox.hpp"
#include "actors/snapshot_actor.hpp"
#include "crypto/otr_gate.hpp"
#include "crypto/otr_wire.hpp"
#include "protocol/ids.hpp"

namespace sotto {

namespace {

/// A message that comes back later than this many others stays "sent".
constexpr std::size_t remembered_messages = 256;

struct session_state {
  static inline const char* name = "session";
  conversation_config config;
  otr_handle otr;
  outbox waiting;
  /// The newest that were sent, so that one that bounces can be shown failed.
  std::deque<message_view> sent;
  conversation_state shown;  ///< as last told to the snapshot
  bool online = false;
  bool online_told = false;  ///< the account has said whether it is
  bool otr_known = false;    ///< the OTR actor has said how things stand
  bool held = false;  ///< the OTR actor deferred; wait for it to say ready
  bool restarting = false;
  bool stopping = false;     ///< asked to stop: what can still go, goes first
  bool otr_stopped = false;  ///< told the OTR actor

  void show(message_view message) const {
    tell(config.snapshots,
         message_changed{config.account.str(), config.contact.str(),
                         std::move(message)});
  }
  /// Messages that cannot go now; those that are just going do not count.
  std::size_t queued() const { return online && !held ? 0 : waiting.size(); }
  void show_state(bool otr_changed) {
    shown.queued = queued();
    tell(config.snapshots, conversation_changed{shown, otr_changed});
  }
};

using self_ptr = actor_self<session_state, session_handle>;

/// With nothing left that could still go, ends the private conversation.
void stop_if_idle(session_state& state) {
  const bool starts = !state.online_told || !state.otr_known;
  const bool can_go =
      !state.waiting.empty() && (starts || (state.online && !state.held));
  if (!state.stopping || state.otr_stopped || can_go) return;
  state.otr_stopped = true;
  for (auto& message : state.waiting.fail_waiting("Sotto was stopped."))
    state.show(std::move(message));
  caf::anon_send(state.otr, stop_actor{});
}

void flush(self_ptr self) {
  auto& state = self->state;
  if (state.online && !state.held && !state.otr_stopped)
    if (auto entry = state.waiting.next())
      caf::anon_send(state.otr, encrypt{entry->message.id, entry->message.text,
                                        entry->must_be_private});
  if (state.queued() != state.shown.queued) state.show_state(false);
  stop_if_idle(state);
}

void start_otr(self_ptr self) {
  auto& state = self->state;
  auto me = caf::actor_cast<session_handle>(self);
  state.otr = spawn_otr(self->system(), state.config, me);
  self->monitor(state.otr);
  caf::anon_send(state.config.owner,
                 session_opened{state.config.contact, me, state.otr});
}

void otr_failed(self_ptr self) {
  auto& state = self->state;
  if (state.stopping) {
    self->quit();
    return;
  }
  state.restarting = true;
  state.waiting.interrupted();
  state.held = true;
  state.otr_known = false;
  start_otr(self);
  notice(state.config.snapshots, state.config.key(), "restarted",
         "Encryption for " + state.config.contact.str() +
             " failed and was started again. Start the private conversation "
             "anew; nothing was sent in the clear.");
}

/// Takes everything out that was written for a private conversation which
/// the user now gives up; it never goes in the clear.
void give_up_waiting(session_state& state) {
  for (auto& message : state.waiting.fail_private(
           "Not sent: it was written for a private conversation."))
    state.show(std::move(message));
}

/// How a message that is typed now will travel, as far as is known.
message_security expected_security(const conversation_state& shown) {
  if (shown.state == otr_state::verified) return message_security::verified;
  return shown.private_expected ? message_security::unverified
                                : message_security::plaintext;
}

/// Why this text cannot be sent in any form, as far as is known here.
std::optional<std::string> refusal_of(const session_state& state,
                                      const std::string& text) {
  if (const auto reason = unsendable(text)) return std::string{*reason};
  if (text.starts_with(otr_prefix) && !state.shown.private_expected)
    return "A message that begins with ?OTR would be taken for a part of the "
           "OTR protocol. Write something before it.";
  return std::nullopt;
}

void send_message(self_ptr self, command_id id, const send_text& order) {
  auto& state = self->state;
  if (auto reason = refusal_of(state, order.text))
    return finish(state.config.snapshots, id,
                  error{errc::invalid_argument, std::move(*reason)});
  message_view message;
  message.id = random_id();
  message.outgoing = true;
  message.text = order.text;
  message.time = std::chrono::system_clock::now();
  message.security = expected_security(state.shown);
  if (state.online_told && !state.online)
    message.note = "Waits until the account is online.";
  state.show(message);
  state.waiting.push({std::move(message), state.shown.private_expected});
  finish(state.config.snapshots, id);
  flush(self);
}

void carry_out(self_ptr self, const ui_command& wanted) {
  auto& state = self->state;
  const auto& order = wanted.order;
  if (const auto* text = std::get_if<send_text>(&order)) {
    send_message(self, wanted.id, *text);
  } else if (const auto* otr = std::get_if<control_otr>(&order)) {
    if (otr->action == otr_action::end) give_up_waiting(state);
    caf::anon_send(state.otr, otr_order{wanted.id, otr->action});
  } else if (const auto* typed = std::get_if<verify_fingerprint>(&order)) {
    caf::anon_send(state.otr, verify_order{wanted.id, typed->typed});
  } else if (std::holds_alternative<distrust_contact>(order)) {
    caf::anon_send(state.otr, distrust_order{wanted.id});
  } else if (std::holds_alternative<mark_read>(order)) {
    tell(state.config.snapshots, conversation_read{state.config.account.str(),
                                                   state.config.contact.str()});
    finish(state.config.snapshots, wanted.id);
  }
}

void received(self_ptr self, const plain_in& in) {
  message_view message;
  message.id = in.message_id;
  message.text = in.text;
  message.security = in.security;
  message.state = message_state::delivered;
  message.time = in.time;
  self->state.show(std::move(message));
}

/// A changed key is told where the user looks, not only in the list of keys.
void warn_of_block(const session_state& state) {
  const auto& standing = state.shown.standing;
  if (standing && !allows_sending(*standing))
    tell(state.config.snapshots,
         engine_failed{state.config.account.str(),
                       "The message to " + state.config.contact.str() +
                           " was not sent: the contact's key has changed. "
                           "Compare the fingerprint by another channel and "
                           "verify it."});
}

void encrypted(self_ptr self, const encrypt_result& outcome) {
  auto& state = self->state;
  switch (outcome.verdict) {
    case otr_submission::verdict::sent:
      state.waiting.secured(outcome.message_id, outcome.security);
      return;  // wire_accepted follows
    case otr_submission::verdict::deferred:
      state.held = true;
      if (auto message =
              state.waiting.defer(outcome.message_id, outcome.reason, true)) {
        state.show(std::move(*message));
        warn_of_block(state);
      }
      break;
    case otr_submission::verdict::refused:
      if (auto message = state.waiting.done(
              outcome.message_id, message_state::failed, outcome.reason))
        state.show(std::move(*message));
      break;
  }
  state.show_state(false);
  flush(self);
}

void wire_took(self_ptr self, const std::string& id) {
  auto& state = self->state;
  if (auto message = state.waiting.done(id, message_state::sent)) {
    state.show(*message);
    state.sent.push_back(std::move(*message));
    if (state.sent.size() > remembered_messages) state.sent.pop_front();
  }
  flush(self);
}

void wire_left(self_ptr self, const std::string& id) {
  auto& state = self->state;
  if (auto message =
          state.waiting.defer(id, "Waits until the account is online.", false))
    state.show(std::move(*message));
  // Tried again when the account says that it is online.
  state.online = false;
  flush(self);
}

void bounced(self_ptr self, const message_bounced& back) {
  auto& state = self->state;
  const auto found = std::find_if(
      state.sent.begin(), state.sent.end(),
      [&](const auto& message) { return message.id == back.message_id; });
  if (found != state.sent.end()) {
    found->state = message_state::failed;
    found->note = "It came back: " + back.reason;
    state.show(*found);
  }
  notice(state.config.snapshots, state.config.key(), "bounced",
         "A message to " + state.config.contact.str() +
             " could not be delivered: " + back.reason);
}

void news(self_ptr self, const otr_news& what) {
  auto& state = self->state;
  const bool changed = state.shown.state != what.state.state ||
                       state.shown.fingerprint != what.state.fingerprint;
  state.shown = what.state;
  state.otr_known = true;
  for (const auto& happened : what.events)
    notice(state.config.snapshots, state.config.key(),
           std::string{to_string(happened.what)},
           notice_sentence(happened, what.state.contact, what.state.state));
  if (what.state.private_expected) state.waiting.make_private();
  if (what.ended_by_user) give_up_waiting(state);
  if (what.ready || what.changed) state.held = false;
  state.show_state(changed || state.restarting);
  state.restarting = false;
  flush(self);
}

void stop(self_ptr self) {
  self->state.stopping = true;
  flush(self);
}

session_handle::behavior_type session_behavior(self_ptr self,
                                               conversation_config config,
                                               bool restarted) {
  auto& state = self->state;
  state.config = std::move(config);
  state.restarting = restarted;
  state.held = true;  // until the OTR actor has its key and trust
  state.shown.account = state.config.account.str();
  state.shown.contact = state.config.contact.str();
  state.shown.policy = state.config.options.policy;
  // Until the OTR actor knows better: what is typed first is not for the
  // clear if the policy says so.
  state.shown.private_expected =
      state.config.options.policy == otr_policy::automatic ||
      state.config.options.policy == otr_policy::required;
  self->set_down_handler([self](const caf::down_msg&) { otr_failed(self); });
  start_otr(self);
  return {
      [self](const ui_command& wanted) { carry_out(self, wanted); },
      [self](const plain_in& in) { received(self, in); },
      [self](const encrypt_result& outcome) { encrypted(self, outcome); },
      [self](const otr_news& what) { news(self, what); },
      [self](const account_state& account) {
        self->state.online = account.online;
        self->state.online_told = true;
        flush(self);
      },
      [self](const wire_accepted& sent) { wire_took(self, sent.message_id); },
      [self](const wire_refused& kept) { wire_left(self, kept.message_id); },
      [self](const message_bounced& back) { bounced(self, back); },
      [self](const policy_changed& change) {
        if (change.policy == otr_policy::never) give_up_waiting(self->state);
        self->state.config.options.policy = change.policy;
        caf::anon_send(self->state.otr, change);
      },
      [self](const identity_changed& change) {
        caf::anon_send(self->state.otr, change);
      },
      [self](const handshake_timeout_changed& change) {
        self->state.config.options.handshake_timeout = change.timeout;
        caf::anon_send(self->state.otr, change);
      },
      [self](const account_replaced& fresh) {
        auto& own = self->state;
        own.config.owner = fresh.account;
        own.online = false;
        own.online_told = false;
        own.waiting.interrupted();  // its word was lost with the old one
        caf::anon_send(own.otr, fresh);
        caf::anon_send(
            fresh.account,
            session_opened{own.config.contact,
                           caf::actor_cast<session_handle>(self), own.otr});
      },
      [self](const find_session&) {
        const auto& own = self->state;
        return session_actors{caf::actor_cast<session_handle>(self), own.otr,
                              own.config.owner, own.config.keyring};
      },
      [self](const stop_actor&) { stop(self); },
  };
}

}  // namespace

session_handle spawn_session(caf::actor_system& system,
                             conversation_config config, bool restarted) {
  return system.spawn(session_behavior, std::move(config), restarted);
}

}  // namespace sotto
