#include "protocol/scram_challenge.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "protocol/sasl.hpp"

namespace sotto {
namespace {

error refused(std::string why) {
  return error{errc::protocol,
               "The server's login challenge " + std::move(why) +
                   "; nothing that could give the password away was sent"};
}

// The attributes "x=value", separated by commas.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t comma = text.find(',');
    parts.push_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

bool is_attribute(std::string_view part, char name) {
  return part.size() > 2 && part[0] == name && part[1] == '=';
}

bool salt_is_usable(std::string_view base64) {
  std::array<unsigned char, sasl_client::max_salt> salt{};
  std::size_t size = 0;
  return sodium_base642bin(salt.data(), salt.size(), base64.data(),
                           base64.size(), nullptr, &size, nullptr,
                           sodium_base64_VARIANT_ORIGINAL) == 0 &&
         size > 0;
}

bool nonce_is_printable(std::string_view nonce) {
  return std::ranges::all_of(nonce, [](char c) { return c > ' ' && c < 127; });
}

}  // namespace

std::string_view scram_client_nonce(std::string_view client_first) {
  const std::size_t found = client_first.rfind(",r=");
  if (found == std::string_view::npos) return {};
  const std::string_view rest = client_first.substr(found + 3);
  return rest.substr(0, rest.find(','));
}

result<void> check_scram_challenge(std::string_view server_first,
                                   std::string_view client_nonce) {
  const auto parts = split(server_first);
  if (parts.size() < 3 || !is_attribute(parts[0], 'r') ||
      !is_attribute(parts[1], 's') || !is_attribute(parts[2], 'i')) {
    return refused("is not as SCRAM has it");
  }
  const std::string_view nonce = parts[0].substr(2);
  if (client_nonce.empty() || nonce.size() <= client_nonce.size() ||
      !nonce.starts_with(client_nonce) || !nonce_is_printable(nonce)) {
    return refused("does not take up our random number");
  }
  if (!salt_is_usable(parts[1].substr(2))) {
    return refused("has a salt that is broken or too long");
  }
  const std::string_view digits = parts[2].substr(2);
  long count = 0;
  const auto [end, code] =
      std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (code != std::errc() || end != digits.data() + digits.size() ||
      count < sasl_client::min_iterations ||
      count > sasl_client::max_iterations) {
    return refused("asks for an iteration count outside " +
                   std::to_string(sasl_client::min_iterations) + " to " +
                   std::to_string(sasl_client::max_iterations));
  }
  return {};
}

}  // namespace sotto
