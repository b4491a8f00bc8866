#pragma once

#include <cstdint>
#include <filesystem>

#include "crypto/result.hpp"
#include "crypto/row_sealer.hpp"
#include "crypto/unique_fd.hpp"

namespace sotto {

/// The number of the last commit, beside the rows in a file of its own
/// (vault.count): the number (u64, little-endian) and a keyed BLAKE2b of it.
///
/// It is written after each commit and not synced, so that it costs next to
/// nothing and never runs ahead of rows that are on the disk. Rows that are
/// behind it have lost commits: their log was damaged, cut off or left out of
/// a copy, or the file was put back as it was before. A person who accepts
/// that removes the file; without it, any rows that are whole will do.
class commit_mark {
 public:
  commit_mark() = default;

  /// Holds rows of `commits` against the file, and makes it if there is none.
  /// errc::corrupt if the rows are behind, or the file is not as written.
  static result<commit_mark> check(const std::filesystem::path& file,
                                   const row_sealer& sealer,
                                   std::uint64_t commits);

  /// Notes one more commit. A failure only makes the mark lag behind.
  void raise(const row_sealer& sealer, std::uint64_t commits) noexcept;

 private:
  unique_fd file_;
};

}  // namespace sotto
