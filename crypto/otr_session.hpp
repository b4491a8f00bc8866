#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/fingerprint.hpp"
#include "crypto/otr_identity.hpp"
#include "crypto/result.hpp"

namespace sotto {

/// What libotr reported during one call.
enum class otr_signal_kind {
  gone_secure,   ///< a session stands, or stands with another key
  still_secure,  ///< new session keys, same key of the contact
  setup_error,
  reflected,
  not_private,
  unreadable,
  malformed,
  unrecognized,
  other_instance
};

struct otr_signal {
  otr_signal_kind what{};
  /// The instance of the contact it is about; 0 in version 2.
  std::uint32_t instance = 0;
};

/// All that came of one call, as values.
struct otr_outcome {
  std::vector<std::string> wire;
  /// A decrypted text. Never one that came in the clear.
  std::optional<std::string> decrypted;
  /// The instance that the message was from.
  std::optional<std::uint32_t> instance;
  std::vector<otr_signal> signals;
  std::optional<std::chrono::seconds> poll_every;
};

/// One instance of the contact, as libotr has it.
struct otr_instance {
  bool encrypted = false;
  bool finished = false;
  std::optional<fingerprint> print;
  int version = 0;
};

/// One `OtrlUserState` with one contact; every callback of libotr is
/// answered. It decides nothing: what may be sent is the business of the
/// gate, what may come in that of the guard. After every call no context
/// holds a text that libotr could send again (R16).
class otr_session {
 public:
  /// Errors: corrupt, io.
  static result<std::unique_ptr<otr_session>> open(const otr_identity& identity,
                                                   std::string contact);
  ~otr_session();
  otr_session(const otr_session&) = delete;
  otr_session& operator=(const otr_session&) = delete;

  /// A whole message that begins with `?OTR`.
  otr_outcome receive(const std::string& message);
  /// Encrypts for an instance with which a session stands. No wire: failed.
  otr_outcome encrypt(std::uint32_t instance, const std::string& text);
  /// Tells every instance with a session that it is over, and ends it.
  otr_outcome disconnect();
  otr_outcome poll();
  /// A D-H Commit of ours can still be answered.
  bool commit_open() const;
  /// Takes that commit back.
  void forget_commit();

  /// Nothing if this instance was never met.
  std::optional<otr_instance> find(std::uint32_t instance) const;
  /// How many contexts libotr keeps.
  std::size_t contexts() const;
  /// True if libotr holds a text that it could send again; for tests.
  bool holds_text() const;

 private:
  struct callbacks;
  class impl;
  explicit otr_session(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

}  // namespace sotto
