#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "crypto/result.hpp"
#include "crypto/vault_folder.hpp"

namespace sotto {

/// Brings a vault's files from schema `from` to `from` + 1. It must be safe to
/// run again after it was interrupted, and change vault.key last.
struct migration_step {
  std::uint32_t from = 0;
  std::function<result<void>(const vault_folder&)> run;
};

/// Copies vault.key, vault.db, its log and vault.count into the folder
/// "backup-schema-`schema`", which is there only once it is whole. A backup
/// from an earlier, interrupted migration is kept: it is the older one.
result<void> back_up_vault(const vault_folder& folder, std::uint32_t schema);

/// Runs the steps that lead from schema `from` to `to`, after a backup. Call
/// it only for a vault whose key has opened. Nothing is done, and no backup
/// made, if `from` is `to` already. Errors: corrupt (no step leads on), io.
result<void> migrate_vault(const vault_folder& folder, std::uint32_t from,
                           std::uint32_t to,
                           std::span<const migration_step> steps);

}  // namespace sotto
