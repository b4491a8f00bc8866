#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "crypto/result.hpp"

namespace sotto {

/// Keeps the process's memory to itself: no core dumps, and not dumpable, so
/// that other programs of the same user cannot attach to it or read its
/// memory. Call it early in `main`; it holds for the rest of the process.
result<void> harden_process();

/// Opens /dev/null on each of the standard descriptors that is closed: the
/// next file to be opened would take its number, and what is meant for the
/// terminal would be written into it. Call it before any file is opened.
result<void> claim_standard_descriptors();

/// A sentence for the user if this machine swaps to something that is not
/// encrypted, where pages that could not be locked may end up readable.
/// Nothing if there is no swap, or only zram or encrypted (dm-crypt) swap.
/// The arguments are for tests.
std::optional<std::string> swap_warning(
    const std::filesystem::path& swaps = "/proc/swaps",
    const std::filesystem::path& block_devices = "/sys/block");

}  // namespace sotto
