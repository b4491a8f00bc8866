#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "crypto/result.hpp"

namespace sotto {

/// An XMPP address: localpart@domainpart/resourcepart, split as in RFC 7622
/// section 3.1 and prepared by stringprep (nodeprep, nameprep, resourceprep).
/// A `jid` that is not empty is always well-formed: the only way to one is
/// `parse`. The domain is never empty.
class jid {
 public:
  /// No address. Compares equal only to another empty one.
  jid() = default;

  /// Parses and prepares `text`. Refused: an empty part where its separator
  /// stands, a part over 1023 bytes, invalid UTF-8, code points that
  /// stringprep forbids, a localpart with any of "&'/:<>@.
  static result<jid> parse(std::string_view text);
  /// As `parse`, but a bare name gets `default_domain` (step S4 of the
  /// how-to: `sally` means `sally@` my own server).
  static result<jid> parse_with_default(std::string_view text,
                                        std::string_view default_domain);

  bool empty() const noexcept { return domain_.empty(); }
  const std::string& local() const noexcept { return local_; }
  const std::string& domain() const noexcept { return domain_; }
  const std::string& resource() const noexcept { return resource_; }
  bool is_bare() const noexcept { return resource_.empty(); }

  jid bare() const;
  /// This address with another resource; an error if stringprep refuses it.
  result<jid> with_resource(std::string_view resource) const;
  /// The prepared form: what is compared, stored and sent.
  std::string str() const;

  friend bool operator==(const jid&, const jid&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy misreads <=>
  friend auto operator<=>(const jid&, const jid&) = default;

 private:
  std::string local_;
  std::string domain_;
  std::string resource_;
};

/// Why an address deserves a warning beside it where it is shown; empty if
/// there is no reason (mixed scripts, look-alike letters, invisible ones).
std::string confusable_warning(const jid& address);

}  // namespace sotto
