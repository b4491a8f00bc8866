#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/fingerprint.hpp"
#include "crypto/otr_identity.hpp"
#include "crypto/result.hpp"
#include "crypto/trust.hpp"

namespace sotto {

/// When a conversation is private (S25).
enum class otr_policy {
  opportunistic,  ///< private when either side starts it
  automatic,      ///< started by the first message, which waits for it
  required,       ///< as automatic, and never in the clear, whatever is asked
  never           ///< no OTR at all
};

/// The six states of the padlock.
enum class otr_state {
  plaintext,
  starting,
  timed_out,
  unverified,
  verified,
  finished  ///< the contact has ended the private conversation
};

std::string_view to_string(otr_policy policy);
std::optional<otr_policy> parse_otr_policy(std::string_view text);
std::string_view to_string(otr_state state);

/// How a message travelled.
enum class message_security { plaintext, unverified, verified };
std::string_view to_string(message_security security);

/// What happened, for the chat's system lines and the trace.
enum class otr_notice {
  started,    ///< a private conversation has begun
  refreshed,  ///< new session keys, same conversation
  ended_by_us,
  ended_by_contact,      ///< state is now `finished`
  timed_out,             ///< no answer; `detail` explains
  key_first_seen,        ///< unrecognised key, the contact's first
  key_changed,           ///< not the known key: sending is blocked (R20)
  received_unencrypted,  ///< plaintext came where it should not; the text is
                         ///< in `received` all the same
  unreadable,            ///< a message could not be decrypted
  malformed,
  not_private,        ///< an encrypted message, but no session here
  contact_error,      ///< the contact's client reports; `detail` is remote
  reflected,          ///< our own message came back
  other_instance,     ///< for another device of this account
  refused_version,    ///< OTR version 1 only
  refused_by_policy,  ///< a handshake arrived under policy never
  flood,              ///< a cap of the guard was hit (R21)
  setup_error         ///< the handshake failed; `detail` says how
};
std::string_view to_string(otr_notice notice);

struct otr_event {
  otr_notice what{};
  std::string detail;
};

/// A decrypted or clear message, as plain text (R22): tags stripped, control
/// and bidi characters made visible.
struct otr_received {
  std::string text;
  message_security security = message_security::plaintext;
};

/// What the owner of a conversation has to do after a call, in this order.
struct otr_step {
  /// Lines for the wire. Each was passed by the outgoing gate.
  std::vector<std::string> wire;
  std::optional<otr_received> received;
  std::vector<otr_event> events;
  /// The state differs from before the call.
  bool state_changed = false;
  /// The set of known keys has changed: store `keys()`.
  bool keys_changed = false;
  /// The latch has changed: store `latched()`.
  bool latch_changed = false;
  /// Messages that were deferred may be submitted again, oldest first. After
  /// an act of the user that lets text go in the clear (`end`, `set_policy`)
  /// the owner first fails those that waited to be encrypted: submitted
  /// again, they would go in the clear.
  bool ready = false;
  /// Call `handshake_timeout(generation)` after `after`, on the owner's clock.
  struct timer {
    std::chrono::milliseconds after{};
    std::uint64_t generation = 0;
  };
  std::optional<timer> start_timer;
  /// libotr wants `poll()` to be called at this period from now on; zero ends
  /// it; nothing leaves it as it was.
  std::optional<std::chrono::seconds> poll_every;
};

/// What became of a message that was submitted.
struct otr_submission {
  enum class verdict {
    sent,      ///< its lines are in `step.wire`
    deferred,  ///< not now: keep it, submit it again after `ready`
    refused    ///< never in this form; `reason` says why (too long, ...)
  };
  verdict outcome = verdict::deferred;
  message_security security = message_security::plaintext;
  std::string reason;  ///< for deferred and refused: what to do
  otr_step step;
};

struct otr_options {
  otr_policy policy = otr_policy::opportunistic;
  std::chrono::milliseconds handshake_timeout{30'000};
};

/// One OTR conversation: own account, one contact, one `OtrlUserState`.
/// Pure: no clock, no thread, no input or output; every call returns what its
/// owner has to do. Not thread-safe. Remote input never makes it throw or
/// abort.
///
/// The rules, which its tests go through state by policy by event:
/// - The gate (R17): where the policy or the latch wants encryption, no line
///   leaves that does not begin with `?OTR`. The latch closes when a session
///   first stands (a conversation that was private stays so after finish,
///   time-out, restart) and opens only by `end()` and by setting the policy
///   `never`, which are acts of the user. A message that may not go now is
///   deferred, never dropped and never sent in the clear.
/// - After a time-out nothing goes in the clear until the user has started
///   again or said `end()`: what was asked for was a private conversation.
/// - `submit` under automatic and required, or with the latch closed, starts
///   a session by itself from `plaintext` and `timed_out`; from `finished`
///   only under automatic and required. After an explicit `end()` automatic
///   sends in the clear until a session is started again, by either side, or
///   the policy is set anew; required never does.
/// - `starting` lasts until a session stands, the time is up, or the user
///   acts. A handshake message that cannot be used is an event and no more:
///   anybody on the way could put one in. A late answer still counts, except
///   after `end()`.
/// - A refresh is seamless: texts wait while the two sides change over to the
///   new keys. If its end stays away the session counts as timed out, until
///   a message of the contact is read with the old keys.
/// - Nothing is re-sent by libotr: its `lastmessage` is wiped after every
///   call and `may_retransmit` cleared (R16). Text is sent to a key only
///   while `allows_sending(standing)`; the first key of a contact is accepted
///   by being first, a changed one blocks until `verify` (R20).
/// - OTR versions 3 and 2; version 1 is refused. No whitespace tag is sent or
///   answered, no handshake is started by a received error.
/// - Both sides may start at once: of two D-H Commits that cross, the one with
///   the higher hash stands.
/// - Only a body that *begins* with `?OTR` is OTR; anything else is text.
///   An outgoing text that begins with `?OTR` is sent only encrypted.
/// - The guard caps fragments and instances before libotr sees them (R21).
class otr_conversation {
 public:
  otr_conversation(std::string account, std::string contact, known_keys keys,
                   bool latched, otr_options options);
  ~otr_conversation();
  otr_conversation(const otr_conversation&) = delete;
  otr_conversation& operator=(const otr_conversation&) = delete;

  /// The account's key; without one no session can start or be answered.
  /// Replacing it ends a standing session (S19).
  otr_step set_identity(std::shared_ptr<const otr_identity> identity);
  bool has_identity() const;

  /// `never` ends a standing session and opens the latch, and says so.
  otr_step set_policy(otr_policy policy);
  otr_policy policy() const;
  void set_handshake_timeout(std::chrono::milliseconds timeout);

  otr_state state() const;
  /// The key that the session uses, or the one it used last.
  std::optional<fingerprint> peer_key() const;
  std::optional<key_standing> peer_standing() const;
  /// 2 or 3 while a session stands, else 0.
  int version() const;
  /// The contact's instance tag while a session of version 3 stands, else 0.
  std::uint32_t peer_instance() const;
  const known_keys& keys() const;
  bool latched() const;
  /// A text submitted now would be deferred or sent encrypted, never clear.
  bool private_expected() const;

  /// Starts or restarts the handshake. Errors: unavailable (no key yet),
  /// refused (policy never).
  result<otr_step> start();
  /// New session keys. Errors: unavailable where no session stands.
  result<otr_step> refresh();
  /// Ends the private conversation and opens the latch: from here text goes
  /// in the clear where the policy lets it. Messages that wait must be failed
  /// by the owner, never sent in the clear.
  otr_step end();
  /// The timer of `start_timer`; ignored unless it is the newest and the
  /// handshake still runs.
  otr_step handshake_timeout(std::uint64_t generation);
  otr_step poll();

  otr_submission submit(std::string_view text,
                        std::chrono::system_clock::time_point now);
  /// One incoming body. `consent`: the sender may be answered (R21); without
  /// it OTR bodies are not looked at.
  otr_step receive(std::string_view body, bool consent,
                   std::chrono::system_clock::time_point now);

  /// The user has compared this fingerprint with the contact by another
  /// channel: exactly the one displayed.
  otr_step verify(const fingerprint& print,
                  std::chrono::system_clock::time_point now);
  otr_step distrust();

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace sotto
