#pragma once

#include <string_view>

#include "crypto/result.hpp"

namespace sotto {

/// The nonce in a SCRAM client-first-message; empty if there is none.
std::string_view scram_client_nonce(std::string_view client_first);

/// Checks a SCRAM server-first-message (RFC 5802 section 5.1) before a
/// library acts on it: exactly `r`, `s`, `i` and optional extensions, in this
/// order and none of them mandatory; the nonce goes on from ours; salt and
/// iteration count are within the bounds of `sasl_client`.
result<void> check_scram_challenge(std::string_view server_first,
                                   std::string_view client_nonce);

}  // namespace sotto
