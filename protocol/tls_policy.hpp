#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/stanza.hpp"
#include "protocol/transport.hpp"

namespace sotto {

/// What a TLS handshake has shown of the server.
struct presented_certificate {
  std::string pem;                ///< the server's own certificate
  std::vector<int> chain_errors;  ///< OpenSSL's X509_V_ERR_ codes
};

/// Whether a link may go on.
struct certificate_verdict {
  bool accepted = false;
  /// When a pin made the difference: the problems that it excused.
  std::string pinned_problems;
  /// When not accepted.
  std::optional<certificate_problem> problem;
};

/// Judges a server's certificate for `domain`, the domain of the account
/// (RFC 6120 section 13.7, RFC 6125, R8). Pure.
///
/// The name must stand in the subject alternative names as dNSName (a
/// wildcard only as the whole left-most label), SRVName `_xmpp-client.`,
/// xmppAddr, or iPAddress for an address literal; the common name never
/// counts. RSA keys under 2048 bits, EC keys under 256, and signatures by MD5
/// or SHA-1 are problems beside those that the verification of the chain found.
///
/// A pin accepts one certificate with the problems that were shown when it
/// was made, or fewer; one that names no problems is not yet bound and
/// accepts those that are found, which the caller has to write into it.
certificate_verdict judge_certificate(const presented_certificate& presented,
                                      std::string_view domain,
                                      const std::optional<certificate_pin>& pin,
                                      wall_time now);

}  // namespace sotto
