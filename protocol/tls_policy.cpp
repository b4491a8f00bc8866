#include "protocol/tls_policy.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <memory>
#include <set>
#include <utility>

#include "protocol/server_name.hpp"

namespace sotto {
namespace {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using x509_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free>>;

using words = std::set<std::string>;

x509_ptr parse(const std::string& pem) {
  const bio_ptr input(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return input == nullptr ? nullptr
                          : x509_ptr(PEM_read_bio_X509(input.get(), nullptr,
                                                       nullptr, nullptr));
}

std::string sha256_of(const X509& certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (X509_digest(&certificate, EVP_sha256(), digest.data(), &size) != 1) {
    return {};
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += digits[digest[i] >> 4];
    hex += digits[digest[i] & 15];
  }
  return hex;
}

// The word for a verification error; empty for errors that are judged here.
std::string_view word_of(int code) {
  switch (code) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return {};
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "not_yet_valid";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "self_signed";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
      return "unknown_issuer";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
      return "weak_key";
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return "weak_signature";
    case X509_V_ERR_CERT_REVOKED:
      return "revoked";
    default:
      return "other";
  }
}

void judge_time(const X509& certificate, wall_time now, words& found) {
  std::time_t when = std::chrono::system_clock::to_time_t(now);
  if (X509_cmp_time(X509_get0_notBefore(&certificate), &when) >= 0) {
    found.insert("not_yet_valid");
  }
  if (X509_cmp_time(X509_get0_notAfter(&certificate), &when) <= 0) {
    found.insert("expired");
  }
}

void judge_key(const X509& certificate, words& found) {
  const EVP_PKEY* const key = X509_get0_pubkey(&certificate);
  if (key == nullptr) {
    found.insert("other");
    return;
  }
  const int bits = EVP_PKEY_get_bits(key);
  const int type = EVP_PKEY_get_base_id(key);
  const bool weak =
      (type == EVP_PKEY_RSA || type == EVP_PKEY_RSA_PSS || type == EVP_PKEY_DSA)
          ? bits < 2048
          : type == EVP_PKEY_EC && bits < 256;
  if (weak) found.insert("weak_key");
}

void judge_signature(const X509& certificate, words& found) {
  // A certificate that signs itself proves nothing by that, however strongly.
  if (found.contains("self_signed")) return;
  int digest = NID_undef;
  if (OBJ_find_sigid_algs(X509_get_signature_nid(&certificate), &digest,
                          nullptr) != 1) {
    return;
  }
  if (digest == NID_md5 || digest == NID_md4 || digest == NID_md2 ||
      digest == NID_sha1 || digest == NID_mdc2 || digest == NID_ripemd160) {
    found.insert("weak_signature");
  }
}

words problems_of(const X509& certificate, const std::vector<int>& chain_errors,
                  std::string_view domain, wall_time now) {
  words found;
  for (const int code : chain_errors) {
    const std::string_view word = word_of(code);
    if (!word.empty()) found.emplace(word);
  }
  if (found.contains("self_signed")) found.erase("unknown_issuer");
  judge_time(certificate, now, found);
  judge_key(certificate, found);
  judge_signature(certificate, found);
  if (!names_server(certificate, domain)) found.insert("wrong_host");
  return found;
}

std::string joined(const words& found) {
  std::string text;
  for (const std::string& word : found) {
    if (!text.empty()) text += ',';
    text += word;
  }
  return text;
}

words split(std::string_view text) {
  words found;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) found.emplace(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return found;
}

std::string_view clause_of(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9>
      clauses{{{"expired", "has expired"},
               {"not_yet_valid", "is not valid yet"},
               {"self_signed", "is signed by itself only"},
               {"unknown_issuer", "was issued by nobody this computer trusts"},
               {"wrong_host", "is made out for another name"},
               {"weak_key", "has a key that is too short"},
               {"weak_signature", "is signed by a broken algorithm"},
               {"revoked", "has been revoked"},
               {"other", "cannot be verified"}}};
  for (const auto& [known, clause] : clauses) {
    if (known == word) return clause;
  }
  return clauses.back().second;
}

std::string explain(const words& found, std::string_view domain) {
  std::string text = "The certificate of " + std::string(domain);
  std::size_t told = 0;
  for (const std::string& word : found) {
    text += told == 0 ? " " : told + 1 == found.size() ? " and " : ", ";
    text += clause_of(word);
    ++told;
  }
  return text +
         ", so that the password was not sent. Accept it only if the server's "
         "operator has given you the same SHA-256 fingerprint.";
}

bool excuses(const certificate_pin& pin, const std::string& sha256,
             const words& found) {
  if (sha256.empty() || pin.sha256 != sha256) return false;
  const words accepted = split(pin.problems);
  return accepted.empty() || std::ranges::includes(accepted, found);
}

}  // namespace

certificate_verdict judge_certificate(const presented_certificate& presented,
                                      std::string_view domain,
                                      const std::optional<certificate_pin>& pin,
                                      wall_time now) {
  const x509_ptr certificate = parse(presented.pem);
  if (certificate == nullptr) {
    return {false,
            {},
            certificate_problem{{}, "other", explain({"other"}, domain)}};
  }
  const words found =
      problems_of(*certificate, presented.chain_errors, domain, now);
  if (found.empty()) return {true, {}, std::nullopt};
  const std::string sha256 = sha256_of(*certificate);
  if (pin && excuses(*pin, sha256, found)) {
    return {true, pin->problems.empty() ? joined(found) : pin->problems,
            std::nullopt};
  }
  return {false,
          {},
          certificate_problem{sha256, joined(found), explain(found, domain)}};
}

}  // namespace sotto
