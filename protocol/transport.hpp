#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "crypto/result.hpp"
#include "crypto/secret.hpp"
#include "protocol/jid.hpp"
#include "protocol/stanza.hpp"

namespace sotto {

/// Where a link stands. A transport reports `resolving` to `online`, then
/// `offline` (closed as asked) or `failed`; `waiting` (for the next try) is
/// the account's own.
enum class link_phase {
  offline,
  resolving,
  connecting,
  securing,
  authenticating,
  online,
  waiting,
  failed
};

/// One certificate that a person may accept once and for all, for one host
/// and the problems that were shown when it was accepted (R8).
struct certificate_pin {
  std::string sha256;    ///< of the DER form; 64 lower-case hex digits
  std::string problems;  ///< as in certificate_problem; empty: not yet bound
};

/// Why a server's certificate was not accepted.
struct certificate_problem {
  std::string sha256;       ///< of the DER form; 64 lower-case hex digits
  std::string problems;     ///< stable words, sorted, comma separated: expired,
                            ///< not_yet_valid, self_signed, unknown_issuer,
                            ///< wrong_host, weak_key, weak_signature, revoked,
                            ///< other
  std::string explanation;  ///< a sentence for a person
};

/// Seconds that each state may last before the link is given up (R10).
struct link_deadlines {
  std::chrono::milliseconds resolve{10'000};
  std::chrono::milliseconds connect{15'000};
  std::chrono::milliseconds secure{15'000};
  std::chrono::milliseconds authenticate{15'000};
  std::chrono::milliseconds bind{10'000};
  /// Silence after which a ping is sent, and how long its answer may take:
  /// together they bound the discovery of a half-open link (R11).
  std::chrono::milliseconds keepalive{25'000};
  std::chrono::milliseconds ping{15'000};
};

/// All that one attempt to connect needs.
struct link_settings {
  jid account;           ///< bare
  std::string resource;  ///< asked for at bind; the server may give another
  std::shared_ptr<const secret> password;
  std::string host;         ///< override; empty: SRV records of the domain
  std::uint16_t port = 0;   ///< override; 0: 5222 with `host`, else SRV
  bool direct_tls = false;  ///< with `host`: TLS from the first byte
  std::string ca_file;      ///< PEM; empty: the system's store
  std::optional<certificate_pin> pin;
  bool allow_plain = false;    ///< SASL PLAIN, inside TLS only (R9)
  std::string best_mechanism;  ///< strongest SASL mechanism seen so far; a
                               ///< weaker offer is refused (R9)
  link_deadlines deadlines;
};

/// A change of a link's phase.
struct link_change {
  link_phase phase = link_phase::offline;
  jid bound;                    ///< own full JID, with phase online
  std::string mechanism;        ///< SASL mechanism used, with phase online
  std::string pinned_problems;  ///< with phase online, when a pin was used:
                                ///< the problems that it excused
  std::optional<error> reason;  ///< with phase failed (or offline)
  bool retry = false;  ///< with phase failed: trying again later may help
  std::optional<certificate_problem> certificate;  ///< with phase failed
};

/// Receives what happens on one link. Called from the transport's own thread
/// (never from inside `open`, `send` or `close`); must not block.
class transport_listener {
 public:
  virtual ~transport_listener() = default;
  /// `offline` and `failed` are final: nothing follows them.
  virtual void on_link(const link_change& change) = 0;
  virtual void on_stanza(stanza incoming) = 0;
};

/// One attempt to connect, and the link if it succeeds. All members may be
/// called from any thread and return at once.
class transport {
 public:
  /// Ends the link if it still lasts and joins its thread: at once after a
  /// final phase was reported, within a moment otherwise.
  virtual ~transport() = default;
  virtual void open() = 0;
  /// Queues a stanza; false if the link is not online or its queue is full.
  virtual bool send(const stanza& outgoing) = 0;
  /// Closes in good order; a final `on_link` follows.
  virtual void close() = 0;
};

/// Makes transports: the real one or the in-process hub's.
class transport_factory {
 public:
  virtual ~transport_factory() = default;
  /// `listener` lives as long as the transport or the thread that it joins.
  virtual std::unique_ptr<transport> make(
      link_settings settings, std::shared_ptr<transport_listener> listener) = 0;
};

}  // namespace sotto
