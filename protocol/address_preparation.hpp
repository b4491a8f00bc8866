#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sotto {

/// RFC 7622 sections 3.2 to 3.4: bytes of one part of an address.
inline constexpr std::size_t max_address_part = 1023;

// Each prepares one part of an address, so that two that mean the same compare
// equal byte by byte; nothing if the part is not allowed. A prepared part
// prepares to itself.

/// nodeprep (RFC 6122 appendix A): case is folded; "&'/:<>@ and spaces are
/// refused.
std::optional<std::string> prepare_localpart(std::string_view raw);
/// A host name, an IPv4 address, or an IPv6 address in brackets. Names are
/// prepared by nameprep (RFC 3491), A-labels become U-labels where IDNA
/// (RFC 3490) can, one trailing dot goes. A label must fit DNS in its ASCII
/// form (1 to 63 bytes, 253 in all) and may hold '_' beside letters, digits
/// and inner hyphens.
std::optional<std::string> prepare_domainpart(std::string_view raw);
/// resourceprep (RFC 6122 appendix B): case stays.
std::optional<std::string> prepare_resourcepart(std::string_view raw);

}  // namespace sotto
