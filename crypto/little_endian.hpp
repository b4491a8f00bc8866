#pragma once

#include <concepts>
#include <cstddef>
#include <span>

namespace sotto {

/// Writes `value` into the first bytes of `into`, lowest byte first.
template <std::unsigned_integral Number>
void put_little_endian(std::span<std::byte> into, Number value) {
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    into[i] = static_cast<std::byte>((value >> (8 * i)) & 0xff);
  }
}

/// The number in the first bytes of `from`, lowest byte first.
template <std::unsigned_integral Number>
Number get_little_endian(std::span<const std::byte> from) {
  Number value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    value =
        static_cast<Number>(value | (static_cast<Number>(from[i]) << (8 * i)));
  }
  return value;
}

}  // namespace sotto
