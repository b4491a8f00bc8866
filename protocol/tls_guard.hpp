#pragma once

#include <string>
#include <vector>

#include "crypto/result.hpp"

struct _xmpp_tlscert_t;  // NOLINT(bugprone-reserved-identifier)

namespace sotto {

/// Whether a file of trusted certificate issuers can be used: a link that is
/// to trust it alone can otherwise only say that TLS did not begin. Errors:
/// not_found, invalid_argument (no certificate in it).
result<void> check_ca_file(const std::string& path);

/// Sets what libstrophe leaves open when it starts TLS on this thread, and
/// notes what the verification of the server's chain found.
///
/// libstrophe trusts the system's store in addition to a CA file, allows TLS
/// 1.1, and asks a handler without user data about each failure. It builds
/// its SSL context with SSL_CTX_set_default_verify_paths, which is defined in
/// the executable and so found before OpenSSL's own; with an object of this
/// class on the thread the context is made to need TLS 1.2 or later and, where
/// a CA file is named, to trust nothing else.
///
/// One object a thread at a time.
class tls_guard {
 public:
  explicit tls_guard(std::string ca_file);
  ~tls_guard();
  tls_guard(const tls_guard&) = delete;
  tls_guard& operator=(const tls_guard&) = delete;

  /// A new handshake begins: forgets what the last one left.
  void reset();
  /// Whether the context of the last handshake passed through here. If not,
  /// its verdict is worth nothing.
  bool effective() const noexcept { return effective_; }
  const std::string& ca_file() const noexcept { return ca_file_; }
  /// OpenSSL's X509_V_ERR_ codes of the last handshake, in order of arrival.
  const std::vector<int>& chain_errors() const noexcept {
    return chain_errors_;
  }

  /// libstrophe's certfail handler: notes the error and lets the handshake go
  /// on, so that one judgement can be made of everything that is wrong before
  /// anything is sent (`judge_certificate`).
  static int on_chain_error(const _xmpp_tlscert_t* certificate,
                            const char* message) noexcept;

  /// For the function that stands in for OpenSSL's. @{
  static tls_guard* of_this_thread() noexcept;
  int prepare(void* ssl_context) noexcept;
  /// @}

 private:
  std::string ca_file_;
  std::vector<int> chain_errors_;
  bool effective_ = false;
};

}  // namespace sotto
