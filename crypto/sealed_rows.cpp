#include "crypto/sealed_rows.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <tuple>
#include <utility>

#include "crypto/rows_format.hpp"

namespace sotto {
namespace {

constexpr std::size_t longest_value = 16 << 20;

result<void> check_change(const vault_change& change) {
  if (change.value && change.value->size() > longest_value) {
    return error{errc::invalid_argument,
                 "a value of " + std::to_string(change.value->size()) +
                     " bytes is too large for the vault; it takes 16 MiB"};
  }
  return check_row_name(change.table, change.key);
}

// SQLite opens a file whose header names a later write format, and then
// refuses every change as on a disk that is read-only.
result<void> check_writable(sqlite_database& database,
                            const std::filesystem::path& file) {
  auto begun = database.run("BEGIN IMMEDIATE; DELETE FROM state WHERE 0");
  database.roll_back();
  if (!begun && begun.failure().code == errc::io) {
    return damaged_vault(file, "by its header it may not be written");
  }
  return begun;
}

row_id as_row_id(std::span<const std::byte> bytes) {
  row_id id{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), id.size()), id.begin());
  return id;
}

}  // namespace

sealed_rows::sealed_rows(std::filesystem::path file, row_sealer sealer,
                         std::uint32_t schema, sqlite_database database,
                         statements prepared)
    : file_(std::move(file)),
      sealer_(std::move(sealer)),
      schema_(schema),
      database_(std::move(database)),
      prepared_(std::move(prepared)) {}

result<sealed_rows> sealed_rows::open(const std::filesystem::path& file,
                                      const std::filesystem::path& mark_file,
                                      row_sealer sealer, std::uint32_t schema) {
  auto database = sqlite_database::open(file);
  if (!database) {
    return database.failure();
  }
  if (auto good = check_rows_format(*database, file, schema); !good) {
    return good.failure();
  }
  if (auto good = check_writable(*database, file); !good) {
    return good.failure();
  }
  auto prepared = prepare(*database);
  if (!prepared) {
    return prepared.failure();
  }
  sealed_rows rows(file, std::move(sealer), schema, *std::move(database),
                   *std::move(prepared));
  if (auto good = rows.check_contents(); !good) {
    return good.failure();
  }
  auto mark = commit_mark::check(mark_file, rows.sealer_, rows.state_.commits);
  if (!mark) {
    return mark.failure();
  }
  rows.mark_ = *std::move(mark);
  rows.database_.checkpoint_on_close(true);
  return rows;
}

result<sealed_rows::statements> sealed_rows::prepare(
    sqlite_database& database) {
  statements made;
  const std::array<std::pair<sqlite_statement*, const char*>, 5> wanted{{
      {&made.find, "SELECT sealed FROM rows WHERE tbl = ?1 AND id = ?2"},
      {&made.list, "SELECT id, sealed FROM rows WHERE tbl = ?1"},
      {&made.put,
       "INSERT INTO rows (tbl, id, sealed) VALUES (?1, ?2, ?3) "
       "ON CONFLICT (tbl, id) DO UPDATE SET sealed = ?3"},
      {&made.erase, "DELETE FROM rows WHERE tbl = ?1 AND id = ?2"},
      {&made.put_state, save_state_sql},
  }};
  for (const auto& [statement, sql] : wanted) {
    auto prepared = database.prepare(sql);
    if (!prepared) {
      return prepared.failure();
    }
    *statement = *std::move(prepared);
  }
  return made;
}

result<void> sealed_rows::check_contents() {
  auto kept = load_rows_state(database_, file_, sealer_, schema_);
  if (!kept) {
    return kept.failure();
  }
  auto found = digest_of_all();
  if (!found) {
    return found.failure();
  }
  if (!(*found == kept->digest)) {
    return damaged_vault(file_,
                         "rows are missing, or not as they were last written");
  }
  state_ = *kept;
  return {};
}

// The order and the types are checked too: SQLite searches by them, and a file
// may lie. A name of the same bytes but of another type reads the same, fits
// the digest, and is never found.
result<row_set_digest> sealed_rows::digest_of_all() {
  auto query = database_.prepare(
      "SELECT tbl, id, sealed, typeof(tbl) = 'text' AND "
      "typeof(id) = 'blob' AND typeof(sealed) = 'blob' "
      "FROM rows ORDER BY tbl, id");
  if (!query) {
    return query.failure();
  }
  row_set_digest digest;
  std::string last_table;
  row_id last_id{};
  while (true) {
    auto there = query->step();
    if (!there) {
      return there.failure();
    }
    if (!*there) {
      return digest;
    }
    if (query->number(3) != 1) {
      return damaged_vault(file_, "a row is not of the types that it had");
    }
    const std::string_view table = query->text(0);
    const auto id_bytes = query->blob(1);
    const row_id id = as_row_id(id_bytes);
    if (id_bytes.size() != id.size() ||
        std::tuple(std::string_view(last_table), last_id) >=
            std::tuple(table, id)) {
      return damaged_vault(file_, "its rows are out of order");
    }
    digest.toggle(sealer_.digest_of(table, id, query->blob(2)));
    last_table = table;
    last_id = id;
  }
}

result<opened_row> sealed_rows::open_row(
    std::string_view table, const row_id& id,
    std::span<const std::byte> sealed) const {
  auto row = sealer_.open(table, id, sealed);
  if (!row) {
    return damaged_vault(file_, row.failure().message);
  }
  if (sealer_.id_of(table, row->key) != id) {
    return damaged_vault(file_, "a row has another row's name");
  }
  return row;
}

result<std::optional<secret>> sealed_rows::get(std::string_view table,
                                               std::string_view key) {
  if (auto good = check_row_name(table, key); !good) {
    return good.failure();
  }
  const row_id id = sealer_.id_of(table, key);
  auto& find = prepared_.find;
  find.bind(1, table);
  find.bind(2, id);
  auto there = find.step();
  if (!there) {
    return there.failure();
  }
  if (!*there) {
    find.reset();
    return std::optional<secret>();
  }
  auto row = open_row(table, id, find.blob(0));
  find.reset();
  if (!row) {
    return row.failure();
  }
  return std::optional<secret>(std::move(row->value));
}

result<std::vector<vault_row>> sealed_rows::all(std::string_view table) {
  if (auto good = check_row_name(table, {}); !good) {
    return good.failure();
  }
  std::vector<vault_row> rows;
  auto& list = prepared_.list;
  list.bind(1, table);
  while (true) {
    auto there = list.step();
    if (!there) {
      return there.failure();
    }
    if (!*there) {
      break;
    }
    auto row = open_row(table, as_row_id(list.blob(0)), list.blob(1));
    if (!row) {
      list.reset();
      return row.failure();
    }
    rows.push_back({std::move(row->key), std::move(row->value)});
  }
  list.reset();
  std::sort(
      rows.begin(), rows.end(),
      [](const vault_row& a, const vault_row& b) { return a.key < b.key; });
  return rows;
}

result<void> sealed_rows::apply_one(const vault_change& change,
                                    row_set_digest& digest) {
  const row_id id = sealer_.id_of(change.table, change.key);
  auto& find = prepared_.find;
  find.bind(1, change.table);
  find.bind(2, id);
  auto there = find.step();
  if (!there) {
    return there.failure();
  }
  if (*there) {
    digest.toggle(sealer_.digest_of(change.table, id, find.blob(0)));
  }
  find.reset();
  if (!change.value) {
    prepared_.erase.bind(1, change.table);
    prepared_.erase.bind(2, id);
    return prepared_.erase.run();
  }
  const auto sealed =
      sealer_.seal(change.table, id, change.key, change.value->bytes());
  digest.toggle(sealer_.digest_of(change.table, id, sealed));
  prepared_.put.bind(1, change.table);
  prepared_.put.bind(2, id);
  prepared_.put.bind(3, sealed);
  return prepared_.put.run();
}

result<void> sealed_rows::apply(const std::vector<vault_change>& changes) {
  for (const vault_change& change : changes) {
    if (auto good = check_change(change); !good) {
      return good;
    }
  }
  if (changes.empty()) {
    return {};
  }
  rows_state next = state_;
  ++next.commits;
  auto done = database_.run("BEGIN IMMEDIATE");
  for (auto change = changes.begin(); done && change != changes.end();
       ++change) {
    done = apply_one(*change, next.digest);
  }
  if (done) {
    done = save_rows_state(prepared_.put_state, sealer_, schema_, next);
  }
  if (done) {
    done = database_.run("COMMIT");
  }
  if (!done) {
    database_.roll_back();
    return done;
  }
  state_ = next;
  mark_.raise(sealer_, state_.commits);
  return {};
}

}  // namespace sotto
