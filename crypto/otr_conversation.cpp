#include "crypto/otr_conversation.hpp"

#include <array>
#include <utility>

#include "crypto/otr_conversation_impl.hpp"
#include "crypto/otr_wire.hpp"
#include "crypto/plain_text.hpp"

namespace sotto {

otr_conversation::impl::impl(std::string account, std::string contact,
                             known_keys known, bool latch, otr_options chosen)
    : options(chosen),
      keys(std::move(known)),
      latched(latch),
      account_(std::move(account)),
      contact_(std::move(contact)) {}

otr_conversation::impl::turn otr_conversation::impl::begin(
    time_point now) const {
  return {.step = {},
          .state = state(),
          .latched = latched,
          .private_expected = private_expected(),
          .now = now};
}

otr_step otr_conversation::impl::done(turn&& call) const {
  call.step.state_changed = state() != call.state;
  call.step.latch_changed = latched != call.latched;
  std::erase_if(call.step.wire, [&](const std::string& line) {
    return !may_leave(line, call.private_expected);
  });
  return std::move(call.step);
}

otr_state otr_conversation::impl::state() const {
  switch (phase_) {
    case phase::none:
      return otr_state::plaintext;
    case phase::starting:
      return otr_state::starting;
    case phase::timed_out:
      return otr_state::timed_out;
    case phase::finished:
      return otr_state::finished;
    case phase::standing:
      break;
  }
  return keys.standing_of(current->print) == key_standing::verified
             ? otr_state::verified
             : otr_state::unverified;
}

std::optional<key_standing> otr_conversation::impl::standing() const {
  if (!current) return std::nullopt;
  const auto now = keys.standing_of(current->print);
  // Still the contact's first session with its first key.
  if (now == key_standing::known && current->standing == key_standing::first) {
    return key_standing::first;
  }
  return now;
}

gate_input otr_conversation::impl::gate() const {
  return {.policy = options.policy,
          .state = state(),
          .latched = latched,
          .suspended = suspended_,
          .has_identity = identity != nullptr,
          .rekeying = rekeying_,
          .standing = standing().value_or(key_standing::first)};
}

result<void> otr_conversation::impl::open_session() {
  if (session_) return {};
  auto opened = otr_session::open(*identity, contact_);
  if (!opened) return opened.failure();
  session_ = std::move(*opened);
  return {};
}

/// Forgets all that libotr knows, so that nothing of a handshake or session
/// can come back; the keys known and the latch stay.
void otr_conversation::impl::close_session(turn& call, bool tell_contact) {
  if (session_ && tell_contact) {
    auto outcome = session_->disconnect();
    for (auto& line : outcome.wire) call.step.wire.push_back(std::move(line));
  }
  if (std::exchange(polling_, false)) {
    call.step.poll_every = std::chrono::seconds(0);
  }
  session_.reset();
  guard_.reset();
  prints_.clear();
  own_commit_.clear();
  query_open_ = false;
  rekeying_ = false;
  phase_ = phase::none;
}

void otr_conversation::impl::begin_starting(turn& call) {
  phase_ = phase::starting;
  start_timer(call);
}

void otr_conversation::impl::start_timer(turn& call) {
  ++generation_;
  call.step.start_timer =
      otr_step::timer{options.handshake_timeout, generation_};
}

void otr_conversation::impl::send_query(turn& call) {
  // New keys for a session are asked for in its own version: changing over to
  // another one would lose what is under way.
  const bool in_version_2 = stands() && current->version == 2;
  call.step.wire.emplace_back(in_version_2 ? "?OTRv2?" : otr_query);
  query_open_ = true;
  query_repeated_ = false;
}

void otr_conversation::impl::open_latch(turn& call) {
  if (std::exchange(latched, false)) {
    call.step.events.push_back(
        {otr_notice::ended_by_us,
         "The private conversation has ended; messages go in the clear now "
         "where the policy lets them."});
  }
}

otr_step otr_conversation::impl::set_identity(
    std::shared_ptr<const otr_identity> replacement) {
  auto call = begin();
  const bool same =
      identity == replacement ||
      (identity && replacement && identity->print() == replacement->print() &&
       identity->instance_tag() == replacement->instance_tag());
  if (!same) {
    if (stands()) {
      call.step.events.push_back(
          {otr_notice::ended_by_us,
           "The private conversation has ended, because this account's key "
           "was replaced."});
    }
    close_session(call, true);
  }
  const bool first = !identity && replacement;
  identity = std::move(replacement);
  call.step.ready = first;
  return done(std::move(call));
}

otr_step otr_conversation::impl::set_policy(otr_policy policy) {
  auto call = begin();
  if (options.policy == policy) return done(std::move(call));
  options.policy = policy;
  suspended_ = false;
  if (policy == otr_policy::never) {
    close_session(call, true);
    open_latch(call);
  }
  call.step.ready = call.private_expected && !private_expected();
  return done(std::move(call));
}

result<otr_step> otr_conversation::impl::start() {
  if (options.policy == otr_policy::never) {
    return error{errc::refused,
                 "A private conversation with " + contact_ +
                     " cannot start, because the policy for this contact is "
                     "\"never\"; change the policy first."};
  }
  if (!identity) {
    return error{errc::unavailable, "A private conversation with " + contact_ +
                                        " cannot start, because " + account_ +
                                        " has no OTR key yet; make one first."};
  }
  auto call = begin();
  if (auto opened = open_session(); !opened) return opened.failure();
  suspended_ = false;
  if (commit_open()) {
    // The contact has asked already. Our query would make libotr on its side
    // begin anew and spoil the handshake that runs.
    call.step.wire.push_back(own_commit_);
  } else {
    send_query(call);
  }
  if (!stands()) begin_starting(call);
  return done(std::move(call));
}

result<otr_step> otr_conversation::impl::refresh() {
  if (!stands()) {
    return error{errc::unavailable, "There is no private conversation with " +
                                        contact_ +
                                        " to refresh; start one first."};
  }
  return start();
}

otr_step otr_conversation::impl::end() {
  auto call = begin();
  const bool was_open = phase_ != phase::none;
  close_session(call, true);
  suspended_ = true;
  if (latched) {
    open_latch(call);
  } else if (was_open) {
    call.step.events.push_back(
        {otr_notice::ended_by_us, "The private conversation was not started."});
  }
  call.step.ready = true;
  return done(std::move(call));
}

otr_step otr_conversation::impl::handshake_timeout(std::uint64_t generation) {
  auto call = begin();
  const bool runs = phase_ == phase::starting || (stands() && rekeying_);
  if (runs && generation == generation_) {
    phase_ = phase::timed_out;
    rekeying_ = false;
    query_open_ = false;
    own_commit_.clear();
    call.step.events.push_back(
        {otr_notice::timed_out,
         "The contact did not answer in time. They may be offline, or their "
         "program may not know OTR, or have it switched off."});
  }
  return done(std::move(call));
}

otr_step otr_conversation::impl::poll() {
  auto call = begin();
  if (session_) absorb(call, session_->poll());
  return done(std::move(call));
}

otr_submission otr_conversation::impl::submit(std::string_view text) {
  using verdict = otr_submission::verdict;
  otr_submission submission;
  const auto refuse = [&](std::string_view reason) {
    submission.outcome = verdict::refused;
    submission.reason = reason;
    return std::move(submission);
  };
  if (const auto reason = unsendable(text)) return refuse(*reason);

  auto call = begin();
  const auto input = gate();
  switch (decide(input)) {
    case gate_action::send_clear:
      if (text.starts_with(otr_prefix)) {
        return refuse(
            "A message that begins with ?OTR would be taken for a part of "
            "the OTR protocol. Write something before it.");
      }
      call.step.wire.emplace_back(text);
      submission.outcome = verdict::sent;
      break;
    case gate_action::encrypt: {
      const auto payload = otr_payload(text);
      if (const auto reason = unsendable(payload)) return refuse(*reason);
      auto outcome = session_->encrypt(current->instance, payload);
      if (outcome.wire.size() == 1 && is_encrypted_text(outcome.wire[0])) {
        call.step.wire = std::move(outcome.wire);
        submission.outcome = verdict::sent;
        submission.security = state() == otr_state::verified
                                  ? message_security::verified
                                  : message_security::unverified;
      } else {
        submission.reason =
            "The message could not be encrypted. Refresh the private "
            "conversation; then it can go.";
      }
      break;
    }
    case gate_action::wait:
      submission.reason = wait_reason(input);
      break;
    case gate_action::start_and_wait:
      submission.reason = wait_reason(input);
      if (auto started = start()) {
        submission.step = std::move(*started);
      } else {
        submission.reason = started.failure().message;
      }
      return submission;
  }
  submission.step = done(std::move(call));
  return submission;
}

otr_step otr_conversation::impl::verify(const fingerprint& print,
                                        time_point now) {
  auto call = begin(now);
  const auto before = keys;
  keys.verify(print, now);
  call.step.keys_changed = keys != before;
  call.step.ready = stands() && current->print == print;
  return done(std::move(call));
}

otr_step otr_conversation::impl::distrust() {
  auto call = begin();
  const auto before = keys;
  keys.distrust();
  call.step.keys_changed = keys != before;
  return done(std::move(call));
}

otr_conversation::otr_conversation(std::string account, std::string contact,
                                   known_keys keys, bool latched,
                                   otr_options options)
    : impl_(std::make_unique<impl>(std::move(account), std::move(contact),
                                   std::move(keys), latched, options)) {}
otr_conversation::~otr_conversation() = default;

otr_step otr_conversation::set_identity(
    std::shared_ptr<const otr_identity> identity) {
  return impl_->set_identity(std::move(identity));
}
bool otr_conversation::has_identity() const {
  return impl_->identity != nullptr;
}
otr_step otr_conversation::set_policy(otr_policy policy) {
  return impl_->set_policy(policy);
}
otr_policy otr_conversation::policy() const { return impl_->options.policy; }
void otr_conversation::set_handshake_timeout(
    std::chrono::milliseconds timeout) {
  impl_->options.handshake_timeout = timeout;
}
otr_state otr_conversation::state() const { return impl_->state(); }
std::optional<fingerprint> otr_conversation::peer_key() const {
  if (!impl_->current) return std::nullopt;
  return impl_->current->print;
}
std::optional<key_standing> otr_conversation::peer_standing() const {
  return impl_->standing();
}
int otr_conversation::version() const {
  return impl_->stands() ? impl_->current->version : 0;
}
std::uint32_t otr_conversation::peer_instance() const {
  return impl_->stands() ? impl_->current->instance : 0;
}
const known_keys& otr_conversation::keys() const { return impl_->keys; }
bool otr_conversation::latched() const { return impl_->latched; }
bool otr_conversation::private_expected() const {
  return impl_->private_expected();
}
result<otr_step> otr_conversation::start() { return impl_->start(); }
result<otr_step> otr_conversation::refresh() { return impl_->refresh(); }
otr_step otr_conversation::end() { return impl_->end(); }
otr_step otr_conversation::handshake_timeout(std::uint64_t generation) {
  return impl_->handshake_timeout(generation);
}
otr_step otr_conversation::poll() { return impl_->poll(); }
otr_submission otr_conversation::submit(std::string_view text,
                                        std::chrono::system_clock::time_point) {
  return impl_->submit(text);
}
otr_step otr_conversation::receive(std::string_view body, bool consent,
                                   std::chrono::system_clock::time_point now) {
  return impl_->receive(body, consent, now);
}
otr_step otr_conversation::verify(const fingerprint& print,
                                  std::chrono::system_clock::time_point now) {
  return impl_->verify(print, now);
}
otr_step otr_conversation::distrust() { return impl_->distrust(); }

}  // namespace sotto
