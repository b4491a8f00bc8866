#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "crypto/result.hpp"
#include "protocol/jid.hpp"
#include "protocol/stanza.hpp"

/// libstrophe's `xmpp_stanza_t`: a parsed element.
struct _xmpp_stanza_t;  // NOLINT(bugprone-reserved-identifier)

namespace sotto {

/// The complete XML text of one stanza, in the stream's default namespace
/// jabber:client. All text passes the outgoing text filter and is escaped;
/// names of elements and attributes are constants. Empty fields are left out.
std::string encode(const stanza& outgoing);

/// What decoding has to know beside the stanza.
struct decode_context {
  jid own;        ///< the bound full JID
  wall_time now;  ///< time stamps are clamped to at most a day after it
  /// The id of the archive query that is open and the archive that was asked
  /// (empty: the own account's). Without an open query every archive result
  /// is refused.
  std::string open_archive_query;
  jid asked_archive;
};

/// A parsed element as a stanza. Children are matched by name and namespace;
/// of several alike the first counts. An error if it cannot be used: not a
/// stanza of jabber:client, an address that is no JID, an unknown type, an IQ
/// without id, ...; the message names the reason and no contents.
///
/// The sender rules for wrapped messages are applied here, so that nobody can
/// forget them: a carbon (XEP-0280) or archive result (XEP-0313) from a wrong
/// sender is an error, and its contents are never taken. An accepted one comes
/// out as the inner message with `is_carbon` or `is_archived` set, and with
/// the wrapper's sender in `outer_from`.
result<stanza> decode(const _xmpp_stanza_t* element,
                      const decode_context& context);

// Elements that only the login sees.

/// `<stream:features/>` (RFC 6120 section 4.3.2).
struct stream_features {
  bool starttls = false;
  bool starttls_required = false;
  std::vector<std::string> mechanisms;  ///< SASL, in the server's order
  bool bind = false;
  bool session = false;           ///< RFC 3921 section 3
  bool session_optional = false;  ///< `<optional/>` within it
  bool stream_management = false;
  bool roster_versioning = false;
  bool registration = false;
};

/// `<proceed/>` and `<failure/>` of STARTTLS (RFC 6120 section 5.4.2).
struct tls_proceed {};
struct tls_failure {};

/// SASL (RFC 6120 section 6.4). `text` is the base64 as sent, white space
/// around it removed, "=" for an empty value kept.
struct sasl_challenge {
  std::string text;
};
struct sasl_success {
  std::string text;
};
struct sasl_failure {
  std::string condition;  ///< e.g. "not-authorized"
  std::string text;       ///< the server's words; remote text
};

/// `<stream:error/>` (RFC 6120 section 4.9).
struct stream_error {
  std::string condition;  ///< e.g. "conflict", "see-other-host"
  std::string text;       ///< the server's words; remote text
};

/// The answer to an IQ of the login, of which only the id is certain: bind
/// (`bound` is the JID as sent, not yet checked), session, ping.
struct login_answer {
  std::string id;
  bool is_error = false;
  std::string condition;  ///< with an error, e.g. "conflict"
  std::string bound;      ///< `<bind><jid>`; empty if there is none
};

using stream_element =
    std::variant<stream_features, tls_proceed, tls_failure, sasl_challenge,
                 sasl_success, sasl_failure, stream_error, login_answer>;

/// A parsed element as one that the login waits for; nothing for any other.
/// An `<iq/>` counts only as result or error with an id.
std::optional<stream_element> decode_stream_element(
    const _xmpp_stanza_t* element);

// What the login sends. Complete XML text each. `text` is base64 already.

std::string encode_starttls();
/// Without `initial` no initial response is sent; an empty one is sent as
/// "=" (RFC 6120 section 6.4.2).
std::string encode_sasl_auth(std::string_view mechanism,
                             const std::optional<std::string>& initial);
std::string encode_sasl_response(std::string_view text);
std::string encode_sasl_abort();
/// Without `resource` the server makes one up.
std::string encode_bind(std::string_view id, std::string_view resource);
std::string encode_session(std::string_view id);
/// XEP-0199, to the own server.
std::string encode_ping(std::string_view id);

}  // namespace sotto
