#pragma once

#include <array>
#include <cstddef>
#include <mutex>

namespace sotto {

/// Memory for secrets: locked against swapping and left out of core dumps
/// where the system allows it; it works, unlocked, where it does not.
///
/// Blocks of up to `largest_small` bytes share locked chunks, because the
/// limit on locked memory (8 MiB by default) counts whole pages: one page a
/// key would use it up after two thousand keys. Larger blocks have a mapping
/// of their own. Thread-safe; chunks are kept until the process ends.
class locked_arena {
 public:
  static constexpr std::size_t largest_small = 4096;

  struct usage {
    std::size_t chunks = 0;           ///< mapped for small blocks
    std::size_t unlocked_chunks = 0;  ///< of these, not locked
    std::size_t blocks = 0;           ///< in use, small and large
  };

  /// The one arena of the process. It has no destructor, so that secrets in
  /// static objects may go later than anything else.
  static locked_arena& instance();

  /// `size` zeroed bytes; `size` is not 0. Throws std::bad_alloc.
  std::byte* take(std::size_t size);
  /// Wipes and takes back what `take(size)` gave.
  void give_back(std::byte* data, std::size_t size) noexcept;

  usage used();

 private:
  static constexpr std::size_t smallest_ = 16;
  static constexpr std::size_t classes_ = 9;  // 16, 32, ... 4096

  struct free_block {
    free_block* next;
  };

  static std::size_t class_of(std::size_t size);
  static std::size_t class_bytes(std::size_t index);
  void carve_chunk();

  std::mutex mutex_;
  std::array<free_block*, classes_> free_{};
  std::byte* fresh_ = nullptr;  // the unused rest of the newest chunk
  std::size_t fresh_bytes_ = 0;
  usage usage_;
};

}  // namespace sotto
