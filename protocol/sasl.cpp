#include "protocol/sasl.hpp"

#include <gsasl.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "protocol/scram_challenge.hpp"

namespace sotto {
namespace {

constexpr std::array<std::string_view, 3> by_strength{"PLAIN", "SCRAM-SHA-1",
                                                      "SCRAM-SHA-256"};

error broken(std::string what) {
  return error{errc::protocol, "The login failed: " + std::move(what) +
                                   "; this may be an attack, so try again "
                                   "from another network"};
}

result<secret> from_base64(std::string_view text) {
  if (text.empty() || text == "=") return secret();
  if (text.size() > sasl_client::max_challenge) {
    return broken("the server sent more than a login needs");
  }
  secret bytes = secret::zeroed(text.size());
  std::size_t size = 0;
  if (sodium_base642bin(
          reinterpret_cast<unsigned char*>(bytes.writable().data()),
          bytes.size(), text.data(), text.size(), nullptr, &size, nullptr,
          sodium_base64_VARIANT_ORIGINAL) != 0) {
    return broken("the server sent something that is not base64");
  }
  return secret::copy_of(bytes.bytes().first(size));
}

secret to_base64(std::span<const std::byte> bytes) {
  if (bytes.empty()) return {};
  secret text = secret::zeroed(
      sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL));
  sodium_bin2base64(reinterpret_cast<char*>(text.writable().data()),
                    text.size(),
                    reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  return secret::copy_of(text.bytes().first(text.size() - 1));
}

struct gsasl_free_context {
  void operator()(Gsasl* context) const { gsasl_done(context); }
};

// The library keeps what it knows in plain memory and frees it unwiped.
void wipe_property(Gsasl_session* session, Gsasl_property property) {
  const char* const value = gsasl_property_fast(session, property);
  if (value != nullptr) wipe(const_cast<char*>(value), std::strlen(value));
}

struct gsasl_free_session {
  void operator()(Gsasl_session* session) const {
    wipe_property(session, GSASL_PASSWORD);
    wipe_property(session, GSASL_SCRAM_SALTED_PASSWORD);
    gsasl_finish(session);
  }
};

}  // namespace

int sasl_strength(std::string_view mechanism) {
  const auto found = std::ranges::find(by_strength, mechanism);
  return found == by_strength.end()
             ? 0
             : static_cast<int>(found - by_strength.begin()) + 1;
}

result<std::string> choose_mechanism(const std::vector<std::string>& offered,
                                     bool allow_plain, std::string_view best) {
  std::string_view chosen;
  bool plain_offered = false;
  for (const std::string& mechanism : offered) {
    if (mechanism == "PLAIN") plain_offered = true;
    if (mechanism == "PLAIN" && !allow_plain) continue;
    if (sasl_strength(mechanism) > sasl_strength(chosen)) chosen = mechanism;
  }
  if (sasl_strength(chosen) < sasl_strength(best)) {
    return error{errc::refused,
                 "The server offers no login as strong as " +
                     std::string(best) +
                     ", which it has offered before; the password was not "
                     "sent, as this is how an attack looks"};
  }
  if (!chosen.empty()) return std::string(chosen);
  if (plain_offered) {
    return error{errc::refused,
                 "The server wants the password itself (PLAIN) and offers no "
                 "other login; it was not sent. Allow PLAIN for this account "
                 "if you trust the server with it"};
  }
  return error{errc::refused,
               "The server offers no login that this program speaks "
               "(SCRAM-SHA-256, SCRAM-SHA-1); ask its operator"};
}

class sasl_client::session {
 public:
  result<void> start(const std::string& mechanism, const std::string& user,
                     const secret& password) {
    Gsasl* context = nullptr;
    if (gsasl_init(&context) != GSASL_OK) return unavailable();
    context_.reset(context);
    Gsasl_session* exchange = nullptr;
    if (gsasl_client_start(context, mechanism.c_str(), &exchange) != GSASL_OK) {
      return unavailable();
    }
    session_.reset(exchange);
    scram_ = mechanism != "PLAIN";
    if (gsasl_property_set(exchange, GSASL_AUTHID, user.c_str()) != GSASL_OK ||
        gsasl_property_set_raw(exchange, GSASL_PASSWORD, password.view().data(),
                               password.size()) != GSASL_OK) {
      return unavailable();
    }
    return {};
  }

  result<secret> initial() {
    if (stage_ != stage::fresh) return out_of_order();
    auto first = step({});
    if (!first) return first.failure();
    if (scram_) client_nonce_ = scram_client_nonce(first->view());
    stage_ = scram_ ? stage::sent_first : stage::proved;
    return to_base64(first->bytes());
  }

  result<secret> respond(std::string_view text) {
    auto challenge = from_base64(text);
    if (!challenge) return challenge.failure();
    if (stage_ == stage::sent_first) {
      const auto checked =
          check_scram_challenge(challenge->view(), client_nonce_);
      if (!checked) return checked.failure();
      auto proof = step(challenge->view());
      if (!proof) return proof.failure();
      stage_ = stage::sent_proof;
      return to_base64(proof->bytes());
    }
    if (stage_ == stage::sent_proof) {
      const auto verified = verify(challenge->view());
      if (!verified) return verified.failure();
      return secret();
    }
    return out_of_order();
  }

  result<void> conclude(std::string_view text) {
    if (stage_ == stage::sent_proof && !text.empty() && text != "=") {
      auto last = from_base64(text);
      if (!last) return last.failure();
      const auto verified = verify(last->view());
      if (!verified) return verified.failure();
    }
    if (stage_ == stage::proved) return {};
    return broken(
        "the server claims success without proof that it knows the password");
  }

 private:
  enum class stage { fresh, sent_first, sent_proof, proved };

  static error unavailable() {
    return error{errc::unavailable,
                 "The SASL library could not prepare the login; the password "
                 "was not sent"};
  }
  static error out_of_order() {
    return broken("the server sent a challenge out of turn");
  }

  result<secret> step(std::string_view input) {
    char* output = nullptr;
    std::size_t size = 0;
    const int code =
        gsasl_step(session_.get(), input.data(), input.size(), &output, &size);
    if (code != GSASL_OK && code != GSASL_NEEDS_MORE) {
      finished_ = false;
      return broken("the server's answer was not accepted");
    }
    finished_ = code == GSASL_OK;
    secret bytes = secret::copy_of(std::string_view(output, size));
    if (output != nullptr) {
      wipe(output, size);
      gsasl_free(output);
    }
    return bytes;
  }

  // The server-final-message: its signature shows that it knows the password.
  result<void> verify(std::string_view server_final) {
    const auto answer = step(server_final);
    if (!answer || !finished_ || !server_final.starts_with("v=")) {
      return broken("the server did not prove that it knows the password");
    }
    stage_ = stage::proved;
    return {};
  }

  std::unique_ptr<Gsasl, gsasl_free_context> context_;
  std::unique_ptr<Gsasl_session, gsasl_free_session> session_;
  std::string client_nonce_;
  stage stage_ = stage::fresh;
  bool scram_ = true;
  bool finished_ = false;
};

sasl_client::sasl_client(std::unique_ptr<session> state)
    : session_(std::move(state)) {}
sasl_client::~sasl_client() = default;
sasl_client::sasl_client(sasl_client&&) noexcept = default;
sasl_client& sasl_client::operator=(sasl_client&&) noexcept = default;

result<sasl_client> sasl_client::start(std::string_view mechanism,
                                       std::string_view user,
                                       const secret& password) {
  if (sasl_strength(mechanism) == 0) {
    return error{errc::invalid_argument, "There is no SASL mechanism " +
                                             std::string(mechanism) +
                                             " in this program"};
  }
  auto state = std::make_unique<session>();
  const auto started =
      state->start(std::string(mechanism), std::string(user), password);
  if (!started) return started.failure();
  return sasl_client(std::move(state));
}

result<secret> sasl_client::initial() { return session_->initial(); }

result<secret> sasl_client::respond(std::string_view challenge) {
  return session_->respond(challenge);
}

result<void> sasl_client::conclude(std::string_view text) {
  return session_->conclude(text);
}

}  // namespace sotto
