#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/result.hpp"
#include "crypto/secret.hpp"

namespace sotto {

/// What one guess at a passphrase costs: Argon2id's passes and memory.
struct kdf_cost {
  std::uint64_t passes = 0;
  std::uint64_t memory_bytes = 0;

  /// About half a second and 256 MiB: what a vault is made with.
  static kdf_cost moderate();
  /// About a tenth of a second and 64 MiB.
  static kdf_cost interactive();
  /// Next to nothing; for tests only.
  static kdf_cost minimal();

  /// Whether it may be used: not less than the algorithm needs, and not so
  /// much that a tampered file could take all memory or hours (at most 10
  /// passes over 1 GiB).
  bool acceptable() const;

  bool operator==(const kdf_cost&) const = default;
};

inline constexpr std::size_t kdf_salt_bytes = 16;

/// A key of 32 bytes from a passphrase by Argon2id 1.3 (RFC 9106), one lane.
/// Errors: invalid_argument (an empty passphrase, a cost that is not
/// acceptable), crypto (not enough memory).
result<secret> derive_key(const secret& passphrase,
                          std::span<const std::byte, kdf_salt_bytes> salt,
                          kdf_cost cost);

}  // namespace sotto
