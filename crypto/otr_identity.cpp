#include "crypto/otr_identity.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/memory_file.hpp"
#include "crypto/otr_user_state.hpp"

namespace sotto {

namespace {

// Serialized: "OTI", format 1, instance tag (big-endian, 4 bytes),
// fingerprint, key. The fingerprint guards those numbers of the key that
// gcry_pk_testkey does not look at.
constexpr std::string_view magic = "OTI\x01";
constexpr std::size_t tag_size = 4;
constexpr std::size_t header_size = 4 + tag_size + fingerprint::size;
constexpr std::size_t largest_key = 64UL * 1024;
// How libotr ends the text of a key. A text without its last line feed would
// still be read: it is refused like any other that was cut.
constexpr std::string_view key_end = ")\n";

error damaged() {
  return {errc::corrupt,
          "The stored OTR key of this account is damaged; restore a backup "
          "or make a new key."};
}

/// libotr files keys and tags by lines and fields: no account may break out
/// of its field, and none may be longer than libotr's line.
bool usable_account(std::string_view account) {
  constexpr std::size_t longest = 900;
  return !account.empty() && account.size() <= longest &&
         std::none_of(account.begin(), account.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

error bad_account() {
  return {errc::invalid_argument,
          "An OTR key belongs to an account address without control "
          "characters; check the address."};
}

std::uint32_t new_instance_tag() {
  return OTRL_MIN_VALID_INSTAG +
         randombytes_uniform(UINT32_MAX - OTRL_MIN_VALID_INSTAG);
}

/// Runs libotr's three steps and leaves the key in `file`.
bool generate_into(const memory_file& file, const std::string& account) {
  const auto state = make_otr_user_state();
  void* key = nullptr;
  if (otrl_privkey_generate_start(state.get(), account.c_str(), otr_protocol,
                                  &key) != 0) {
    return false;
  }
  if (otrl_privkey_generate_calculate(key) != 0) {
    otrl_privkey_generate_cancelled(state.get(), key);
    return false;
  }
  return otrl_privkey_generate_finish_FILEp(state.get(), key, file.stream()) ==
         0;
}

/// Loads the key, checks that it is whole and this account's, and gives its
/// fingerprint.
result<fingerprint> inspect(const std::string& account, const secret& key) {
  const auto state = make_otr_user_state();
  if (auto loaded = load_private_key(state.get(), key); !loaded) {
    return loaded.failure();
  }
  const auto* found =
      otrl_privkey_find(state.get(), account.c_str(), otr_protocol);
  if (found == nullptr) {
    return error{errc::corrupt,
                 "The stored OTR key belongs to another account; restore a "
                 "backup or make a new key."};
  }
  if (gcry_pk_testkey(found->privkey) != 0) return damaged();
  std::array<std::uint8_t, fingerprint::size> print{};
  if (otrl_privkey_fingerprint_raw(state.get(), print.data(), account.c_str(),
                                   otr_protocol) == nullptr) {
    return damaged();
  }
  return fingerprint(print);
}

}  // namespace

result<std::shared_ptr<const otr_identity>> otr_identity::generate(
    std::string_view account) {
  if (!usable_account(account)) return bad_account();
  auto file = memory_file::create();
  if (!file) return file.failure();
  const std::string name(account);
  if (!generate_into(*file, name)) {
    return error{errc::crypto,
                 "An OTR key could not be made for " + name + "; try again."};
  }
  auto key = file->contents();
  if (!key) return key.failure();
  auto print = inspect(name, *key);
  if (!print) return print.failure();
  const std::shared_ptr<otr_identity> made(new otr_identity);
  made->account_ = name;
  made->key_ = std::move(*key);
  made->print_ = *print;
  made->instance_tag_ = new_instance_tag();
  return std::shared_ptr<const otr_identity>(made);
}

result<std::shared_ptr<const otr_identity>> otr_identity::parse(
    std::string_view account, const secret& serialized) {
  if (!usable_account(account)) return bad_account();
  const auto bytes = serialized.view();
  if (bytes.size() <= header_size || bytes.size() > largest_key ||
      !bytes.starts_with(magic) || !bytes.ends_with(key_end)) {
    return damaged();
  }
  std::uint32_t tag = 0;
  for (const auto byte : bytes.substr(magic.size(), tag_size)) {
    tag = tag << 8 | static_cast<unsigned char>(byte);
  }
  if (tag < OTRL_MIN_VALID_INSTAG) return damaged();
  const std::string name(account);
  auto key = secret::copy_of(bytes.substr(header_size));
  auto print = inspect(name, key);
  if (!print) return print.failure();
  const auto stored = bytes.substr(magic.size() + tag_size, fingerprint::size);
  if (!std::ranges::equal(std::as_bytes(std::span(stored)),
                          std::as_bytes(std::span(print->bytes())))) {
    return damaged();
  }
  const std::shared_ptr<otr_identity> made(new otr_identity);
  made->account_ = name;
  made->key_ = std::move(key);
  made->print_ = *print;
  made->instance_tag_ = tag;
  return std::shared_ptr<const otr_identity>(made);
}

secret otr_identity::serialized() const {
  auto whole = secret::zeroed(header_size + key_.size());
  const auto out = whole.writable();
  std::ranges::copy(std::as_bytes(std::span(magic)), out.begin());
  auto at = magic.size();
  for (unsigned shift = 8 * tag_size; shift != 0;) {
    shift -= 8;
    out[at++] = static_cast<std::byte>(instance_tag_ >> shift & 0xff);
  }
  std::ranges::copy(std::as_bytes(std::span(print_.bytes())),
                    out.begin() + static_cast<std::ptrdiff_t>(at));
  std::ranges::copy(key_.bytes(), out.begin() + header_size);
  return whole;
}

}  // namespace sotto
