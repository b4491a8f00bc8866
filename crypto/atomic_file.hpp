#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

#include "crypto/result.hpp"
#include "crypto/secret.hpp"

namespace sotto {

/// An errc::io error: what was tried (`doing`, as in "write"), on which path,
/// what the system said, and what a person can do about it.
error io_failure(std::string_view doing, const std::filesystem::path& path,
                 int system_error);

/// Puts `bytes` in the place of `path`, readable by its owner only: written to
/// `path` + ".new" in the same folder, synced, renamed, and the folder synced.
/// After a crash at any point `path` is the old file or the new one, whole.
/// One writer at a time: the callers hold the folder's lock.
result<void> replace_file(const std::filesystem::path& path,
                          std::span<const std::byte> bytes);

/// A whole regular file, or nothing if there is none. A file of more than
/// `at_most` bytes is errc::corrupt: what is read here is small.
result<std::optional<secret>> read_small_file(const std::filesystem::path& path,
                                              std::size_t at_most);

/// Makes a folder's entries (a rename, a new file) survive a power failure.
result<void> sync_folder(const std::filesystem::path& folder);

/// Gives `from` the name `to` in the same folder, and syncs the folder.
result<void> rename_synced(const std::filesystem::path& from,
                           const std::filesystem::path& to);

}  // namespace sotto
