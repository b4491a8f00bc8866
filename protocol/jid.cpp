#include "protocol/jid.hpp"

#include <algorithm>
#include <optional>

#include "protocol/address_preparation.hpp"

namespace sotto {
namespace {

/// RFC 7622 section 3.1: three parts of at most 1023 bytes and two
/// separators.
constexpr std::size_t max_address = 3 * max_address_part + 2;

error not_an_address(std::string_view why) {
  std::string text{"This is not a valid address: "};
  text += why;
  text += ". An address looks like name@example.org.";
  return {errc::invalid_argument, std::move(text)};
}

struct raw_parts {
  std::optional<std::string_view> local;
  std::string_view domain;
  std::optional<std::string_view> resource;
};

/// RFC 7622 section 3.1: the first '/' ends the bare address, then the first
/// '@' before it ends the localpart.
raw_parts split(std::string_view text) {
  raw_parts parts;
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) {
    parts.resource = text.substr(slash + 1);
    text = text.substr(0, slash);
  }
  const auto at = text.find('@');
  if (at != std::string_view::npos) {
    parts.local = text.substr(0, at);
    text = text.substr(at + 1);
  }
  parts.domain = text;
  return parts;
}

std::string_view without_spaces_around(std::string_view text) {
  constexpr const char* white = " \t\r\n";
  const auto first = text.find_first_not_of(white);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(white) - first + 1);
}

}  // namespace

result<jid> jid::parse(std::string_view text) {
  if (text.empty()) return not_an_address("it is empty");
  if (text.size() > max_address) return not_an_address("it is too long");
  const raw_parts parts = split(text);
  jid address;
  if (parts.local) {
    auto local = prepare_localpart(*parts.local);
    if (!local)
      return not_an_address(
          "the name before the @ is empty, too long, or holds a character "
          "that is not allowed there");
    address.local_ = std::move(*local);
  }
  auto domain = prepare_domainpart(parts.domain);
  if (!domain)
    return not_an_address("the server's name is empty, too long, or malformed");
  address.domain_ = std::move(*domain);
  if (parts.resource) {
    auto resource = prepare_resourcepart(*parts.resource);
    if (!resource)
      return not_an_address(
          "what follows the / is empty, too long, or holds a character that "
          "is not allowed there");
    address.resource_ = std::move(*resource);
  }
  return address;
}

result<jid> jid::parse_with_default(std::string_view text,
                                    std::string_view default_domain) {
  text = without_spaces_around(text);
  const raw_parts parts = split(text);
  const bool bare_name = !parts.local && !parts.resource && !text.empty() &&
                         !default_domain.empty() && text.front() != '[';
  if (!bare_name) return parse(text);
  std::string full{text};
  full += '@';
  full += default_domain;
  return parse(full);
}

jid jid::bare() const {
  jid address;
  address.local_ = local_;
  address.domain_ = domain_;
  return address;
}

result<jid> jid::with_resource(std::string_view resource) const {
  if (empty()) return not_an_address("it is empty");
  auto prepared = prepare_resourcepart(resource);
  if (!prepared)
    return not_an_address(
        "the resource is empty, too long, or holds a character that is not "
        "allowed there");
  jid address = bare();
  address.resource_ = std::move(*prepared);
  return address;
}

std::string jid::str() const {
  std::string text;
  text.reserve(local_.size() + domain_.size() + resource_.size() + 2);
  if (!local_.empty()) {
    text += local_;
    text += '@';
  }
  text += domain_;
  if (!resource_.empty()) {
    text += '/';
    text += resource_;
  }
  return text;
}

}  // namespace sotto
