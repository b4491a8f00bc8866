#pragma once

#include <string>
#include <string_view>

#include "tests/support/scripted_server.hpp"

namespace sotto::test {

std::string base64(std::string_view bytes);
std::string from_base64(std::string_view text);

// What a server says. @{
extern const std::string_view stream_header;
extern const std::string_view starttls_features;
extern const std::string_view scram_features;  ///< SCRAM-SHA-256 and -1, PLAIN
extern const std::string_view bind_features;
extern const std::string_view tls_proceed_text;
std::string mechanisms(std::string_view list);  ///< separated by spaces
/// @}

/// How a scripted SCRAM goes wrong, if at all.
struct scram_faults {
  std::string iterations = "4096";
  std::string salt = "c2FsdHNhbHRzYWx0";  ///< base64
  bool foreign_nonce = false;  ///< a nonce that does not go on from ours
  bool same_nonce = false;     ///< ours, with nothing added
  bool wrong_signature = false;
  bool no_signature = false;            ///< `<success/>` without anything
  bool early_success = false;           ///< instead of the first challenge
  bool signature_as_challenge = false;  ///< allowed: before `<success/>`
  bool challenges_for_ever = false;     ///< after the signature
  std::string extra = {};               ///< put in front of the challenge
};

// The steps of a login, as the server goes through them. @{
void take_stream(scripted_link& link);  ///< and open ours
/// STARTTLS from the first stream to the end of the handshake.
void secure(scripted_link& link, const identity& own, int newest_tls = 0);
/// From the stream after TLS; any SCRAM mechanism, any user.
void authenticate(scripted_link& link, const std::string& password,
                  const scram_faults& faults = {},
                  std::string_view features = scram_features);
/// From the stream after SASL; binds `full`.
void bind_as(scripted_link& link, const std::string& full);
/// The value of an attribute of the first element in `xml`.
std::string attribute(const std::string& xml, const std::string& name);
/// @}

/// A whole login; returns when the client is online.
void log_in(scripted_link& link, const identity& own,
            const std::string& password, const std::string& full);

/// What a client must not have said before a login is due: true if `heard`
/// holds the password in the clear or in base64, a SASL response that holds
/// it, or a SCRAM proof.
bool gives_away(const std::string& heard, const std::string& user,
                const std::string& password);
/// True if anything of SASL was said at all.
bool began_sasl(const std::string& heard);

}  // namespace sotto::test
