#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.hpp"
#include "crypto/secret.hpp"

namespace sotto {

/// How strong a SASL mechanism is among those that this program speaks:
/// PLAIN, then SCRAM-SHA-1, then SCRAM-SHA-256; 0 for any other.
int sasl_strength(std::string_view mechanism);

/// The strongest mechanism that both sides speak (R9). PLAIN only where
/// `allow_plain` says so. Refused if the server offers nothing usable, or
/// nothing as strong as `best`, which the account has seen before (empty: no
/// such memory): that is how a downgrade looks.
result<std::string> choose_mechanism(const std::vector<std::string>& offered,
                                     bool allow_plain, std::string_view best);

/// The client's side of one SASL exchange (RFC 4422, RFC 5802) by GNU SASL,
/// with the checks that a client has to make itself before the library sees a
/// challenge. All texts are base64, as in XMPP.
class sasl_client {
 public:
  /// What a server may ask of us.
  static constexpr std::size_t max_challenge = 4'096;  ///< bytes of base64
  static constexpr long min_iterations = 4'096;
  static constexpr long max_iterations = 1'000'000;
  static constexpr std::size_t max_salt = 256;  ///< bytes

  static result<sasl_client> start(std::string_view mechanism,
                                   std::string_view user,
                                   const secret& password);
  ~sasl_client();
  sasl_client(sasl_client&&) noexcept;
  sasl_client& operator=(sasl_client&&) noexcept;

  /// The initial response. Once, before anything else.
  result<secret> initial();
  /// The answer to a challenge.
  result<secret> respond(std::string_view challenge);
  /// The server says that it has let us in; `text` is what came with it. An
  /// error if it has not proved before, or with `text`, that it knows the
  /// password too (SCRAM).
  result<void> conclude(std::string_view text);

 private:
  class session;
  explicit sasl_client(std::unique_ptr<session> state);
  std::unique_ptr<session> session_;
};

}  // namespace sotto
