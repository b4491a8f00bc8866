#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.hpp"
#include "crypto/secret.hpp"

namespace sotto {

/// The name of a row in the files: keyed BLAKE2b of its table and key.
using row_id = std::array<std::byte, 32>;

/// A digest over a set of rows that does not depend on their order, and from
/// which a row can be taken out again: the exclusive or of a keyed BLAKE2b of
/// each row. It is itself only ever kept sealed, so that nobody without the
/// master key can make another set of rows that fits. It finds rows that were
/// removed, or put back as they were earlier.
struct row_set_digest {
  std::array<std::byte, 32> bytes{};

  /// Adds a row that is not in the set, takes out one that is.
  void toggle(const row_set_digest& row);
  bool operator==(const row_set_digest&) const = default;
};

/// A row as it was before it was sealed.
struct opened_row {
  std::string key;
  secret value;
};

/// Seals and opens the rows of a vault. The associated data binds the schema
/// version, the table and the row's id, so that a row which was moved to
/// another table, another name or another schema does not open. Each purpose
/// has its own key, derived from the master key by crypto_kdf.
class row_sealer {
 public:
  static constexpr std::size_t master_key_bytes = 32;

  row_sealer(const secret& master_key, std::uint32_t schema_version);

  row_id id_of(std::string_view table, std::string_view key) const;

  /// Nonce, ciphertext of (length of key, key, value), tag.
  std::vector<std::byte> seal(std::string_view table, const row_id& id,
                              std::string_view key,
                              std::span<const std::byte> value) const;
  /// errc::corrupt if the row is not, bit for bit, what was sealed for it.
  result<opened_row> open(std::string_view table, const row_id& id,
                          std::span<const std::byte> sealed) const;

  row_set_digest digest_of(std::string_view table, const row_id& id,
                           std::span<const std::byte> sealed) const;

  /// Shows that a number of commits was written with this master key.
  std::array<std::byte, 32> proof_of(std::uint64_t commits) const;

 private:
  std::vector<std::byte> associated_data(std::string_view table,
                                         const row_id& id) const;

  std::uint32_t schema_version_;
  secret name_key_;
  secret seal_key_;
  secret digest_key_;
  secret proof_key_;
};

}  // namespace sotto
