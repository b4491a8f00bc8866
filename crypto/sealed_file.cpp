#include "crypto/sealed_file.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "crypto/atomic_file.hpp"
#include "crypto/little_endian.hpp"

namespace sotto {
namespace {

constexpr std::string_view magic = "SottoSF\n";
constexpr std::uint16_t format_version = 1;
constexpr std::size_t at_format = 8;
constexpr std::size_t at_sealed = 10;
constexpr std::size_t at_kdf = 11;
constexpr std::size_t at_kind = 12;
constexpr std::size_t at_content_version = 16;
constexpr std::size_t at_passes = 20;
constexpr std::size_t at_memory = 24;
constexpr std::size_t at_salt = 32;
constexpr std::size_t at_nonce = 48;
constexpr std::size_t at_length = 72;
constexpr std::size_t header_bytes = 76;
constexpr std::size_t nonce_bytes = 24;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t checksum_bytes = 16;
constexpr std::size_t largest_file = 1 << 20;
constexpr auto kdf_none = std::byte{0};
constexpr auto kdf_argon2id = std::byte{1};

static_assert(at_nonce - at_salt == kdf_salt_bytes);
static_assert(nonce_bytes == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
static_assert(tag_bytes == crypto_aead_xchacha20poly1305_ietf_ABYTES);

const unsigned char* raw(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* raw(std::span<std::byte> bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

std::array<std::byte, checksum_bytes> checksum_of(
    std::span<const std::byte> bytes) {
  std::array<std::byte, checksum_bytes> sum{};
  crypto_generichash_blake2b(raw(std::span<std::byte>(sum)), sum.size(),
                             raw(bytes), bytes.size(), nullptr, 0);
  return sum;
}

error damaged(const std::filesystem::path& path, const char* how) {
  return {errc::corrupt, "\"" + path.string() + "\" is damaged (" + how +
                             "); nothing was changed; keep a copy of its "
                             "folder and put back the file from a backup"};
}

error too_new(const std::filesystem::path& path) {
  return {errc::newer_version,
          "\"" + path.string() +
              "\" was written by a newer Sotto; nothing was changed; use that "
              "version or a newer one"};
}

// Nothing, or what is wrong with the parts of the file that do not depend on
// its format version: these stay where they are in every version.
const char* fault_in(std::span<const std::byte> image) {
  if (image.size() < header_bytes + checksum_bytes) {
    return "it is too short";
  }
  if (std::memcmp(image.data(), magic.data(), magic.size()) != 0) {
    return "it does not begin as such a file does";
  }
  const auto content = image.first(image.size() - checksum_bytes);
  const auto sum = checksum_of(content);
  if (!std::equal(sum.begin(), sum.end(), image.last(checksum_bytes).begin())) {
    return "its checksum does not match";
  }
  return nullptr;
}

// Fills the passphrase's part of the header, then the body: the whole header
// is associated data.
result<void> seal_body(std::span<std::byte> image, const secret& body,
                       const secret& passphrase, kdf_cost cost) {
  const auto header = image.first(header_bytes);
  header[at_sealed] = std::byte{1};
  header[at_kdf] = kdf_argon2id;
  put_little_endian(header.subspan(at_passes),
                    static_cast<std::uint32_t>(cost.passes));
  put_little_endian(header.subspan(at_memory), cost.memory_bytes);
  randombytes_buf(&header[at_salt], kdf_salt_bytes + nonce_bytes);
  const std::span<const std::byte> written = header;
  auto key =
      derive_key(passphrase, written.subspan<at_salt, kdf_salt_bytes>(), cost);
  if (!key) {
    return key.failure();
  }
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      raw(image.subspan(header_bytes)), nullptr, raw(body.bytes()), body.size(),
      raw(written), written.size(), nullptr, raw(written.subspan(at_nonce)),
      raw(key->bytes()));
  return {};
}

}  // namespace

result<std::optional<sealed_file>> sealed_file::read(
    const std::filesystem::path& path, content_kind kind,
    std::uint32_t newest_content) {
  auto image = read_small_file(path, largest_file);
  if (!image) {
    return image.failure();
  }
  if (!*image) {
    return std::optional<sealed_file>();
  }
  sealed_file file;
  file.path_ = path;
  file.image_ = *std::move(*image);
  const auto bytes = file.image_.bytes();
  if (const char* fault = fault_in(bytes); fault != nullptr) {
    return damaged(path, fault);
  }
  if (std::memcmp(&bytes[at_kind], kind.data(), kind.size()) != 0) {
    return damaged(path, "it is a file of another kind");
  }
  file.content_version_ =
      get_little_endian<std::uint32_t>(bytes.subspan(at_content_version));
  const auto format =
      get_little_endian<std::uint16_t>(bytes.subspan(at_format));
  if (format > format_version || file.content_version_ > newest_content) {
    return too_new(path);
  }
  file.sealed_ = bytes[at_sealed] == std::byte{1};
  file.cost_ = {get_little_endian<std::uint32_t>(bytes.subspan(at_passes)),
                get_little_endian<std::uint64_t>(bytes.subspan(at_memory))};
  const std::size_t length =
      get_little_endian<std::uint32_t>(bytes.subspan(at_length));
  const bool consistent =
      format == format_version && bytes[at_sealed] <= std::byte{1} &&
      bytes[at_kdf] == (file.sealed_ ? kdf_argon2id : kdf_none) &&
      bytes.size() == header_bytes + length + checksum_bytes &&
      (!file.sealed_ || (length >= tag_bytes && file.cost_.acceptable()));
  if (!consistent) {
    return damaged(path, "its header makes no sense");
  }
  return std::optional<sealed_file>(std::move(file));
}

result<secret> sealed_file::open(const secret* passphrase) const {
  if (sealed_ != (passphrase != nullptr)) {
    return error{errc::refused,
                 "\"" + path_.string() +
                     (sealed_ ? "\" has a passphrase: give it to open it"
                              : "\" has no passphrase: open it without one")};
  }
  const auto image = image_.bytes();
  const auto header = image.first(header_bytes);
  const auto body =
      image.subspan(header_bytes, image.size() - header_bytes - checksum_bytes);
  if (!sealed_) {
    return secret::copy_of(body);
  }
  auto key =
      derive_key(*passphrase, header.subspan<at_salt, kdf_salt_bytes>(), cost_);
  if (!key) {
    return key.failure();
  }
  secret opened = secret::zeroed(body.size() - tag_bytes);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          raw(opened.writable()), nullptr, nullptr, raw(body), body.size(),
          raw(header), header.size(), raw(header.subspan(at_nonce)),
          raw(key->bytes())) != 0) {
    return error{errc::wrong_passphrase,
                 "\"" + path_.string() +
                     "\" does not open with this passphrase; nothing was "
                     "changed; type it again"};
  }
  return opened;
}

result<void> sealed_file::write(const std::filesystem::path& path,
                                content_kind kind,
                                std::uint32_t content_version,
                                const secret& body, const secret* passphrase,
                                kdf_cost cost) {
  const std::size_t length =
      body.size() + (passphrase != nullptr ? tag_bytes : 0);
  const std::size_t total = header_bytes + length + checksum_bytes;
  if (total > largest_file || cost.passes > UINT32_MAX) {
    return error{errc::invalid_argument, "there is more to write to \"" +
                                             path.string() +
                                             "\" than such a file can hold"};
  }
  secret image = secret::zeroed(total);
  const auto bytes = image.writable();
  std::memcpy(bytes.data(), magic.data(), magic.size());
  put_little_endian(bytes.subspan(at_format), format_version);
  std::memcpy(&bytes[at_kind], kind.data(), kind.size());
  put_little_endian(bytes.subspan(at_content_version), content_version);
  put_little_endian(bytes.subspan(at_length),
                    static_cast<std::uint32_t>(length));
  if (passphrase == nullptr) {
    std::copy(body.bytes().begin(), body.bytes().end(),
              bytes.begin() + header_bytes);
  } else if (auto sealed = seal_body(bytes, body, *passphrase, cost); !sealed) {
    return sealed.failure();
  }
  const auto sum = checksum_of(bytes.first(header_bytes + length));
  std::copy(sum.begin(), sum.end(), bytes.end() - checksum_bytes);
  return replace_file(path, bytes);
}

}  // namespace sotto
