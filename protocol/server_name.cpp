#include "protocol/server_name.hpp"

#include <arpa/inet.h>
#include <idna.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

namespace sotto {
namespace {

struct names_free {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string_view view_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

struct server {
  std::string_view domain;  // as in the JID
  std::string ascii;
  std::string address;
};

bool other_name_matches(const OTHERNAME& name, const server& wanted) {
  if (name.value == nullptr) return false;
  const int kind = OBJ_obj2nid(name.type_id);
  if (kind == NID_SRVName && name.value->type == V_ASN1_IA5STRING) {
    return lower(view_of(name.value->value.ia5string)) ==
           "_xmpp-client." + wanted.ascii;
  }
  return kind == NID_XmppAddr && name.value->type == V_ASN1_UTF8STRING &&
         lower(view_of(name.value->value.utf8string)) == lower(wanted.domain);
}

bool matches(const GENERAL_NAME& name, const server& wanted) {
  if (!wanted.address.empty()) {
    return name.type == GEN_IPADD &&
           view_of(name.d.iPAddress) == wanted.address;
  }
  if (name.type == GEN_DNS) {
    return dns_name_matches(view_of(name.d.dNSName), wanted.ascii);
  }
  return name.type == GEN_OTHERNAME &&
         other_name_matches(*name.d.otherName, wanted);
}

}  // namespace

std::optional<std::string> ascii_domain(std::string_view domain) {
  char* output = nullptr;
  const std::string input(domain);
  if (idna_to_ascii_8z(input.c_str(), &output, 0) != IDNA_SUCCESS) {
    return std::nullopt;
  }
  const std::unique_ptr<char, decltype(&std::free)> owned(output, &std::free);
  std::string ascii = lower(output);
  if (!ascii.empty() && ascii.back() == '.') ascii.pop_back();
  if (ascii.empty()) return std::nullopt;
  return ascii;
}

std::string address_bytes(std::string_view domain) {
  if (domain.size() > 2 && domain.front() == '[' && domain.back() == ']') {
    domain = domain.substr(1, domain.size() - 2);
  }
  const std::string text(domain);
  std::array<char, sizeof(in6_addr)> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
    return {bytes.data(), sizeof(in_addr)};
  }
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) {
    return {bytes.data(), sizeof(in6_addr)};
  }
  return {};
}

bool dns_name_matches(std::string_view pattern, std::string_view domain) {
  if (pattern.empty() || domain.empty()) return false;
  const std::string wanted = lower(domain);
  const std::string offered = lower(pattern);
  if (!offered.starts_with("*.")) {
    // A '*' anywhere else matches nothing, as no domain contains one.
    return offered == wanted && offered.find('*') == std::string::npos;
  }
  const std::string_view parent = std::string_view(offered).substr(1);
  const std::size_t dot = wanted.find('.');
  return std::ranges::count(parent, '.') >= 2 &&
         parent.find('*') == std::string_view::npos && dot != 0 &&
         dot != std::string::npos &&
         std::string_view(wanted).substr(dot) == parent;
}

bool names_server(const x509_st& certificate, std::string_view domain) {
  const std::unique_ptr<GENERAL_NAMES, names_free> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(
          &certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (names == nullptr) return false;
  server wanted{domain, {}, address_bytes(domain)};
  if (wanted.address.empty()) {
    const auto ascii = ascii_domain(domain);
    if (!ascii) return false;
    wanted.ascii = *ascii;
  }
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name != nullptr && matches(*name, wanted)) return true;
  }
  return false;
}

}  // namespace sotto
