#pragma once

#include <cstdint>
#include <filesystem>

#include "crypto/kdf.hpp"
#include "crypto/result.hpp"
#include "crypto/secret.hpp"
#include "crypto/vault.hpp"

namespace sotto {

/// The version of all that is in a vault. A Sotto opens no newer one.
inline constexpr std::uint32_t vault_schema = 1;

/// What vault.key holds.
struct vault_header {
  vault_protection protection = vault_protection::none;
  std::uint32_t schema = vault_schema;
  secret master_key;
};

/// Opens `file`. Errors: refused, wrong_passphrase, corrupt, newer_version,
/// io, not_found.
result<vault_header> read_vault_header(const std::filesystem::path& file,
                                       const secret* passphrase);

/// Puts a master key into `file`, in the place of what it was.
result<void> write_vault_header(const std::filesystem::path& file,
                                const secret& master_key,
                                const secret* passphrase, kdf_cost cost);

}  // namespace sotto
