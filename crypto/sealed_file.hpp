#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "crypto/kdf.hpp"
#include "crypto/result.hpp"
#include "crypto/secret.hpp"

namespace sotto {

/// What a sealed file holds, in four characters ("vkey"): a file of one kind
/// put in the place of another does not open.
using content_kind = std::array<char, 4>;

/// A small secret on disk under a passphrase: a header in clear, a body sealed
/// by XChaCha20-Poly1305 under a key derived by Argon2id with the header as
/// associated data, and a checksum over all. A file may also be made without
/// a passphrase: its body is then in clear, and only the checksum guards it.
///
/// Numbers are little-endian. Offsets:
///
///      0  magic "SottoSF\n"            32  salt (16)
///      8  format version (u16)         48  nonce (24)
///     10  0 in clear, 1 passphrase     72  length of the body (u32)
///     11  0 no kdf, 1 Argon2id 1.3     76  body, and its tag (16) if sealed
///     12  content kind (4)             end checksum (BLAKE2b, 16)
///     16  content version (u32)
///     20  kdf: passes (u32)
///     24  kdf: memory in bytes (u64)
///
/// The checksum is not secret. It tells an accident on the disk (corrupt) from
/// a wrong passphrase, and a file of a newer Sotto from a damaged one.
class sealed_file {
 public:
  /// Reads and checks all that can be checked without the passphrase; nothing
  /// if there is no such file. Errors: corrupt, newer_version (of the format,
  /// or a content version above `newest_content`), io.
  static result<std::optional<sealed_file>> read(
      const std::filesystem::path& path, content_kind kind,
      std::uint32_t newest_content);

  /// Replaces the file at `path`, atomically (see `replace_file`). Without a
  /// passphrase the body is in clear.
  static result<void> write(const std::filesystem::path& path,
                            content_kind kind, std::uint32_t content_version,
                            const secret& body, const secret* passphrase,
                            kdf_cost cost);

  bool has_passphrase() const { return sealed_; }
  std::uint32_t content_version() const { return content_version_; }
  kdf_cost cost() const { return cost_; }

  /// The body. Errors: refused (it has a passphrase and none was given, or
  /// the other way round), wrong_passphrase, crypto.
  result<secret> open(const secret* passphrase) const;

 private:
  std::filesystem::path path_;
  secret image_;  // the whole file: the body may be in clear
  bool sealed_ = false;
  std::uint32_t content_version_ = 0;
  kdf_cost cost_;
};

}  // namespace sotto
