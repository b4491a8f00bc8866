#include "actors/otr_actor.hpp"

#include <algorithm>
#include <map>

#include "actors/snapshot_actor.hpp"
#include "crypto/otr_wire.hpp"
#include "protocol/ids.hpp"

namespace sotto {

namespace {

struct otr_actor_state {
  static inline const char* name = "otr";
  conversation_config config;
  session_handle session;
  std::unique_ptr<otr_conversation> conversation;
  contact_presence devices;
  bool devices_known = false;  ///< the roster has told them
  std::string bound;           ///< the resource that the session stands with
  /// The resource of each instance that has proved itself.
  std::map<std::uint32_t, std::string> devices_of;
  bool engaged = false;   ///< the user wrote or started: consent (R21)
  bool answered = false;  ///< OTR came from the contact since the last start
  std::chrono::seconds poll_period{0};
  std::uint64_t poll_generation = 0;  ///< an older timer counts no more
};

using self_ptr = actor_self<otr_actor_state, otr_handle>;

std::chrono::system_clock::time_point now() {
  return std::chrono::system_clock::now();
}

bool is_private(otr_state state) {
  return state == otr_state::unverified || state == otr_state::verified;
}

bool is_available(const contact_presence& devices,
                  const std::string& resource) {
  return std::any_of(
      devices.resources.begin(), devices.resources.end(),
      [&](const auto& device) { return device.resource == resource; });
}

/// OTR goes to the device that the line is for, or, where the line does not
/// say, to the one that the session stands with; anything else to all (R23).
jid destination(const otr_actor_state& state, std::string_view line = {}) {
  const auto& contact = state.config.contact;
  auto resource = state.bound;
  if (const auto wanted = parse_otr_body(line).receiver; wanted != 0)
    if (const auto found = state.devices_of.find(wanted);
        found != state.devices_of.end())
      resource = found->second;
  if (resource.empty()) return contact;
  const auto full = contact.with_resource(resource);
  return full ? *full : contact;
}

conversation_state describe(const otr_actor_state& state) {
  const auto& conversation = *state.conversation;
  conversation_state view;
  view.account = state.config.account.str();
  view.contact = state.config.contact.str();
  view.state = conversation.state();
  if (const auto key = conversation.peer_key()) view.fingerprint = key->hex();
  view.standing = conversation.peer_standing();
  view.policy = conversation.policy();
  view.private_expected = conversation.private_expected();
  view.version = conversation.version();
  view.instance = conversation.peer_instance();
  view.resource = state.bound;
  return view;
}

void arm_poll(self_ptr self) {
  auto& state = self->state;
  const auto generation = ++state.poll_generation;
  if (state.poll_period.count() > 0)
    self->delayed_send(self, state.poll_period, poll_due{generation});
}

/// What to do with a step of the conversation besides its lines and texts.
void follow(self_ptr self, const otr_step& step, bool ended_by_user = false,
            command_id id = 0) {
  auto& state = self->state;
  const auto& config = state.config;
  const auto& conversation = *state.conversation;
  if (step.latch_changed)
    caf::anon_send(config.keyring,
                   latch_updated{config.key(), conversation.latched()});
  if (step.keys_changed)
    caf::anon_send(config.keyring,
                   keys_updated{config.key(), conversation.keys(), id});
  if (step.start_timer) {
    const auto period = step.start_timer->after;
    self->delayed_send(self, period,
                       handshake_due{step.start_timer->generation});
  }
  if (step.poll_every) {
    state.poll_period = *step.poll_every;
    arm_poll(self);
  }
  if (step.state_changed)
    trace(config.snapshots, otr_actor_state::name, config.account.str(),
          config.contact.str(),
          "state " + std::string{to_string(conversation.state())});
  if (step.state_changed || step.ready || ended_by_user ||
      !step.events.empty() || step.keys_changed || step.latch_changed)
    caf::anon_send(state.session,
                   otr_news{describe(state), step.state_changed, step.ready,
                            ended_by_user, step.events});
}

void send_lines(self_ptr self, const otr_step& step, const jid& to,
                std::string message_id = {}) {
  if (step.wire.empty()) return;
  caf::anon_send(self->state.config.owner,
                 wire_out{to, step.wire, std::move(message_id)});
}

/// Each line to the device that it is for.
void send_each(const otr_actor_state& state, const otr_step& step) {
  for (const auto& line : step.wire)
    caf::anon_send(state.config.owner,
                   wire_out{destination(state, line), {line}, {}});
}

void act(self_ptr self, const otr_step& step) {
  send_each(self->state, step);
  follow(self, step);
}

void submit(self_ptr self, const encrypt& order) {
  auto& state = self->state;
  state.engaged = true;
  auto& conversation = *state.conversation;
  if (order.must_be_private && !conversation.private_expected()) {
    caf::anon_send(
        state.session,
        encrypt_result{order.message_id, otr_submission::verdict::refused,
                       message_security::plaintext,
                       "It was written for a private conversation and none "
                       "stands now. Send it again if it may go in the clear."});
    return;
  }
  const auto outcome = conversation.submit(order.text, now());
  const bool sent = outcome.outcome == otr_submission::verdict::sent;
  const auto& wire = outcome.step.wire;
  const auto to = outcome.security == message_security::plaintext && sent
                      ? state.config.contact
                      : destination(state, wire.empty() ? "" : wire.front());
  // The session hears how it went before the account can say that it went.
  caf::anon_send(state.session,
                 encrypt_result{order.message_id, outcome.outcome,
                                outcome.security, outcome.reason});
  send_lines(self, outcome.step, to, sent ? order.message_id : std::string{});
  follow(self, outcome.step);
}

/// After a message from a device: with which one does the session stand now?
/// Only what was decrypted, or has ended a handshake, tells where an instance
/// is: anything else could be made up.
void bind(otr_actor_state& state, const message_stanza& message,
          const otr_step& step) {
  const bool decrypted =
      step.received && step.received->security != message_security::plaintext;
  const bool agreed =
      std::any_of(step.events.begin(), step.events.end(), [](const auto& each) {
        return each.what == otr_notice::started ||
               each.what == otr_notice::refreshed;
      });
  if (decrypted || agreed)
    state.devices_of[parse_otr_body(*message.body).sender] =
        message.from.resource();
  if (!is_private(state.conversation->state())) return;
  const auto found = state.devices_of.find(state.conversation->peer_instance());
  if (found != state.devices_of.end()) state.bound = found->second;
}

void receive(self_ptr self, const wire_in& in) {
  auto& state = self->state;
  state.answered = true;
  const bool consent = in.consent || state.engaged;
  auto step = state.conversation->receive(*in.message.body, consent, now());
  bind(state, in.message, step);
  send_lines(self, step, in.message.from);
  if (step.received)
    caf::anon_send(
        state.session,
        plain_in{random_id(), std::move(step.received->text),
                 step.received->security, in.message.delay.value_or(now())});
  follow(self, step);
}

void control(self_ptr self, const otr_order& order) {
  auto& state = self->state;
  auto& conversation = *state.conversation;
  state.engaged = true;
  if (order.action == otr_action::end) {
    const auto step = conversation.end();
    send_each(state, step);
    state.bound.clear();
    follow(self, step, true);
    finish(state.config.snapshots, order.id);
    return;
  }
  state.answered = false;
  const auto step = order.action == otr_action::start ? conversation.start()
                                                      : conversation.refresh();
  if (step) act(self, *step);
  finish(state.config.snapshots, order.id,
         step ? std::nullopt : std::optional{step.failure()});
}

/// The key that a typed fingerprint is compared with: the session's, or, with
/// none in this run, one that is known.
std::optional<fingerprint> displayed_key(const otr_conversation& conversation,
                                         const fingerprint& typed) {
  if (const auto key = conversation.peer_key()) return key;
  const auto& known = conversation.keys().list();
  if (conversation.keys().find(typed) != nullptr) return typed;
  if (!known.empty()) return known.back().print;
  return std::nullopt;
}

result<fingerprint> compare(const otr_conversation& conversation,
                            const verify_order& order, const jid& contact) {
  const auto typed = fingerprint::parse(order.typed);
  if (!typed) return typed.failure();
  const auto expected = displayed_key(conversation, *typed);
  if (!expected)
    return error{errc::unavailable,
                 "No key of " + contact.str() +
                     " is known yet. Start a private conversation first."};
  const auto verdict = compare_typed(order.typed, *expected);
  if (verdict.outcome == fingerprint_comparison::verdict::match)
    return *expected;
  if (conversation.keys().find(*typed) != nullptr)
    return error{errc::refused,
                 "That is another known key of " + contact.str() +
                     ", not the one in use now. Nothing was changed. Ask for "
                     "the fingerprint of the device that is used now."};
  return error{
      errc::refused,
      "The fingerprint does not match the one that " + contact.str() +
          " uses: block " + std::to_string(verdict.first_difference + 1) +
          " of 5 differs. Nothing was changed. Ask again by another channel; "
          "if it stays different, somebody may be listening."};
}

void verify(self_ptr self, const verify_order& order) {
  auto& state = self->state;
  auto& conversation = *state.conversation;
  const auto print = compare(conversation, order, state.config.contact);
  if (!print) return finish(state.config.snapshots, order.id, print.failure());
  auto step = conversation.verify(*print, now());
  send_each(state, step);
  const bool stored_by_keyring = step.keys_changed;
  follow(self, step, false, order.id);
  if (!stored_by_keyring) finish(state.config.snapshots, order.id);
}

void distrust(self_ptr self, const distrust_order& order) {
  auto& state = self->state;
  if (state.conversation->keys().list().empty())
    return finish(
        state.config.snapshots, order.id,
        error{errc::not_found,
              "No key of " + state.config.contact.str() + " is known."});
  auto step = state.conversation->distrust();
  send_each(state, step);
  const bool stored_by_keyring = step.keys_changed;
  follow(self, step, false, order.id);
  if (!stored_by_keyring) finish(state.config.snapshots, order.id);
}

void devices_changed(self_ptr self, const contact_presence& devices) {
  auto& state = self->state;
  // What is told first is how things stood, not a change.
  const bool was_away = std::exchange(state.devices_known, true) &&
                        state.devices.resources.empty();
  state.devices = devices;
  if (!state.bound.empty() && devices.visible &&
      !is_available(devices, state.bound))
    trace(state.config.snapshots, otr_actor_state::name,
          state.config.account.str(), state.config.contact.str(),
          "the device of the session is gone");
  // A handshake that nobody was there to answer begins again.
  if (was_away && !devices.resources.empty() && !state.answered &&
      state.conversation->state() == otr_state::starting)
    if (const auto step = state.conversation->start()) act(self, *step);
}

void say_goodbye(self_ptr self) {
  auto& state = self->state;
  if (is_private(state.conversation->state()))
    send_each(state, state.conversation->end());
  self->quit();
}

/// Asks for key, trust and latch; nothing else is handled before the answer.
void begin(self_ptr self) {
  const auto& config = self->state.config;
  self->request(config.keyring, ask_timeout, conversation_request{config.key()})
      .await(
          [self](const conversation_secrets& secrets) {
            auto& state = self->state;
            const auto key = state.config.key();
            state.conversation = std::make_unique<otr_conversation>(
                key.first, key.second, secrets.keys, secrets.latched,
                state.config.options);
            follow(self, state.conversation->set_identity(secrets.identity));
            caf::anon_send(state.session,
                           otr_news{describe(state), false, true, false, {}});
          },
          [self](const caf::error& reason) { self->quit(reason); });
}

otr_handle::behavior_type otr_behavior(self_ptr self,
                                       conversation_config config,
                                       session_handle session) {
  self->state.config = std::move(config);
  self->monitor(session);
  self->state.session = std::move(session);
  self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
  begin(self);
  return {
      [self](const encrypt& order) { submit(self, order); },
      [self](const wire_in& in) { receive(self, in); },
      [self](const otr_order& order) { control(self, order); },
      [self](const verify_order& order) { verify(self, order); },
      [self](const distrust_order& order) { distrust(self, order); },
      [self](const policy_changed& change) {
        act(self, self->state.conversation->set_policy(change.policy));
      },
      [self](const identity_changed& change) {
        act(self, self->state.conversation->set_identity(change.identity));
      },
      [self](const handshake_timeout_changed& change) {
        self->state.conversation->set_handshake_timeout(change.timeout);
      },
      [self](const contact_presence& devices) {
        devices_changed(self, devices);
      },
      [self](const account_replaced& fresh) {
        self->state.config.owner = fresh.account;
      },
      [self](const handshake_due& due) {
        act(self, self->state.conversation->handshake_timeout(due.generation));
      },
      [self](const poll_due& due) {
        if (due.generation != self->state.poll_generation) return;
        arm_poll(self);
        act(self, self->state.conversation->poll());
      },
      [self](const stop_actor&) { say_goodbye(self); },
  };
}

}  // namespace

otr_handle spawn_otr(caf::actor_system& system, conversation_config config,
                     session_handle session) {
  return system.spawn(otr_behavior, std::move(config), std::move(session));
}

}  // namespace sotto
