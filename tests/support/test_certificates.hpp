#pragma once

#include <string>
#include <vector>

namespace sotto::test {

/// What a certificate is to say.
struct certificate_wish {
  std::string common_name = "Sotto test";
  std::vector<std::string> dns_names = {};
  std::vector<std::string> srv_names = {};  ///< "_xmpp-client.chat.example"
  std::vector<std::string> xmpp_addresses = {};  ///< "chat.example"
  std::vector<std::string> addresses = {};       ///< "127.0.0.1"
  int first_day = -1;                            ///< from today
  int last_day = 30;
  unsigned rsa_bits = 0;  ///< 0: an EC key on P-256
  std::string digest = "SHA256";
  bool authority = false;
};

/// A certificate and its key, in PEM.
struct identity {
  std::string certificate;
  std::string key;
  std::string chain;   ///< further certificates to be sent along
  std::string sha256;  ///< of the DER form, lower-case hex
};

/// Made on the spot; throws std::runtime_error where OpenSSL refuses.
identity make_self_signed(const certificate_wish& wish);
identity make_signed(const certificate_wish& wish, const identity& issuer);

/// A temporary file, gone with the object.
class temporary_file {
 public:
  explicit temporary_file(const std::string& contents);
  ~temporary_file();
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace sotto::test
