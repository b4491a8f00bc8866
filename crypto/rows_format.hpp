#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "crypto/result.hpp"
#include "crypto/row_sealer.hpp"
#include "crypto/sqlite.hpp"

namespace sotto {

/// The state of a vault's rows, kept as one more sealed row.
struct rows_state {
  std::uint64_t commits = 0;
  row_set_digest digest;
};

/// A table is named by 1 to 64 of a-z 0-9 _ - . and a key has up to 64 KiB;
/// else errc::invalid_argument.
result<void> check_row_name(std::string_view table, std::string_view key);

/// Makes a file of no rows, which must not be there; it is closed, synced and
/// whole when this returns.
result<void> make_rows_file(const std::filesystem::path& file,
                            const row_sealer& sealer, std::uint32_t schema);

/// Whether an opened file has the marks, version, tables and page structure of
/// a vault's rows. Errors: corrupt, newer_version, io.
result<void> check_rows_format(sqlite_database& database,
                               const std::filesystem::path& file,
                               std::uint32_t schema);

/// The state; errc::corrupt if it was not sealed by this sealer.
result<rows_state> load_rows_state(sqlite_database& database,
                                   const std::filesystem::path& file,
                                   const row_sealer& sealer,
                                   std::uint32_t schema);

/// The statement that `save_rows_state` runs.
inline constexpr const char* save_state_sql =
    "INSERT INTO state (one, sealed) VALUES (1, ?1) "
    "ON CONFLICT (one) DO UPDATE SET sealed = ?1";
result<void> save_rows_state(sqlite_statement& save, const row_sealer& sealer,
                             std::uint32_t schema, const rows_state& state);

}  // namespace sotto
