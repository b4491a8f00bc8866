#include "crypto/otr_gate.hpp"

#include "crypto/otr_wire.hpp"
#include "crypto/plain_text.hpp"

namespace sotto {

namespace {

/// The policy or the latch wants a session although none stands.
bool session_wanted(const gate_input& input) {
  switch (input.policy) {
    case otr_policy::required:
      return true;
    case otr_policy::automatic:
      return input.latched || !input.suspended;
    case otr_policy::opportunistic:
      return input.latched;
    case otr_policy::never:
      return false;
  }
  return true;
}

gate_action start_or_wait(const gate_input& input) {
  return input.has_identity ? gate_action::start_and_wait : gate_action::wait;
}

}  // namespace

gate_action decide(const gate_input& input) {
  if (input.policy == otr_policy::never) return gate_action::send_clear;
  switch (input.state) {
    case otr_state::unverified:
    case otr_state::verified:
      return allows_sending(input.standing) && !input.rekeying
                 ? gate_action::encrypt
                 : gate_action::wait;
    case otr_state::starting:
      return gate_action::wait;
    case otr_state::finished:
      return input.policy == otr_policy::opportunistic ? gate_action::wait
                                                       : start_or_wait(input);
    case otr_state::timed_out:
      return session_wanted(input) ? start_or_wait(input) : gate_action::wait;
    case otr_state::plaintext:
      return session_wanted(input) ? start_or_wait(input)
                                   : gate_action::send_clear;
  }
  return gate_action::wait;
}

std::string_view wait_reason(const gate_input& input) {
  const bool stands = input.state == otr_state::unverified ||
                      input.state == otr_state::verified;
  if (stands && input.standing == key_standing::changed_verified) {
    return "The contact's key is not the one you verified. Compare its "
           "fingerprint with the contact by another channel and verify it, "
           "or end the private conversation.";
  }
  if (stands && !allows_sending(input.standing)) {
    return "The contact uses another key than before. Compare its "
           "fingerprint with the contact by another channel and verify it, "
           "or end the private conversation.";
  }
  if (stands) {
    return "The two sides are agreeing on new session keys; the message goes "
           "with them.";
  }
  if (input.state == otr_state::starting) {
    return "Waiting for the private conversation to begin.";
  }
  if (input.state == otr_state::finished &&
      input.policy == otr_policy::opportunistic) {
    return "The contact has ended the private conversation. Start it again, "
           "or end it too to write in the clear.";
  }
  if (input.state == otr_state::timed_out && !session_wanted(input)) {
    return "The private conversation did not begin: the contact did not "
           "answer. Start it again, or end it to write in the clear.";
  }
  if (!input.has_identity) {
    return "This account has no OTR key yet. Make one; then the message can "
           "go.";
  }
  return "Starting a private conversation; the message waits for it.";
}

bool may_leave(std::string_view line, bool encryption_due) {
  return !encryption_due || line.starts_with(otr_prefix);
}

bool is_encrypted_text(std::string_view line) {
  return parse_otr_body(line).kind == otr_kind::data;
}

std::optional<std::string_view> unsendable(std::string_view text) {
  if (text.empty()) return "The message is empty.";
  if (text.size() > longest_text) {
    return "The message is too long: 150 KiB can be sent at once. Send it in "
           "parts.";
  }
  if (text.find('\0') != std::string_view::npos || !is_valid_utf8(text)) {
    return "The message holds bytes that are not text (UTF-8). Remove them.";
  }
  return std::nullopt;
}

}  // namespace sotto
