#include "tests/support/xmpp_script.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>
#include <vector>

namespace sotto::test {

const std::string_view stream_header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' id='s1' "
    "from='chat.example' version='1.0'>";
const std::string_view starttls_features =
    "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'>"
    "<required/></starttls></stream:features>";
const std::string_view scram_features =
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
    "<mechanism>PLAIN</mechanism><mechanism>SCRAM-SHA-1</mechanism>"
    "<mechanism>SCRAM-SHA-256</mechanism></mechanisms></stream:features>";
const std::string_view bind_features =
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
    "</stream:features>";
const std::string_view tls_proceed_text =
    "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

namespace {

constexpr std::string_view sasl = " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";

std::string hmac(const EVP_MD* digest, const std::string& key,
                 const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  HMAC(digest, key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       out.data(), &size);
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string server_signature(const EVP_MD* digest, const std::string& password,
                             const std::string& salt, int iterations,
                             const std::string& auth_message) {
  std::string salted(static_cast<std::size_t>(EVP_MD_get_size(digest)), '\0');
  PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                    reinterpret_cast<const unsigned char*>(salt.data()),
                    static_cast<int>(salt.size()), iterations, digest,
                    static_cast<int>(salted.size()),
                    reinterpret_cast<unsigned char*>(salted.data()));
  return hmac(digest, hmac(digest, salted, "Server Key"), auth_message);
}

std::string text_of(const std::string& xml) {
  const std::size_t end = xml.rfind("</");
  const std::size_t begin = xml.rfind('>', end) + 1;
  return xml.substr(begin, end - begin);
}

std::string wrapped(std::string_view name, const std::string& text) {
  std::string xml = "<" + std::string(name) + std::string(sasl);
  return text.empty()
             ? xml + "/>"
             : xml + ">" + base64(text) + "</" + std::string(name) + ">";
}

std::string server_first(const std::string& client_nonce,
                         const scram_faults& faults) {
  const std::string nonce = faults.foreign_nonce ? "3rfcNHYJY1ZVvWVs7j"
                            : faults.same_nonce
                                ? client_nonce
                                : client_nonce + "3rfcNHYJY1ZVvWVs7j";
  return faults.extra + "r=" + nonce + ",s=" + faults.salt +
         ",i=" + faults.iterations;
}

}  // namespace

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()),
                      static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string from_base64(std::string_view text) {
  std::string bytes(text.size() + 4, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  if (size < 0) return {};
  const auto padding = static_cast<std::size_t>(std::ranges::count(text, '='));
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

std::string mechanisms(std::string_view list) {
  std::string xml = "<stream:features><mechanisms" + std::string(sasl) + ">";
  while (!list.empty()) {
    const std::size_t space = std::min(list.find(' '), list.size());
    xml += "<mechanism>" + std::string(list.substr(0, space)) + "</mechanism>";
    list.remove_prefix(std::min(space + 1, list.size()));
  }
  return xml + "</mechanisms></stream:features>";
}

std::string attribute(const std::string& xml, const std::string& name) {
  for (const char quote : {'\'', '"'}) {
    const std::size_t found = xml.find(" " + name + "=" + quote);
    if (found == std::string::npos) continue;
    const std::size_t begin = found + name.size() + 3;
    return xml.substr(begin, xml.find(quote, begin) - begin);
  }
  return {};
}

void take_stream(scripted_link& link) {
  link.read_until("<stream:stream");
  link.read_until(">");
  link.send(stream_header);
}

void secure(scripted_link& link, const identity& own, int newest_tls) {
  take_stream(link);
  link.send(starttls_features);
  link.read_until("<starttls");
  link.read_until(">");
  link.send(tls_proceed_text);
  link.start_tls(own, newest_tls);
}

void authenticate(scripted_link& link, const std::string& password,
                  const scram_faults& faults, std::string_view features) {
  take_stream(link);
  link.send(features);
  const std::string auth = link.read_until("</auth>");
  const bool sha1 = attribute(auth, "mechanism") == "SCRAM-SHA-1";
  const EVP_MD* const digest = sha1 ? EVP_sha1() : EVP_sha256();
  if (faults.early_success) {
    link.send(wrapped("success", {}));
    return;
  }
  const std::string client_first = from_base64(text_of(auth));
  const std::string bare = client_first.substr(client_first.find("n=", 2));
  const std::string client_nonce = bare.substr(bare.rfind("r=") + 2);
  const std::string challenge = server_first(client_nonce, faults);
  link.send(wrapped("challenge", challenge));
  const std::string proof =
      from_base64(text_of(link.read_until("</response>")));
  const std::string without_proof = proof.substr(0, proof.rfind(",p="));
  std::string signature = server_signature(
      digest, password, from_base64(faults.salt), std::stoi(faults.iterations),
      bare + "," + challenge + "," + without_proof);
  if (faults.wrong_signature)
    signature[0] = static_cast<char>(signature[0] ^ 1);
  const std::string last = "v=" + base64(signature);
  if (faults.no_signature) {
    link.send(wrapped("success", {}));
  } else if (faults.challenges_for_ever) {
    link.send(wrapped("challenge", last));
    while (true) link.send(wrapped("challenge", challenge));
  } else if (faults.signature_as_challenge) {
    link.send(wrapped("challenge", last));
    link.read_until("<response");
    link.read_until(">");
    link.send(wrapped("success", {}));
  } else {
    link.send(wrapped("success", last));
  }
}

void bind_as(scripted_link& link, const std::string& full) {
  take_stream(link);
  link.send(bind_features);
  const std::string request = link.read_until("</iq>");
  link.send("<iq type='result' id='" + attribute(request, "id") +
            "'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>" +
            (full.empty() ? "" : "<jid>" + full + "</jid>") + "</bind></iq>");
}

void log_in(scripted_link& link, const identity& own,
            const std::string& password, const std::string& full) {
  secure(link, own);
  authenticate(link, password);
  bind_as(link, full);
}

bool gives_away(const std::string& heard, const std::string& user,
                const std::string& password) {
  const std::string plain =
      std::string(1, '\0') + user + std::string(1, '\0') + password;
  // Base64 of the password at each of the three alignments.
  std::vector<std::string> needles{password, base64(password), base64(plain)};
  for (std::size_t skip = 1; skip < 3; ++skip) {
    const std::string shifted = base64(std::string(skip, 'x') + password);
    if (shifted.size() > 8)
      needles.push_back(shifted.substr(4, shifted.size() - 8));
  }
  const bool said = std::ranges::any_of(needles, [&](const auto& needle) {
    return heard.find(needle) != std::string::npos;
  });
  if (said) return true;
  for (std::size_t at = heard.find("<response"); at != std::string::npos;
       at = heard.find("<response", at + 1)) {
    const std::size_t begin = heard.find('>', at) + 1;
    const std::string text =
        from_base64(heard.substr(begin, heard.find('<', begin) - begin));
    if (text.find(",p=") != std::string::npos) return true;
  }
  return false;
}

bool began_sasl(const std::string& heard) {
  return heard.find("xmpp-sasl") != std::string::npos;
}

}  // namespace sotto::test
