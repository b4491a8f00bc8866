#include "crypto/secret.hpp"

#include <sodium.h>

#include <cstring>
#include <utility>

#include "crypto/locked_arena.hpp"

namespace sotto {

secret::~secret() {
  if (data_ != nullptr) {
    locked_arena::instance().give_back(data_, size_);
  }
}

secret::secret(secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

secret& secret::operator=(secret&& other) noexcept {
  if (this != &other) {
    secret old(std::move(*this));
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

secret secret::zeroed(std::size_t size) {
  secret made;
  if (size != 0) {
    made.data_ = locked_arena::instance().take(size);
    made.size_ = size;
  }
  return made;
}

secret secret::copy_of(std::span<const std::byte> bytes) {
  secret made = zeroed(bytes.size());
  if (!bytes.empty()) {
    std::memcpy(made.data_, bytes.data(), bytes.size());
  }
  return made;
}

secret secret::copy_of(std::string_view text) {
  return copy_of(std::as_bytes(std::span(text.data(), text.size())));
}

secret secret::random(std::size_t size) {
  secret made = zeroed(size);
  if (size != 0) {
    randombytes_buf(made.data_, size);
  }
  return made;
}

bool secret::equals(const secret& other) const noexcept {
  if (size_ != other.size_) {
    return false;
  }
  return size_ == 0 || sodium_memcmp(data_, other.data_, size_) == 0;
}

void wipe(void* data, std::size_t size) noexcept {
  if (data != nullptr && size != 0) {
    sodium_memzero(data, size);
  }
}

}  // namespace sotto
