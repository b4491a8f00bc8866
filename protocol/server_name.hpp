#pragma once

#include <optional>
#include <string>
#include <string_view>

/// OpenSSL's `X509`.
struct x509_st;

namespace sotto {

/// A domain as it stands in DNS and certificates (IDNA ToASCII), in lower
/// case; nothing if it cannot stand there.
std::optional<std::string> ascii_domain(std::string_view domain);

/// An address literal ("192.0.2.1", "2001:db8::1", "[2001:db8::1]") as
/// network-order bytes; empty if `domain` is none.
std::string address_bytes(std::string_view domain);

/// Whether a dNSName of a certificate names `domain` (both ASCII; RFC 6125
/// section 6.4): without regard to case, a wildcard only as the whole
/// left-most label, and only above at least two more labels.
bool dns_name_matches(std::string_view pattern, std::string_view domain);

/// Whether a certificate is made out for the XMPP server of `domain`
/// (RFC 6120 section 13.7.1.2): by dNSName, SRVName `_xmpp-client.`, xmppAddr,
/// or iPAddress for an address literal. The common name never counts.
bool names_server(const x509_st& certificate, std::string_view domain);

}  // namespace sotto
