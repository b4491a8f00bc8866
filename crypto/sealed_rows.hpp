#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "crypto/commit_mark.hpp"
#include "crypto/result.hpp"
#include "crypto/row_sealer.hpp"
#include "crypto/rows_format.hpp"
#include "crypto/sqlite.hpp"
#include "crypto/vault.hpp"

namespace sotto {

/// The rows of a vault in their SQLite file, and one more sealed row, the
/// state: the schema version, the number of commits, and the digest over all
/// rows. It is written in the transaction that changes the rows. On opening,
/// every row is read and held against it, so that a row that was damaged,
/// removed, added, or put back as it was before is found at once, and so that
/// a file that belongs to another key does not open.
class sealed_rows {
 public:
  /// Opens the file and checks all of it, also against its `commit_mark`.
  /// Errors: corrupt, newer_version, in_use, io; the contents of the file are
  /// then as they were.
  static result<sealed_rows> open(const std::filesystem::path& file,
                                  const std::filesystem::path& mark_file,
                                  row_sealer sealer, std::uint32_t schema);

  result<std::optional<secret>> get(std::string_view table,
                                    std::string_view key);
  result<std::vector<vault_row>> all(std::string_view table);
  result<void> apply(const std::vector<vault_change>& changes);

 private:
  struct statements {
    sqlite_statement find;
    sqlite_statement list;
    sqlite_statement put;
    sqlite_statement erase;
    sqlite_statement put_state;
  };

  sealed_rows(std::filesystem::path file, row_sealer sealer,
              std::uint32_t schema, sqlite_database database,
              statements prepared);

  static result<statements> prepare(sqlite_database& database);
  result<void> check_contents();
  result<row_set_digest> digest_of_all();
  result<void> apply_one(const vault_change& change, row_set_digest& digest);
  result<opened_row> open_row(std::string_view table, const row_id& id,
                              std::span<const std::byte> sealed) const;

  std::filesystem::path file_;
  row_sealer sealer_;
  std::uint32_t schema_;
  sqlite_database database_;
  statements prepared_;  // gone before the database
  rows_state state_;
  commit_mark mark_;
};

}  // namespace sotto
