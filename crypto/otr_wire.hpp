#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sotto {

/// The kinds of body that begin with `?OTR`.
enum class otr_kind {
  query,
  error,
  commit,            ///< D-H Commit
  dh_key,            ///< D-H Key
  reveal_signature,  ///< Reveal Signature
  signature,         ///< Signature
  data,
  fragment,
  version_1,  ///< any message of OTR version 1
  malformed
};

/// One body, read strictly: what stands here is all that libotr is given.
struct otr_body {
  otr_kind kind = otr_kind::malformed;
  /// 2 or 3; of a query the best that both sides have, 0 if there is none.
  int version = 0;
  /// Instance tags, in version 3 only.
  std::uint32_t sender = 0;
  std::uint32_t receiver = 0;
  /// Of a fragment: its number (from 1), how many there are, what it holds.
  /// Of an error: its text.
  unsigned number = 0;
  unsigned total = 0;
  std::string_view content{};

  bool is_handshake() const {
    return kind == otr_kind::query || kind == otr_kind::commit ||
           kind == otr_kind::dh_key || kind == otr_kind::reveal_signature ||
           kind == otr_kind::signature;
  }
};

/// What every body of OTR begins with.
inline constexpr std::string_view otr_prefix = "?OTR";
/// The query that Sotto sends: versions 2 and 3, no explanation in HTML.
inline constexpr std::string_view otr_query = "?OTRv23?";

/// Reads a body that begins with `otr_prefix`. White space after an encoded
/// message is let pass; nothing else is.
otr_body parse_otr_body(std::string_view body);

/// The hash of g^x in a D-H Commit message, by which two that cross are told
/// apart; nothing if there is none.
std::optional<std::vector<std::uint8_t>> commit_hash(std::string_view body);

/// Without the white space tag that offers OTR in clear text (never answered).
std::string without_whitespace_tag(std::string_view body);

}  // namespace sotto
