#include "crypto/locked_arena.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cstdint>
#include <new>
#include <type_traits>

#include "crypto/secret.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(data, size) (void)(data), (void)(size)
#define ASAN_UNPOISON_MEMORY_REGION(data, size) (void)(data), (void)(size)
#endif

namespace sotto {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{64} * 1024;

std::byte* map_pages(std::size_t size) {
  void* pages = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) {
    throw std::bad_alloc();
  }
  return static_cast<std::byte*>(pages);
}

// Neither call is vital: the limit on locked memory may be 0.
bool protect_pages(std::byte* pages, std::size_t size) {
  ::madvise(pages, size, MADV_DONTDUMP);
  return ::mlock(pages, size) == 0;
}

std::size_t whole_pages(std::size_t size) noexcept {
  static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return (size + page - 1) / page * page;
}

}  // namespace

locked_arena& locked_arena::instance() {
  static_assert(std::is_trivially_destructible_v<locked_arena>);
  static locked_arena arena;
  return arena;
}

std::size_t locked_arena::class_of(std::size_t size) {
  if (size <= smallest_) {
    return 0;
  }
  return static_cast<std::size_t>(std::bit_width(size - 1)) -
         static_cast<std::size_t>(std::bit_width(smallest_ - 1));
}

std::size_t locked_arena::class_bytes(std::size_t index) {
  return smallest_ << index;
}

// The rest of the old chunk is left: at most one block of the largest class.
void locked_arena::carve_chunk() {
  std::byte* chunk = map_pages(chunk_bytes);
  ++usage_.chunks;
  if (!protect_pages(chunk, chunk_bytes)) {
    ++usage_.unlocked_chunks;
  }
  ASAN_POISON_MEMORY_REGION(chunk, chunk_bytes);
  fresh_ = chunk;
  fresh_bytes_ = chunk_bytes;
}

std::byte* locked_arena::take(std::size_t size) {
  if (size > static_cast<std::size_t>(PTRDIFF_MAX)) {
    throw std::bad_alloc();
  }
  if (size > largest_small) {
    const std::size_t mapped = whole_pages(size);
    std::byte* pages = map_pages(mapped);
    protect_pages(pages, mapped);
    const std::lock_guard lock(mutex_);
    ++usage_.blocks;
    return pages;
  }
  const std::lock_guard lock(mutex_);
  const std::size_t index = class_of(size);
  const std::size_t block_bytes = class_bytes(index);
  std::byte* block = nullptr;
  if (free_block* reused = free_[index]; reused != nullptr) {
    block = reinterpret_cast<std::byte*>(reused);
    ASAN_UNPOISON_MEMORY_REGION(block, block_bytes);
    free_[index] = reused->next;
    wipe(block, sizeof(free_block));
  } else {
    if (fresh_bytes_ < block_bytes) {
      carve_chunk();
    }
    block = fresh_;
    fresh_ += block_bytes;
    fresh_bytes_ -= block_bytes;
    ASAN_UNPOISON_MEMORY_REGION(block, block_bytes);
  }
  ASAN_POISON_MEMORY_REGION(block + size, block_bytes - size);
  ++usage_.blocks;
  return block;
}

void locked_arena::give_back(std::byte* data, std::size_t size) noexcept {
  wipe(data, size);
  if (size > largest_small) {
    ::munmap(data, whole_pages(size));
    const std::lock_guard lock(mutex_);
    --usage_.blocks;
    return;
  }
  const std::lock_guard lock(mutex_);
  const std::size_t index = class_of(size);
  ASAN_UNPOISON_MEMORY_REGION(data, class_bytes(index));
  free_[index] = ::new (static_cast<void*>(data)) free_block{free_[index]};
  ASAN_POISON_MEMORY_REGION(data, class_bytes(index));
  --usage_.blocks;
}

locked_arena::usage locked_arena::used() {
  const std::lock_guard lock(mutex_);
  return usage_;
}

}  // namespace sotto
