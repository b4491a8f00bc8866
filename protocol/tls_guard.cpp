#include "protocol/tls_guard.hpp"

#include <dlfcn.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <cstring>
#include <memory>
#include <utility>

namespace sotto {
namespace {

thread_local tls_guard* guard_of_thread = nullptr;

// libstrophe hands on only the text of an error. Codes end well before this.
constexpr int last_code = 127;
// A chain has few certificates; a server that sends many is cut short.
constexpr std::size_t most_errors = 64;

int code_of(const char* message) {
  for (int code = X509_V_OK + 1; code <= last_code; ++code) {
    if (std::strcmp(message, X509_verify_cert_error_string(code)) == 0) {
      return code;
    }
  }
  return X509_V_ERR_UNSPECIFIED;
}

int openssl_default_paths(SSL_CTX* context) noexcept {
  static const auto next =
      reinterpret_cast<decltype(&SSL_CTX_set_default_verify_paths)>(
          dlsym(RTLD_NEXT, "SSL_CTX_set_default_verify_paths"));
  return next(context);
}

}  // namespace

result<void> check_ca_file(const std::string& path) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> file{
      BIO_new_file(path.c_str(), "r"), BIO_free};
  if (file == nullptr)
    return error{errc::not_found,
                 "The file of trusted certificate issuers, " + path +
                     ", cannot be read. Check its path and permissions, or "
                     "set the account up without it"};
  const std::unique_ptr<X509, decltype(&X509_free)> first{
      PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr), X509_free};
  ERR_clear_error();
  if (first == nullptr)
    return error{errc::invalid_argument,
                 "The file of trusted certificate issuers, " + path +
                     ", holds no certificate in PEM form. Set the account up "
                     "with one that does, or without it"};
  return {};
}

tls_guard::tls_guard(std::string ca_file) : ca_file_(std::move(ca_file)) {
  guard_of_thread = this;
}

tls_guard::~tls_guard() { guard_of_thread = nullptr; }

tls_guard* tls_guard::of_this_thread() noexcept { return guard_of_thread; }

void tls_guard::reset() {
  chain_errors_.clear();
  effective_ = false;
}

int tls_guard::prepare(void* ssl_context) noexcept {
  auto* const context = static_cast<SSL_CTX*>(ssl_context);
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) return 0;
  effective_ = true;
  // libstrophe loads the CA file itself, right after this call.
  return ca_file_.empty() ? openssl_default_paths(context) : 1;
}

int tls_guard::on_chain_error(const _xmpp_tlscert_t* /*certificate*/,
                              const char* message) noexcept {
  if (guard_of_thread == nullptr || message == nullptr) return 0;
  auto& errors = guard_of_thread->chain_errors_;
  if (errors.size() >= most_errors) return 0;
  try {
    errors.push_back(code_of(message));
  } catch (...) {
    return 0;
  }
  return 1;
}

}  // namespace sotto

// What libstrophe calls instead of OpenSSL.
extern "C" int SSL_CTX_set_default_verify_paths(SSL_CTX* context) {
  sotto::tls_guard* const guard = sotto::tls_guard::of_this_thread();
  return guard == nullptr ? sotto::openssl_default_paths(context)
                          : guard->prepare(context);
}
