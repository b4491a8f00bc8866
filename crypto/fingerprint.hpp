#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.hpp"

namespace sotto {

/// The SHA-1 of an OTR DSA public key, as OTR defines it: 20 bytes.
class fingerprint {
 public:
  static constexpr std::size_t size = 20;

  fingerprint() = default;
  explicit fingerprint(const std::array<std::uint8_t, size>& bytes)
      : bytes_(bytes) {}

  /// Reads what a person typed or pasted: 40 hex digits in any case, with any
  /// white space, hyphens, colons or other separators between them.
  static result<fingerprint> parse(std::string_view typed);

  const std::array<std::uint8_t, size>& bytes() const noexcept {
    return bytes_;
  }
  /// 40 upper-case hex digits.
  std::string hex() const;
  /// Five groups of eight upper-case hex digits, single spaces between.
  std::string grouped() const;

  friend bool operator==(const fingerprint&, const fingerprint&) = default;
  friend auto operator<=>(const fingerprint&, const fingerprint&) = default;

 private:
  std::array<std::uint8_t, size> bytes_{};
};

/// What a field for a typed fingerprint can say at any moment.
struct fingerprint_comparison {
  enum class verdict { incomplete, match, mismatch, invalid };
  verdict outcome = verdict::incomplete;
  /// Index (0 to 4) of the first group of eight that differs; -1 if none
  /// does so far.
  int first_difference = -1;
};

/// Compares what was typed so far with the fingerprint that is expected.
fingerprint_comparison compare_typed(std::string_view typed,
                                     const fingerprint& expected);

}  // namespace sotto
