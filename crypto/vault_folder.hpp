#pragma once

#include <filesystem>

#include "crypto/result.hpp"
#include "crypto/unique_fd.hpp"

namespace sotto {

/// What a vault's folder holds.
enum class vault_contents {
  none,     ///< no vault, or the beginnings of one that never held anything
  newborn,  ///< key and rows are whole, the last step of making it is missing
  whole     ///< key and rows
};

/// A vault's folder: made if need be, private to this user, and locked against
/// other processes as long as this lives.
///
///     vault.key     the wrapped master key          (sealed_file)
///     vault.db      the sealed rows, and its log vault.db-wal
///     vault.count   the number of the last commit   (commit_mark)
///     vault.db.new  the rows of a vault that is being made
///     lock          held by the process that has the vault open
///
/// A vault is made in this order: vault.db.new, whole and synced; vault.key,
/// which makes it a vault; then vault.db.new becomes vault.db. So a crash
/// leaves either no vault.key, and nothing to lose, or all that is needed.
class vault_folder {
 public:
  /// Errors: invalid_argument (no path), refused (it is another user's, or
  /// open to others and full of other things), in_use, io.
  static result<vault_folder> claim(const std::filesystem::path& folder);

  /// What is there. Errors: corrupt, if there are parts of a vault that do not
  /// make one. Changes nothing.
  result<vault_contents> contents() const;

  std::filesystem::path key_file() const { return path_ / "vault.key"; }
  std::filesystem::path rows_file() const { return path_ / "vault.db"; }
  std::filesystem::path new_rows_file() const { return path_ / "vault.db.new"; }
  std::filesystem::path mark_file() const { return path_ / "vault.count"; }
  const std::filesystem::path& path() const { return path_; }

  /// Removes what is left of a vault that was never finished. Only for
  /// `vault_contents::none`.
  result<void> discard_beginnings() const;

 private:
  std::filesystem::path path_;
  unique_fd lock_;
};

}  // namespace sotto
