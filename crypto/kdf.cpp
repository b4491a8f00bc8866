#include "crypto/kdf.hpp"

#include <sodium.h>

#include <string>

namespace sotto {
namespace {

constexpr std::uint64_t most_passes = 10;
constexpr std::uint64_t most_memory = std::uint64_t{1} << 30;
constexpr std::size_t key_bytes = 32;

}  // namespace

static_assert(kdf_salt_bytes == crypto_pwhash_argon2id_SALTBYTES);

kdf_cost kdf_cost::moderate() {
  return {crypto_pwhash_argon2id_OPSLIMIT_MODERATE,
          crypto_pwhash_argon2id_MEMLIMIT_MODERATE};
}

kdf_cost kdf_cost::interactive() {
  return {crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE,
          crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE};
}

kdf_cost kdf_cost::minimal() {
  return {crypto_pwhash_argon2id_OPSLIMIT_MIN,
          crypto_pwhash_argon2id_MEMLIMIT_MIN};
}

bool kdf_cost::acceptable() const {
  return passes >= crypto_pwhash_argon2id_OPSLIMIT_MIN &&
         passes <= most_passes &&
         memory_bytes >= crypto_pwhash_argon2id_MEMLIMIT_MIN &&
         memory_bytes <= most_memory;
}

result<secret> derive_key(const secret& passphrase,
                          std::span<const std::byte, kdf_salt_bytes> salt,
                          kdf_cost cost) {
  if (passphrase.empty()) {
    return error{errc::invalid_argument,
                 "the passphrase is empty; give one of at least one character"};
  }
  if (!cost.acceptable()) {
    return error{errc::invalid_argument,
                 "the cost of the key derivation is out of bounds (" +
                     std::to_string(cost.passes) + " passes, " +
                     std::to_string(cost.memory_bytes) + " bytes)"};
  }
  secret key = secret::zeroed(key_bytes);
  const std::string_view text = passphrase.view();
  if (crypto_pwhash_argon2id(
          reinterpret_cast<unsigned char*>(key.writable().data()), key.size(),
          text.data(), text.size(),
          reinterpret_cast<const unsigned char*>(salt.data()), cost.passes,
          static_cast<std::size_t>(cost.memory_bytes),
          crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    return error{errc::crypto,
                 "could not derive a key from the passphrase: it needs " +
                     std::to_string(cost.memory_bytes >> 20) +
                     " MiB of memory; close other programs and try again"};
  }
  return key;
}

}  // namespace sotto
