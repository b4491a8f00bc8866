#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "crypto/result.hpp"
#include "crypto/secret.hpp"
#include "protocol/jid.hpp"
#include "protocol/sasl.hpp"
#include "protocol/stanza_codec.hpp"

namespace sotto {

/// What a login needs to know.
struct login_settings {
  jid account;           ///< bare
  std::string resource;  ///< asked for at bind
  std::shared_ptr<const secret> password;
  bool direct_tls = false;  ///< TLS comes before the first stream (XEP-0368)
  bool allow_plain = false;
  std::string best_mechanism;
};

/// Where a login stands. A deadline of its own belongs to each of `securing`,
/// `authenticating` and `binding`.
enum class login_stage {
  idle,            ///< the TCP connection does not stand yet
  securing,        ///< until TLS stands and the certificate is accepted
  authenticating,  ///< until the SASL exchange has succeeded
  binding,         ///< until the resource is bound
  done,
  failed
};

/// What the login wants done, in order.
struct login_open_stream {};
struct login_send {
  secret xml;
};
/// Start the TLS handshake; then `secured` or `fail`.
struct login_start_tls {};
struct login_succeeded {
  jid bound;  ///< full; its bare JID is the account
  std::string mechanism;
};
struct login_failed {
  error reason;
  bool retry = false;  ///< trying again later may help
};
using login_action =
    std::variant<login_open_stream, login_send, login_start_tls,
                 login_succeeded, login_failed>;
using login_actions = std::vector<login_action>;

/// STARTTLS, SASL and resource binding (RFC 6120 sections 5 to 7) as a pure
/// state machine: nothing of the login leaves before TLS stands and the
/// certificate is accepted (R7), SASL as `sasl_client` has it (R9), and the
/// bound address must be the account's. Whatever comes out of turn fails the
/// login; after `failed` or `done` every call returns nothing.
class login {
 public:
  explicit login(login_settings settings);

  /// The TCP connection stands.
  login_actions connected();
  /// TLS stands and the certificate was accepted.
  login_actions secured();
  /// The server has opened its stream.
  login_actions stream_opened();
  /// An element that `decode_stream_element` knows. `more_follows`: in the
  /// same read as the element came more, which after `<proceed/>` means that
  /// somebody has injected it (RFC 6120 section 5.4.3.3).
  login_actions element(const stream_element& incoming,
                        bool more_follows = false);
  /// Any other element.
  login_actions unexpected_element();
  /// The connection was closed.
  login_actions closed();
  /// The deadline of the stage has passed.
  login_actions timed_out();
  /// The caller has found a reason to give up.
  login_actions fail(error reason, bool retry);

  login_stage stage() const noexcept { return stage_; }

 private:
  // What is awaited within a stage.
  enum class awaiting {
    nothing,
    stream,
    features,
    proceed,
    tls,
    sasl,
    bind,
    session
  };
  struct visitor;

  login_actions open_stream();
  login_actions start_tls();
  login_actions take(const stream_features& features);
  login_actions take_proceed(bool more_follows);
  login_actions take(const sasl_challenge& challenge);
  login_actions take(const sasl_success& success);
  login_actions take(const sasl_failure& failure);
  login_actions take(const stream_error& failure);
  login_actions take(const login_answer& answer);
  login_actions begin_tls(const stream_features& features);
  login_actions begin_sasl(const stream_features& features);
  login_actions begin_bind(const stream_features& features);
  login_actions take_bound(const login_answer& answer);
  login_actions request_bind(const std::string& resource);
  login_actions request_session();
  login_actions succeed();
  login_actions out_of_turn();
  bool over() const noexcept;
  std::string server() const;

  login_settings settings_;
  login_stage stage_ = login_stage::idle;
  awaiting awaiting_ = awaiting::nothing;
  bool secured_ = false;
  bool authenticated_ = false;
  bool session_required_ = false;
  bool own_resource_refused_ = false;
  int features_seen_ = 0;
  std::optional<sasl_client> sasl_;
  std::string mechanism_;
  std::string request_id_;
  jid bound_;
};

}  // namespace sotto
