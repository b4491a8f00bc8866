#pragma once

#include <optional>
#include <string_view>

#include "crypto/otr_conversation.hpp"
#include "crypto/trust.hpp"

namespace sotto {

/// All that decides whether and how a text may leave (R17).
struct gate_input {
  otr_policy policy = otr_policy::opportunistic;
  otr_state state = otr_state::plaintext;
  /// A session has stood and was not ended by us.
  bool latched = false;
  /// Under automatic: ended by the user and not started since.
  bool suspended = false;
  bool has_identity = false;
  /// A session stands whose keys are just being replaced.
  bool rekeying = false;
  /// Of the session's key; looked at in `unverified` and `verified` only.
  key_standing standing = key_standing::first;
};

enum class gate_action {
  send_clear,
  encrypt,
  wait,           ///< defer; `wait_reason` says for what
  start_and_wait  ///< defer, and start a session
};

/// The decision table of the outgoing gate: pure, and the only place that
/// says `send_clear`.
gate_action decide(const gate_input& input);

/// Why a text waits, and what the user can do; for every input that `decide`
/// does not send.
std::string_view wait_reason(const gate_input& input);

/// The last look at a line before the wire: where encryption is due, only
/// what begins with `?OTR` passes.
bool may_leave(std::string_view line, bool encryption_due);

/// True for a data message of OTR 2 or 3: the only form in which a text that
/// was encrypted may leave. (libotr gives "?OTR Error: …" where it failed.)
bool is_encrypted_text(std::string_view line);

/// Why this text can be sent in no form, or nothing: empty, too long, not
/// UTF-8, or holding a zero.
std::optional<std::string_view> unsendable(std::string_view text);

/// The longest text: encrypted and encoded it stays below the 256 KiB that a
/// server takes as one stanza.
inline constexpr std::size_t longest_text = 150UL * 1024;

}  // namespace sotto
