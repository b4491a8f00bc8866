#include "tests/support/test_certificates.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace sotto::test {
namespace {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using x509_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free>>;
using extension_ptr =
    std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;

void must(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("OpenSSL: ") + what);
}

key_ptr make_key(unsigned rsa_bits) {
  key_ptr key(rsa_bits == 0 ? EVP_EC_gen("P-256") : EVP_RSA_gen(rsa_bits));
  must(key != nullptr, "key");
  return key;
}

template <class Write>
std::string pem_of(Write write) {
  const bio_ptr out(BIO_new(BIO_s_mem()));
  must(out != nullptr && write(out.get()) == 1, "PEM");
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

bio_ptr reading(const std::string& pem) {
  return bio_ptr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

std::string alternative_names(const certificate_wish& wish) {
  std::string text;
  const auto add = [&text](const std::string& name) {
    if (!text.empty()) text += ',';
    text += name;
  };
  for (const auto& name : wish.dns_names) add("DNS:" + name);
  for (const auto& name : wish.addresses) add("IP:" + name);
  for (const auto& name : wish.srv_names) {
    add("otherName:1.3.6.1.5.5.7.8.7;IA5:" + name);
  }
  for (const auto& name : wish.xmpp_addresses) {
    add("otherName:1.3.6.1.5.5.7.8.5;UTF8:" + name);
  }
  return text;
}

void extend(X509* certificate, int nid, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context{};
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const extension_ptr extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  must(extension != nullptr, value.c_str());
  must(X509_add_ext(certificate, extension.get(), -1) == 1, "extension");
}

std::string sha256_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  must(X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1,
       "digest");
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

identity make(const certificate_wish& wish, const identity* issuer) {
  const key_ptr key = make_key(wish.rsa_bits);
  const x509_ptr certificate(X509_new());
  X509* const raw = certificate.get();
  static std::atomic<long> serial{1};
  X509_set_version(raw, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(raw), serial++);
  X509_gmtime_adj(X509_getm_notBefore(raw), wish.first_day * 86'400L);
  X509_gmtime_adj(X509_getm_notAfter(raw), wish.last_day * 86'400L);
  X509_set_pubkey(raw, key.get());
  X509_NAME_add_entry_by_txt(
      X509_get_subject_name(raw), "CN", MBSTRING_UTF8,
      reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1, -1,
      0);
  x509_ptr issuer_certificate;
  key_ptr issuer_key;
  if (issuer != nullptr) {
    issuer_certificate.reset(PEM_read_bio_X509(
        reading(issuer->certificate).get(), nullptr, nullptr, nullptr));
    issuer_key.reset(PEM_read_bio_PrivateKey(reading(issuer->key).get(),
                                             nullptr, nullptr, nullptr));
    must(issuer_certificate != nullptr && issuer_key != nullptr, "issuer");
  }
  X509_set_issuer_name(raw, X509_get_subject_name(issuer_certificate != nullptr
                                                      ? issuer_certificate.get()
                                                      : raw));
  extend(raw, NID_basic_constraints,
         wish.authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (wish.authority) extend(raw, NID_key_usage, "keyCertSign,cRLSign");
  extend(raw, NID_subject_alt_name, alternative_names(wish));
  EVP_PKEY* const signer = issuer_key != nullptr ? issuer_key.get() : key.get();
  must(X509_sign(raw, signer, EVP_get_digestbyname(wish.digest.c_str())) > 0,
       "signature");
  identity made;
  made.certificate =
      pem_of([&](BIO* out) { return PEM_write_bio_X509(out, raw); });
  made.key = pem_of([&](BIO* out) {
    return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0,
                                    nullptr, nullptr);
  });
  made.sha256 = sha256_of(raw);
  return made;
}

}  // namespace

identity make_self_signed(const certificate_wish& wish) {
  return make(wish, nullptr);
}

identity make_signed(const certificate_wish& wish, const identity& issuer) {
  identity made = make(wish, &issuer);
  if (!issuer.chain.empty()) made.chain = issuer.certificate + issuer.chain;
  return made;
}

temporary_file::temporary_file(const std::string& contents)
    : path_((std::filesystem::temp_directory_path() / "sotto-test-XXXXXX")
                .string()) {
  const int fd = mkstemp(path_.data());
  must(fd >= 0, "temporary file");
  close(fd);
  std::ofstream(path_) << contents;
}

temporary_file::~temporary_file() { unlink(path_.c_str()); }

}  // namespace sotto::test
