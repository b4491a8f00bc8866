#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>

#include "crypto/result.hpp"
#include "crypto/secret.hpp"
#include "protocol/link_watchdog.hpp"
#include "protocol/resolver.hpp"
#include "protocol/strophe_library.hpp"
#include "protocol/tls_guard.hpp"
#include "protocol/tls_policy.hpp"
#include "protocol/xml_guard.hpp"

struct _xmpp_conn_t;    // NOLINT(bugprone-reserved-identifier)
struct _xmpp_stanza_t;  // NOLINT(bugprone-reserved-identifier)

namespace sotto {

/// What happens on a connection. Called from inside `run`, so that the
/// connection itself must stay.
class connection_events {
 public:
  virtual ~connection_events() = default;
  virtual void on_tcp_connected() = 0;
  virtual void on_stream_opened() = 0;
  /// A child of the stream, complete; valid for the call only.
  virtual void on_element(const _xmpp_stanza_t* element) = 0;
  virtual void on_closed() = 0;
};

/// One TCP connection and the streams on it, by libstrophe's raw mode: the
/// library parses and writes; login, TLS policy and deadlines are others'.
/// All use is from one thread, and one object a thread at a time.
class strophe_connection {
 public:
  struct options {
    std::string domain;   ///< of the account: SNI and the stream's `to`
    std::string ca_file;  ///< PEM; empty: the system's store
    /// After which an unanswered byte ends the connection.
    std::chrono::milliseconds tcp_patience{};
  };

  strophe_connection(options wanted, connection_events& events,
                     std::shared_ptr<link_lifeline> lifeline);
  ~strophe_connection();
  strophe_connection(const strophe_connection&) = delete;
  strophe_connection& operator=(const strophe_connection&) = delete;

  /// Begins to connect; `on_tcp_connected` or `on_closed` follows.
  result<void> connect(const server_address& where);
  /// The TLS handshake. Blocks; the lifeline ends it. Sends nothing of the
  /// stream: whether to go on is for the caller to judge.
  result<presented_certificate> start_tls();
  void open_stream();
  void send(const std::string& xml);
  void send(const secret& xml);
  /// Sends the end of the stream; `on_closed` follows if the server agrees.
  void close_stream();

  /// Does what can be done without waiting. True if it left some for a next
  /// call, as a busy server must not keep the caller from its other duties.
  bool run();
  /// Whether sent text waits for the server to take it. (Once the stream of
  /// stanzas stands; until then the texts are small and always taken.)
  bool writing() const;
  /// As `xml_guard::anything_follows`, or an answer came before its question
  /// was sent.
  bool out_of_step() const;
  /// Why the connection must be ended, as the second half of a sentence that
  /// begins with "The server"; empty if it need not.
  std::string trouble() const;
  std::uint64_t bytes_read() const noexcept { return xml_.bytes_parsed(); }

 private:
  struct callbacks;
  struct connection_release {
    void operator()(_xmpp_conn_t* connection) const noexcept;
  };

  template <class Call>
  void protect(Call call) noexcept;
  bool prepare_socket(int socket) noexcept;

  options options_;
  connection_events& events_;
  std::shared_ptr<link_lifeline> lifeline_;
  xml_guard xml_;
  tls_guard tls_;
  strophe_context context_;
  std::unique_ptr<_xmpp_conn_t, connection_release> connection_;
  bool too_many_sockets_ = false;
  bool broken_ = false;
  bool closed_ = false;
  unsigned events_seen_ = 0;
};

}  // namespace sotto
