#include "crypto/row_sealer.hpp"

#include <sodium.h>

#include <algorithm>
#include <utility>

#include "crypto/little_endian.hpp"

namespace sotto {
namespace {

constexpr std::size_t nonce_bytes =
    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t length_bytes = 4;
constexpr char kdf_context[crypto_kdf_CONTEXTBYTES + 1] = "SottoVlt";
constexpr std::string_view row_label = "sotto row\n";

static_assert(row_sealer::master_key_bytes == crypto_kdf_KEYBYTES);

enum class purpose : std::uint64_t {
  name = 1,
  seal = 2,
  digest = 3,
  proof = 4
};

const unsigned char* raw(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* raw(std::span<std::byte> bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

secret subkey(const secret& master, purpose use) {
  secret key = secret::zeroed(32);
  crypto_kdf_derive_from_key(raw(key.writable()), key.size(),
                             static_cast<std::uint64_t>(use), kdf_context,
                             raw(master.bytes()));
  return key;
}

/// A keyed BLAKE2b over parts, of which all but the last carry their length.
class keyed_hash {
 public:
  explicit keyed_hash(const secret& key) {
    crypto_generichash_blake2b_init(&state_, raw(key.bytes()), key.size(), 32);
  }
  ~keyed_hash() { wipe(&state_, sizeof state_); }
  keyed_hash(const keyed_hash&) = delete;
  keyed_hash& operator=(const keyed_hash&) = delete;

  void add(std::span<const std::byte> bytes) {
    crypto_generichash_blake2b_update(&state_, raw(bytes), bytes.size());
  }
  void add_with_length(std::string_view text) {
    std::array<std::byte, length_bytes> length{};
    put_little_endian(std::span(length),
                      static_cast<std::uint32_t>(text.size()));
    add(length);
    add(std::as_bytes(std::span(text)));
  }
  std::array<std::byte, 32> end() {
    std::array<std::byte, 32> hash{};
    crypto_generichash_blake2b_final(&state_, raw(std::span<std::byte>(hash)),
                                     hash.size());
    return hash;
  }

 private:
  crypto_generichash_blake2b_state state_;
};

void append(std::vector<std::byte>& to, std::span<const std::byte> bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void append_number(std::vector<std::byte>& to, std::uint32_t number) {
  std::array<std::byte, 4> bytes{};
  put_little_endian(std::span(bytes), number);
  append(to, bytes);
}

error not_as_sealed(std::string_view table) {
  return {errc::corrupt, "a row of the table \"" + std::string(table) +
                             "\" is not as Sotto wrote it"};
}

}  // namespace

void row_set_digest::toggle(const row_set_digest& row) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= row.bytes[i];
  }
}

row_sealer::row_sealer(const secret& master_key, std::uint32_t schema_version)
    : schema_version_(schema_version),
      name_key_(subkey(master_key, purpose::name)),
      seal_key_(subkey(master_key, purpose::seal)),
      digest_key_(subkey(master_key, purpose::digest)),
      proof_key_(subkey(master_key, purpose::proof)) {}

row_id row_sealer::id_of(std::string_view table, std::string_view key) const {
  keyed_hash hash(name_key_);
  hash.add_with_length(table);
  hash.add(std::as_bytes(std::span(key)));
  return hash.end();
}

row_set_digest row_sealer::digest_of(std::string_view table, const row_id& id,
                                     std::span<const std::byte> sealed) const {
  keyed_hash hash(digest_key_);
  hash.add_with_length(table);
  hash.add(id);
  hash.add(sealed);
  return {hash.end()};
}

std::array<std::byte, 32> row_sealer::proof_of(std::uint64_t commits) const {
  std::array<std::byte, 8> number{};
  put_little_endian(std::span(number), commits);
  keyed_hash hash(proof_key_);
  hash.add(number);
  return hash.end();
}

std::vector<std::byte> row_sealer::associated_data(std::string_view table,
                                                   const row_id& id) const {
  std::vector<std::byte> data;
  append(data, std::as_bytes(std::span(row_label)));
  append_number(data, schema_version_);
  append_number(data, static_cast<std::uint32_t>(table.size()));
  append(data, std::as_bytes(std::span(table)));
  append(data, id);
  return data;
}

std::vector<std::byte> row_sealer::seal(
    std::string_view table, const row_id& id, std::string_view key,
    std::span<const std::byte> value) const {
  secret plain = secret::zeroed(length_bytes + key.size() + value.size());
  const auto into = plain.writable();
  put_little_endian(into, static_cast<std::uint32_t>(key.size()));
  const auto key_bytes = std::as_bytes(std::span(key));
  std::copy(key_bytes.begin(), key_bytes.end(), into.begin() + length_bytes);
  std::copy(value.begin(), value.end(),
            into.subspan(length_bytes + key.size()).begin());

  const auto bound = associated_data(table, id);
  std::vector<std::byte> sealed(nonce_bytes + plain.size() + tag_bytes);
  randombytes_buf(sealed.data(), nonce_bytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      raw(std::span(sealed).subspan(nonce_bytes)), nullptr, raw(plain.bytes()),
      plain.size(), raw(bound), bound.size(), nullptr, raw(std::span(sealed)),
      raw(seal_key_.bytes()));
  return sealed;
}

result<opened_row> row_sealer::open(std::string_view table, const row_id& id,
                                    std::span<const std::byte> sealed) const {
  if (sealed.size() < nonce_bytes + length_bytes + tag_bytes) {
    return not_as_sealed(table);
  }
  const auto bound = associated_data(table, id);
  const auto body = sealed.subspan(nonce_bytes);
  secret plain = secret::zeroed(body.size() - tag_bytes);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          raw(plain.writable()), nullptr, nullptr, raw(body), body.size(),
          raw(bound), bound.size(), raw(sealed), raw(seal_key_.bytes())) != 0) {
    return not_as_sealed(table);
  }
  const std::size_t key_length =
      get_little_endian<std::uint32_t>(plain.bytes());
  if (key_length > plain.size() - length_bytes) {
    return not_as_sealed(table);
  }
  return opened_row{
      std::string(plain.view().substr(length_bytes, key_length)),
      secret::copy_of(plain.bytes().subspan(length_bytes + key_length))};
}

}  // namespace sotto
