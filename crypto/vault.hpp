#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/kdf.hpp"
#include "crypto/result.hpp"
#include "crypto/secret.hpp"

namespace sotto {

/// How the vault's master key is kept.
enum class vault_protection {
  passphrase,  ///< sealed under a key derived by Argon2id
  none         ///< readable by whoever reads the folder (--no-passphrase)
};

/// One row: a key within a table, and its value.
struct vault_row {
  std::string key;
  secret value;
};

/// One change of a batch.
struct vault_change {
  std::string table;
  std::string key;
  std::optional<secret> value;  ///< nothing: erase
};

/// How a new vault is made; an existing one keeps what it was made with.
struct vault_options {
  kdf_cost cost = kdf_cost::moderate();  ///< of one try at the passphrase
};

/// All that Sotto keeps, in one folder: sealed rows in SQLite (WAL, FULL).
///
/// Every row is sealed with XChaCha20-Poly1305 under the vault's master key;
/// the associated data binds schema, table and row; the row's name is a keyed
/// BLAKE2b of its table and key. What a reader of the files still learns is
/// the number of rows of each table, their sizes and when they were written.
///
/// Not thread-safe; owned by one thread. The folder is locked against a
/// second process as long as the object lives. (R25 to R27)
class vault {
 public:
  /// Opens the vault in `folder`, or makes a new one if there is none (the
  /// folder too, with mode 0700). Without `passphrase` only a folder without
  /// one opens, and a new one is made without. Never changes an existing
  /// vault unless it opens. Errors: in_use, wrong_passphrase, refused (it has
  /// a passphrase and none was given, or the other way round), corrupt,
  /// newer_version, io.
  static result<std::unique_ptr<vault>> open(
      const std::filesystem::path& folder, const secret* passphrase);
  static result<std::unique_ptr<vault>> open(
      const std::filesystem::path& folder, const secret* passphrase,
      const vault_options& options);

  virtual ~vault() = default;

  virtual vault_protection protection() const = 0;

  /// The value, or nothing if there is no such row.
  virtual result<std::optional<secret>> get(std::string_view table,
                                            std::string_view key) = 0;
  /// Every row of a table, ordered by key.
  virtual result<std::vector<vault_row>> all(std::string_view table) = 0;
  /// All changes or none, on the disk when it returns.
  virtual result<void> apply(const std::vector<vault_change>& changes) = 0;
};

}  // namespace sotto
