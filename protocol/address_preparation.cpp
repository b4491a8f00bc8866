#include "protocol/address_preparation.hpp"

#include <arpa/inet.h>
#include <idn-free.h>
#include <idna.h>
#include <stringprep.h>

#include <algorithm>
#include <array>
#include <memory>

#include "protocol/utf8.hpp"

namespace sotto {
namespace {

using profile = const Stringprep_profile*;

constexpr std::size_t max_label = 63;
constexpr std::size_t max_host_name = 253;

struct idn_deleter {
  void operator()(char* text) const noexcept { idn_free(text); }
};
using idn_text = std::unique_ptr<char, idn_deleter>;

bool is_printable_ascii(char c) { return c >= 0x20 && c <= 0x7E; }

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<signed char>(c) >= 0; });
}

char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// libidn's stringprep. Code points that Unicode 3.2 does not know pass: they
/// stand in addresses that servers accept.
std::optional<std::string> run_stringprep(std::string_view raw, profile rules) {
  // libidn reads past the end of malformed UTF-8, and stops at a zero.
  if (raw.find('\0') != std::string_view::npos || !utf8_valid(raw)) return {};
  std::array<char, 4096> buffer{};
  if (raw.size() >= buffer.size()) return {};
  std::copy(raw.begin(), raw.end(), buffer.begin());
  const int outcome = ::stringprep(buffer.data(), buffer.size(),
                                   Stringprep_profile_flags{}, rules);
  if (outcome != STRINGPREP_OK) return {};
  return std::string{buffer.data()};
}

/// Prepares until nothing changes; nothing if it does not settle. (Folding
/// and composing again can matter for code points beyond Unicode 3.2.)
std::optional<std::string> settle(std::string_view raw, profile rules) {
  auto once = run_stringprep(raw, rules);
  for (int i = 0; i < 3 && once; ++i) {
    auto again = run_stringprep(*once, rules);
    if (again == once) return once;
    once = std::move(again);
  }
  return {};
}

std::optional<std::string> within_cap(std::optional<std::string> part) {
  if (!part || part->empty() || part->size() > max_address_part) return {};
  return part;
}

bool allowed_in_ascii_localpart(char c) {
  constexpr std::string_view forbidden = "\"&'/:<>@ ";
  return is_printable_ascii(c) && forbidden.find(c) == std::string_view::npos;
}

// Domains.

std::optional<std::string> prepare_ipv6(std::string_view raw) {
  if (raw.size() < 4 || raw.back() != ']') return {};
  const std::string inner{raw.substr(1, raw.size() - 2)};
  in6_addr address{};
  // A zero byte within would end the text for inet_pton.
  if (inner.find('\0') != std::string::npos ||
      inet_pton(AF_INET6, inner.c_str(), &address) != 1)
    return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_ntop(AF_INET6, &address, text.data(), text.size()) == nullptr)
    return {};
  return '[' + std::string{text.data()} + ']';
}

void replace_all(std::string& text, std::string_view from,
                 std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

bool allowed_in_host_name(char c) {
  return static_cast<signed char>(c) < 0 || (c >= 'a' && c <= 'z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/// The U-label of an A-label; the label itself where IDNA knows none.
std::string to_unicode(const std::string& label) {
  if (label.rfind("xn--", 0) != 0) return label;
  char* raw = nullptr;
  if (idna_to_unicode_8z8z(label.c_str(), &raw, IDNA_ALLOW_UNASSIGNED) !=
      IDNA_SUCCESS)
    return label;
  const idn_text owned{raw};
  return std::string{raw};
}

/// The length of the label's ASCII form; nothing if it has none that DNS
/// could carry.
std::optional<std::size_t> dns_length(const std::string& label) {
  if (label.empty() || label.front() == '-' || label.back() == '-') return {};
  if (is_ascii(label)) {
    if (label.size() > max_label) return {};
    return label.size();
  }
  char* raw = nullptr;
  if (idna_to_ascii_8z(label.c_str(), &raw, IDNA_ALLOW_UNASSIGNED) !=
      IDNA_SUCCESS)
    return {};
  const idn_text owned{raw};
  return std::string_view{raw}.size();
}

std::optional<std::string> join_labels(std::string_view name) {
  std::string joined;
  std::size_t total = 0;
  for (bool more = true; more;) {
    const auto dot = name.find('.');
    more = dot != std::string_view::npos;
    const std::string label = to_unicode(std::string{name.substr(0, dot)});
    const auto length = dns_length(label);
    if (!length) return {};
    total += *length + (more ? 1 : 0);
    joined += label;
    if (!more) break;
    joined += '.';
    name.remove_prefix(dot + 1);
  }
  if (total > max_host_name) return {};
  return joined;
}

std::optional<std::string> prepare_host_name(std::string_view raw) {
  auto name = settle(raw, stringprep_nameprep);
  if (!name) return {};
  // The other full stops of IDNA (RFC 3490 section 3.1) that nameprep leaves.
  replace_all(*name, "\xE3\x80\x82", ".");
  if (!name->empty() && name->back() == '.') name->pop_back();
  if (name->empty() ||
      !std::all_of(name->begin(), name->end(), allowed_in_host_name))
    return {};
  return join_labels(*name);
}

}  // namespace

std::optional<std::string> prepare_localpart(std::string_view raw) {
  if (!is_ascii(raw)) return within_cap(settle(raw, stringprep_xmpp_nodeprep));
  if (!std::all_of(raw.begin(), raw.end(), allowed_in_ascii_localpart))
    return {};
  std::string lower{raw};
  std::transform(lower.begin(), lower.end(), lower.begin(), ascii_lower);
  return within_cap(std::move(lower));
}

std::optional<std::string> prepare_domainpart(std::string_view raw) {
  if (!raw.empty() && raw.front() == '[') return prepare_ipv6(raw);
  return within_cap(prepare_host_name(raw));
}

std::optional<std::string> prepare_resourcepart(std::string_view raw) {
  if (!is_ascii(raw))
    return within_cap(settle(raw, stringprep_xmpp_resourceprep));
  if (!std::all_of(raw.begin(), raw.end(), is_printable_ascii)) return {};
  return within_cap(std::string{raw});
}

}  // namespace sotto
