#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace sotto {

/// Bytes that must not leak: a passphrase, a key, a password. Held in memory
/// that is locked against swapping and left out of core dumps where the
/// system allows it, and wiped when the object goes. Movable, not copyable,
/// not printable, comparable only in constant time.
class secret {
 public:
  secret() = default;
  ~secret();
  secret(secret&& other) noexcept;
  secret& operator=(secret&& other) noexcept;
  secret(const secret&) = delete;
  secret& operator=(const secret&) = delete;

  /// A secret of `size` zero bytes, to be filled through `writable()`.
  static secret zeroed(std::size_t size);
  static secret copy_of(std::string_view text);
  static secret copy_of(std::span<const std::byte> bytes);
  /// `size` bytes from the system's random generator.
  static secret random(std::size_t size);

  secret clone() const { return copy_of(bytes()); }

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
  std::span<std::byte> writable() noexcept { return {data_, size_}; }
  /// The bytes as text; valid as long as this object.
  std::string_view view() const noexcept {
    return {reinterpret_cast<const char*>(data_), size_};
  }
  /// Constant-time comparison.
  bool equals(const secret& other) const noexcept;

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Overwrites memory so that the compiler cannot leave it out.
void wipe(void* data, std::size_t size) noexcept;

/// Must be called once, first thing in `main`, before any other function of
/// crypto/: starts libsodium, libgcrypt and libotr. Returns false where the
/// libraries cannot be used.
bool init_crypto();

}  // namespace sotto
