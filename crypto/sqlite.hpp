#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "crypto/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace sotto {

/// A prepared statement. Not longer-lived than its database.
class sqlite_statement {
 public:
  /// Numbered from 1. What is bound must live until `reset`.
  void bind(int index, std::string_view text);
  void bind(int index, std::span<const std::byte> blob);

  /// True: there is a row, to be read until the next call. False: the end.
  result<bool> step();
  /// Ends this run, and lets go of what was bound.
  void reset();
  /// A run that gives no rows: step, reset.
  result<void> run();

  /// Columns, numbered from 0, of the row that `step` found.
  std::string_view text(int column) const;
  std::span<const std::byte> blob(int column) const;
  std::int64_t number(int column) const;

 private:
  friend class sqlite_database;
  struct finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, finalize> statement_;
};

/// A connection to one SQLite file that must already be there, set up for the
/// vault: exclusive, every commit synced (FULL), deleted bytes overwritten, no
/// temporary files, no triggers or views, and distrusting what is in the file.
/// Errors: corrupt, in_use (locked by another program), io; each names the
/// file.
class sqlite_database {
 public:
  static result<sqlite_database> open(const std::filesystem::path& path);

  result<void> run(const char* sql);
  result<sqlite_statement> prepare(const char* sql);
  /// The first column of the first row as text; empty if there is none.
  result<std::string> value_of(const char* sql);

  /// Ends a transaction that failed; no effect outside of one.
  void roll_back();
  /// Whether closing may write the log back into the file: not before the
  /// contents were found good. Off at first.
  void checkpoint_on_close(bool on);

 private:
  struct close {
    void operator()(sqlite3* handle) const;
  };
  std::unique_ptr<sqlite3, close> handle_;
};

/// The error for a file of the vault whose contents are not what they were.
error damaged_vault(const std::filesystem::path& file, std::string_view how);

}  // namespace sotto
