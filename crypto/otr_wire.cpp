#include "crypto/otr_wire.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "crypto/libotr.hpp"

namespace sotto {

namespace {

constexpr std::string_view white_space = " \t\r\n";

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=';
}

/// The base64 of "?OTR:base64." or nothing.
std::optional<std::string_view> encoded_part(std::string_view body) {
  constexpr std::string_view start = "?OTR:";
  if (!body.starts_with(start)) return std::nullopt;
  body.remove_prefix(start.size());
  const auto end = body.find_last_not_of(white_space);
  if (end == std::string_view::npos || body[end] != '.') return std::nullopt;
  const auto encoded = body.substr(0, end);
  if (!std::all_of(encoded.begin(), encoded.end(), is_base64)) {
    return std::nullopt;
  }
  return encoded;
}

std::optional<std::vector<std::uint8_t>> decode(std::string_view encoded) {
  std::vector<std::uint8_t> bytes(encoded.size() / 4 * 3 + 3);
  std::size_t length = 0;
  if (sodium_base642bin(bytes.data(), bytes.size(), encoded.data(),
                        encoded.size(), nullptr, &length, nullptr,
                        sodium_base64_VARIANT_ORIGINAL) != 0) {
    return std::nullopt;
  }
  bytes.resize(length);
  return bytes;
}

otr_kind kind_of(char letter) {
  switch (letter) {
    case 'C':
      return otr_kind::commit;
    case 'K':
      return otr_kind::dh_key;
    case 'R':
      return otr_kind::reveal_signature;
    case 'S':
      return otr_kind::signature;
    case 'D':
      return otr_kind::data;
    default:
      return otr_kind::malformed;
  }
}

std::uint32_t big_endian(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | std::uint32_t{bytes[3]};
}

/// The first three bytes are the version and the type, which are four
/// letters of base64; in version 3 the two instance tags follow.
otr_body parse_encoded(std::string_view encoded) {
  otr_body found;
  if (encoded.starts_with("AAE")) {
    found.kind = otr_kind::version_1;
    return found;
  }
  if (encoded.size() < 16) return found;
  if (encoded.starts_with("AAI")) {
    found.version = 2;
  } else if (encoded.starts_with("AAM")) {
    found.version = 3;
  } else {
    return found;
  }
  const auto kind = kind_of(encoded[3]);
  if (found.version == 3) {
    const auto head = decode(encoded.substr(0, 16));
    if (!head || head->size() < 11) return {};
    found.sender = big_endian(head->data() + 3);
    found.receiver = big_endian(head->data() + 7);
    if (found.sender < OTRL_MIN_VALID_INSTAG) return {};
  }
  found.kind = kind;
  return found;
}

/// "?OTR?" offers version 1, "v23?" after it or after "?OTR" the others.
otr_body parse_query(std::string_view versions) {
  otr_body found{.kind = otr_kind::query};
  if (versions.starts_with('?')) versions.remove_prefix(1);
  if (!versions.starts_with('v')) return found;
  const auto end = versions.find('?');
  if (end == std::string_view::npos) return {};
  versions = versions.substr(1, end - 1);
  if (versions.find('3') != std::string_view::npos) {
    found.version = 3;
  } else if (versions.find('2') != std::string_view::npos) {
    found.version = 2;
  }
  return found;
}

/// Takes a number and the separator after it from the front of `text`.
template <class Number>
bool take_number(std::string_view& text, Number& number, int base,
                 std::size_t most_digits, char separator) {
  const auto end = text.find(separator);
  if (end == std::string_view::npos || end == 0 || end > most_digits) {
    return false;
  }
  const auto* stop = text.data() + end;
  const auto [rest, problem] = std::from_chars(text.data(), stop, number, base);
  if (problem != std::errc{} || rest != stop) return false;
  text.remove_prefix(end + 1);
  return true;
}

/// "?OTR|sender|receiver,k,n,piece," (version 3) or "?OTR,k,n,piece,".
otr_body parse_fragment(std::string_view rest) {
  otr_body found{.version = rest.front() == '|' ? 3 : 2};
  rest.remove_prefix(1);
  if (found.version == 3 && (!take_number(rest, found.sender, 16, 8, '|') ||
                             !take_number(rest, found.receiver, 16, 8, ',') ||
                             found.sender < OTRL_MIN_VALID_INSTAG)) {
    return {};
  }
  if (!take_number(rest, found.number, 10, 5, ',') ||
      !take_number(rest, found.total, 10, 5, ',') || found.number == 0 ||
      found.number > found.total) {
    return {};
  }
  const auto end = rest.find_last_not_of(white_space);
  if (end == std::string_view::npos || end == 0 || rest[end] != ',') return {};
  found.content = rest.substr(0, end);
  if (found.content.find(',') != std::string_view::npos) return {};
  found.kind = otr_kind::fragment;
  return found;
}

}  // namespace

otr_body parse_otr_body(std::string_view body) {
  constexpr std::string_view error_start = " Error:";
  if (!body.starts_with(otr_prefix)) return {};
  const auto rest = body.substr(otr_prefix.size());
  if (rest.empty()) return {};
  if (rest.starts_with(error_start)) {
    return {.kind = otr_kind::error,
            .content = rest.substr(error_start.size())};
  }
  switch (rest.front()) {
    case ':':
      if (const auto encoded = encoded_part(body)) {
        return parse_encoded(*encoded);
      }
      return {};
    case '?':
    case 'v':
      return parse_query(rest);
    case '|':
    case ',':
      return parse_fragment(rest);
    default:
      return {};
  }
}

std::optional<std::vector<std::uint8_t>> commit_hash(std::string_view body) {
  constexpr std::size_t hash_size = 32;
  if (parse_otr_body(body).kind != otr_kind::commit) return std::nullopt;
  auto bytes = decode(*encoded_part(body));
  if (!bytes || bytes->size() < hash_size) return std::nullopt;
  bytes->erase(bytes->begin(),
               bytes->end() - static_cast<std::ptrdiff_t>(hash_size));
  return bytes;
}

std::string without_whitespace_tag(std::string_view body) {
  constexpr std::string_view base = OTRL_MESSAGE_TAG_BASE;
  constexpr std::size_t group = 8;
  const auto start = body.find(base);
  if (start == std::string_view::npos) return std::string(body);
  auto end = start + base.size();
  while (body.size() - end >= group &&
         body.substr(end, group).find_first_not_of(" \t") ==
             std::string_view::npos) {
    end += group;
  }
  return std::string(body.substr(0, start)) + std::string(body.substr(end));
}

}  // namespace sotto
