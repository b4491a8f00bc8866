#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "crypto/fingerprint.hpp"
#include "crypto/result.hpp"
#include "crypto/secret.hpp"

namespace sotto {

/// An account's OTR identity: the long-term DSA key, its fingerprint, and the
/// instance tag of this installation (OTR version 3). Immutable; shared by
/// the account's conversations. The key is in libotr's S-expression form,
/// which passes only through memory (memfd), never through a file on disk.
class otr_identity {
 public:
  /// Makes a key: takes from a tenth of a second to some seconds of CPU, so
  /// call it on a worker thread. `account` is the bare JID.
  static result<std::shared_ptr<const otr_identity>> generate(
      std::string_view account);
  /// Reads what `serialized()` gave. Errors: corrupt.
  static result<std::shared_ptr<const otr_identity>> parse(
      std::string_view account, const secret& serialized);

  /// Key and instance tag in one sealed-row value.
  secret serialized() const;

  const std::string& account() const noexcept { return account_; }
  const fingerprint& print() const noexcept { return print_; }
  std::uint32_t instance_tag() const noexcept { return instance_tag_; }
  /// The key in libotr's own file format.
  const secret& private_key() const noexcept { return key_; }

 private:
  otr_identity() = default;
  std::string account_;
  secret key_;
  fingerprint print_;
  std::uint32_t instance_tag_ = 0;
};

/// The protocol name that libotr contexts are filed under.
inline constexpr const char* otr_protocol = "xmpp";

}  // namespace sotto
