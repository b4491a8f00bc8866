#include "crypto/sqlite.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <utility>

#include "crypto/atomic_file.hpp"

namespace sotto {
namespace {

constexpr int largest_cell = 32 << 20;

error failure_of(sqlite3* handle, int code) {
  const char* name = sqlite3_db_filename(handle, "main");
  const std::filesystem::path path = name != nullptr ? name : "the vault";
  const char* detail = sqlite3_errmsg(handle);
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_MISMATCH:
    case SQLITE_ERROR:  // what the schema no longer fits
      return damaged_vault(path, detail);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {errc::in_use, "another program is using \"" + path.string() +
                                "\"; close it and try again"};
    case SQLITE_FULL:
      return io_failure("write", path, ENOSPC);
    case SQLITE_READONLY:
      return io_failure("write", path, EROFS);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      if (const int cause = sqlite3_system_errno(handle); cause != 0) {
        return io_failure("use", path, cause);
      }
      break;
    default:
      break;
  }
  return {errc::io, "could not use \"" + path.string() + "\": " + detail +
                        "; check the disk and try again"};
}

const char* const settings =
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA cell_size_check = ON;"
    "PRAGMA mmap_size = 0;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA secure_delete = ON;"
    "PRAGMA synchronous = FULL;";

}  // namespace

error damaged_vault(const std::filesystem::path& file, std::string_view how) {
  return {errc::corrupt,
          "\"" + file.string() + "\" is damaged (" + std::string(how) +
              "); nothing was changed; keep a copy of the folder \"" +
              file.parent_path().string() +
              "\" and put it back as a whole from a backup"};
}

void sqlite_statement::finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void sqlite_statement::bind(int index, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), index, text.data(), text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
}

void sqlite_statement::bind(int index, std::span<const std::byte> blob) {
  sqlite3_bind_blob64(statement_.get(), index, blob.data(), blob.size(),
                      SQLITE_STATIC);
}

result<bool> sqlite_statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code == SQLITE_DONE) {
    return false;
  }
  error failed = failure_of(sqlite3_db_handle(statement_.get()), code);
  reset();
  return failed;
}

void sqlite_statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

result<void> sqlite_statement::run() {
  auto stepped = step();
  if (!stepped) {
    return stepped.failure();
  }
  reset();
  return {};
}

std::string_view sqlite_statement::text(int column) const {
  const auto* data = sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)};
}

std::span<const std::byte> sqlite_statement::blob(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const std::byte*>(data), static_cast<std::size_t>(size)};
}

std::int64_t sqlite_statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

void sqlite_database::close::operator()(sqlite3* handle) const {
  sqlite3_close_v2(handle);
}

result<sqlite_database> sqlite_database::open(
    const std::filesystem::path& path) {
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  sqlite_database database;
  database.handle_.reset(handle);
  if (handle == nullptr) {
    return io_failure("open", path, ENOMEM);
  }
  if (code != SQLITE_OK) {
    return failure_of(handle, code);
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, largest_cell);
  database.checkpoint_on_close(false);
  // SQLite opens a file that it may not write for reading alone.
  if (sqlite3_db_readonly(handle, "main") == 1) {
    return io_failure("write", path, EROFS);
  }
  if (auto set = database.run(settings); !set) {
    return set.failure();
  }
  return database;
}

result<void> sqlite_database::run(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) {
    return failure_of(handle_.get(), code);
  }
  return {};
}

result<sqlite_statement> sqlite_database::prepare(const char* sql) {
  sqlite3_stmt* made = nullptr;
  const int code = sqlite3_prepare_v3(
      handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr);
  sqlite_statement statement;
  statement.statement_.reset(made);
  if (code != SQLITE_OK) {
    return failure_of(handle_.get(), code);
  }
  return statement;
}

result<std::string> sqlite_database::value_of(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) {
    return statement.failure();
  }
  auto found = statement->step();
  if (!found) {
    return found.failure();
  }
  return *found ? std::string(statement->text(0)) : std::string();
}

void sqlite_database::roll_back() {
  if (sqlite3_get_autocommit(handle_.get()) == 0) {
    sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void sqlite_database::checkpoint_on_close(bool on) {
  sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on ? 0 : 1,
                    nullptr);
}

}  // namespace sotto
