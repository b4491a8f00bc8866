#include "crypto/rows_format.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string>

#include "crypto/atomic_file.hpp"
#include "crypto/little_endian.hpp"
#include "crypto/unique_fd.hpp"

namespace sotto {
namespace {

constexpr const char* application_id = "1399813236";  // the bytes "Sott"
constexpr const char* rows_sql =
    "CREATE TABLE rows (tbl TEXT NOT NULL, id BLOB NOT NULL, "
    "sealed BLOB NOT NULL, PRIMARY KEY (tbl, id)) WITHOUT ROWID";
constexpr const char* state_sql =
    "CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), "
    "sealed BLOB NOT NULL)";
// Not a name that `valid_table` lets pass.
constexpr std::string_view state_table = "sotto:state";
constexpr std::string_view state_key = "state";
constexpr std::size_t at_commits = 4;
constexpr std::size_t at_digest = 12;
constexpr std::size_t state_bytes = at_digest + sizeof(row_set_digest::bytes);
constexpr std::size_t longest_table = 64;
constexpr std::size_t longest_key = 64 << 10;

bool valid_table(std::string_view table) {
  return !table.empty() && table.size() <= longest_table &&
         std::all_of(table.begin(), table.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

// SQLite would make it with the umask's mode.
result<void> make_empty_file(const std::filesystem::path& file) {
  const unique_fd made(
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!made) {
    return io_failure("make", file, errno);
  }
  return {};
}

result<void> sync_file(const std::filesystem::path& file) {
  const unique_fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened || ::fsync(opened.get()) != 0) {
    return io_failure("write", file, errno);
  }
  return {};
}

result<void> save_first_state(sqlite_database& database,
                              const row_sealer& sealer, std::uint32_t schema) {
  auto save = database.prepare(save_state_sql);
  if (!save) {
    return save.failure();
  }
  return save_rows_state(*save, sealer, schema, rows_state());
}

result<void> fill_new_file(const std::filesystem::path& file,
                           const row_sealer& sealer, std::uint32_t schema) {
  auto database = sqlite_database::open(file);
  if (!database) {
    return database.failure();
  }
  const std::string sql =
      std::string("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; ") +
      "PRAGMA application_id = " + application_id +
      "; PRAGMA user_version = " + std::to_string(schema) + "; " + rows_sql +
      "; " + state_sql + ";";
  auto done = database->run(sql.c_str());
  if (done) {
    done = save_first_state(*database, sealer, schema);
  }
  if (done) {
    done = database->run("COMMIT");
  }
  // Closing would say nothing of a full disk.
  if (done) {
    done = database->run("PRAGMA wal_checkpoint(TRUNCATE)");
  }
  database->checkpoint_on_close(done.has_value());
  return done;
}

result<void> check_version(sqlite_database& database,
                           const std::filesystem::path& file,
                           std::uint32_t schema) {
  auto text = database.value_of("PRAGMA user_version");
  if (!text) {
    return text.failure();
  }
  std::int64_t version = 0;
  std::from_chars(text->data(), text->data() + text->size(), version);
  if (version > std::int64_t{schema}) {
    return error{errc::newer_version,
                 "\"" + file.string() +
                     "\" was written by a newer Sotto; nothing was changed; "
                     "use that version or a newer one"};
  }
  if (version != std::int64_t{schema}) {
    return damaged_vault(file, "its version makes no sense");
  }
  return {};
}

// `query` gives `expected`, or the file is damaged in the way that `how` says.
result<void> expect(sqlite_database& database,
                    const std::filesystem::path& file, const char* query,
                    std::string_view expected, std::string_view how) {
  auto found = database.value_of(query);
  if (!found) {
    return found.failure();
  }
  if (*found != expected) {
    return damaged_vault(file, how);
  }
  return {};
}

}  // namespace

result<void> check_row_name(std::string_view table, std::string_view key) {
  if (!valid_table(table)) {
    return error{errc::invalid_argument,
                 "a table of the vault is named by 1 to 64 of a-z 0-9 _ - ."};
  }
  if (key.size() > longest_key) {
    return error{errc::invalid_argument,
                 "a key of " + std::to_string(key.size()) +
                     " bytes is too long for the vault; it takes 64 KiB"};
  }
  return {};
}

result<void> make_rows_file(const std::filesystem::path& file,
                            const row_sealer& sealer, std::uint32_t schema) {
  if (auto made = make_empty_file(file); !made) {
    return made;
  }
  if (auto filled = fill_new_file(file, sealer, schema); !filled) {
    return filled;
  }
  return sync_file(file);
}

result<void> check_rows_format(sqlite_database& database,
                               const std::filesystem::path& file,
                               std::uint32_t schema) {
  auto good = expect(database, file, "PRAGMA application_id", application_id,
                     "it is not a vault of Sotto");
  if (good) {
    good = check_version(database, file, schema);
  }
  if (good) {
    good = expect(database, file, "PRAGMA journal_mode", "wal",
                  "it is not in the mode that Sotto writes");
  }
  if (good) {
    good = expect(database, file,
                  "SELECT group_concat(sql, ';') FROM "
                  "(SELECT sql FROM sqlite_schema ORDER BY name)",
                  std::string(rows_sql) + ";" + state_sql,
                  "its tables are not those of a vault");
  }
  if (good) {
    good = expect(database, file, "PRAGMA quick_check(1)", "ok",
                  "its pages do not fit together");
  }
  return good;
}

result<rows_state> load_rows_state(sqlite_database& database,
                                   const std::filesystem::path& file,
                                   const row_sealer& sealer,
                                   std::uint32_t schema) {
  auto query = database.prepare("SELECT sealed FROM state WHERE one = 1");
  if (!query) {
    return query.failure();
  }
  auto there = query->step();
  if (!there) {
    return there.failure();
  }
  const auto foreign = [&] {
    return damaged_vault(file, "it does not belong to the vault.key beside it");
  };
  if (!*there) {
    return foreign();
  }
  const row_id id = sealer.id_of(state_table, state_key);
  auto row = sealer.open(state_table, id, query->blob(0));
  if (!row || row->key != state_key || row->value.size() != state_bytes) {
    return foreign();
  }
  const auto encoded = row->value.bytes();
  if (get_little_endian<std::uint32_t>(encoded) != schema) {
    return foreign();
  }
  rows_state state;
  state.commits = get_little_endian<std::uint64_t>(encoded.subspan(at_commits));
  const auto digest = encoded.subspan(at_digest);
  std::copy(digest.begin(), digest.end(), state.digest.bytes.begin());
  return state;
}

result<void> save_rows_state(sqlite_statement& save, const row_sealer& sealer,
                             std::uint32_t schema, const rows_state& state) {
  secret encoded = secret::zeroed(state_bytes);
  const auto into = encoded.writable();
  put_little_endian(into, schema);
  put_little_endian(into.subspan(at_commits), state.commits);
  std::copy(state.digest.bytes.begin(), state.digest.bytes.end(),
            into.subspan(at_digest).begin());
  const row_id id = sealer.id_of(state_table, state_key);
  const auto sealed = sealer.seal(state_table, id, state_key, encoded.bytes());
  save.bind(1, sealed);
  return save.run();
}

}  // namespace sotto
