#pragma once

#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "crypto/libotr.hpp"
#include "crypto/memory_file.hpp"
#include "crypto/otr_identity.hpp"
#include "crypto/otr_user_state.hpp"
#include "tests/support/leak_pause.hpp"
#include "tests/support/otr_pair.hpp"

namespace sotto::test {

/// libotr 4.1.1 as a client uses it that follows its examples: the contact of
/// another program, and what an attack script is tried on to see that it
/// would work.
class bare_otr {
 public:
  bare_otr(const otr_identity& identity, std::string contact,
           OtrlPolicy policy = OTRL_POLICY_DEFAULT)
      : account_(identity.account()),
        contact_(std::move(contact)),
        policy_(policy),
        state_(make_otr_user_state()) {
    if (!load_private_key(state_.get(), identity.private_key()) ||
        !load_instance_tag(state_.get(), account_, identity.instance_tag())) {
      std::abort();
    }
  }

  void say(const char* text) {
    char* line = nullptr;
    const auto problem = otrl_message_sending(
        state_.get(), ops(), this, account_.c_str(), otr_protocol,
        contact_.c_str(), OTRL_INSTAG_BEST, text, nullptr, &line,
        OTRL_FRAGMENT_SEND_SKIP, nullptr, nullptr, nullptr);
    if (problem == 0) out.emplace_back(line != nullptr ? line : text);
    otrl_message_free(line);
  }

  void hear(const std::string& body) {
    // Its own handshake keys are lost too, where ours are closed for it.
    const leak_pause pause;
    char* text = nullptr;
    OtrlTLV* tlvs = nullptr;
    const int internal =
        otrl_message_receiving(state_.get(), ops(), this, account_.c_str(),
                               otr_protocol, contact_.c_str(), body.c_str(),
                               &text, &tlvs, nullptr, nullptr, nullptr);
    if (internal == 0) received.emplace_back(text != nullptr ? text : body);
    otrl_message_free(text);
    otrl_tlv_free(tlvs);
  }

  bool encrypted() const {
    const auto* context = otrl_context_find(
        state_.get(), contact_.c_str(), account_.c_str(), otr_protocol,
        OTRL_INSTAG_BEST, 0, nullptr, nullptr, nullptr);
    return context != nullptr && context->msgstate == OTRL_MSGSTATE_ENCRYPTED;
  }
  bool heard(std::string_view text) const {
    for (const auto& message : received) {
      if (message.find(text) != std::string::npos) return true;
    }
    return false;
  }

  std::deque<std::string> out;
  std::vector<std::string> received;

 private:
  static const OtrlMessageAppOps* ops() {
    static const OtrlMessageAppOps table = [] {
      OtrlMessageAppOps made{};
      made.policy = [](void* self, ConnContext*) {
        return static_cast<bare_otr*>(self)->policy_;
      };
      made.is_logged_in = [](void*, const char*, const char*, const char*) {
        return 1;
      };
      made.inject_message = [](void* self, const char*, const char*,
                               const char*, const char* line) {
        static_cast<bare_otr*>(self)->out.emplace_back(line);
      };
      made.otr_error_message = [](void*, ConnContext*, OtrlErrorCode) {
        return static_cast<const char*>(strdup("error"));
      };
      made.otr_error_message_free = [](void*, const char* text) {
        std::free(const_cast<char*>(text));
      };
      made.handle_msg_event = [](void*, OtrlMessageEvent, ConnContext*,
                                 const char*, gcry_error_t) {};
      made.handle_smp_event = [](void*, OtrlSMPEvent, ConnContext*,
                                 unsigned short, char*) {};
      return made;
    }();
    return &table;
  }

  std::string account_;
  std::string contact_;
  OtrlPolicy policy_;
  otr_user_state state_;
};

/// Delivers the oldest line of one side to the other; false if there is none.
inline bool deliver(otr_side& from, bare_otr& to) {
  if (from.out.empty()) return false;
  const auto line = std::move(from.out.front());
  from.out.pop_front();
  to.hear(line);
  return true;
}
inline bool deliver(bare_otr& from, otr_side& to) {
  if (from.out.empty()) return false;
  const auto line = std::move(from.out.front());
  from.out.pop_front();
  to.hear(line);
  return true;
}
/// A line each way, if there are any.
inline bool exchange_one(otr_side& one, bare_otr& other) {
  const bool there = deliver(one, other);
  const bool back = deliver(other, one);
  return there || back;
}

}  // namespace sotto::test
