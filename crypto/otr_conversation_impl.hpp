#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/otr_conversation.hpp"
#include "crypto/otr_gate.hpp"
#include "crypto/otr_guard.hpp"
#include "crypto/otr_session.hpp"

namespace sotto {

/// What an `otr_conversation` is made of. The incoming half is in
/// otr_conversation_receive.cpp, all else in otr_conversation.cpp.
class otr_conversation::impl {
 public:
  using time_point = std::chrono::system_clock::time_point;

  impl(std::string account, std::string contact, known_keys keys, bool latched,
       otr_options options);

  otr_step set_identity(std::shared_ptr<const otr_identity> identity);
  otr_step set_policy(otr_policy policy);
  result<otr_step> start();
  result<otr_step> refresh();
  otr_step end();
  otr_step handshake_timeout(std::uint64_t generation);
  otr_step poll();
  otr_submission submit(std::string_view text);
  otr_step receive(std::string_view body, bool consent, time_point now);
  otr_step verify(const fingerprint& print, time_point now);
  otr_step distrust();

  otr_state state() const;
  std::optional<key_standing> standing() const;
  gate_input gate() const;
  bool stands() const { return phase_ == phase::standing; }
  bool private_expected() const {
    return decide(gate()) != gate_action::send_clear;
  }

  std::shared_ptr<const otr_identity> identity;
  otr_options options;
  known_keys keys;
  bool latched;

  /// The instance of the contact that the session is with.
  struct peer {
    std::uint32_t instance = 0;
    fingerprint print;
    int version = 0;
    /// As it was when the session began.
    key_standing standing = key_standing::first;
  };
  std::optional<peer> current;

 private:
  enum class phase { none, starting, timed_out, standing, finished };

  /// What one call does; knows how things stood before it.
  struct turn {
    otr_step step;
    otr_state state;
    bool latched;
    bool private_expected;
    time_point now{};
  };
  turn begin(time_point now = {}) const;
  otr_step done(turn&& call) const;

  result<void> open_session();
  void close_session(turn& call, bool tell_contact);
  void begin_starting(turn& call);
  void start_timer(turn& call);
  void send_query(turn& call);
  void open_latch(turn& call);

  // The incoming half.
  void receive_clear(turn& call, std::string_view body);
  void receive_otr(turn& call, std::string_view body);
  bool refuse_untouched(turn& call, const otr_body& body);
  void receive_message(turn& call, const std::string& message);
  void receive_query(turn& call, const otr_body& query);
  bool commit_open() const;
  void receive_commit(turn& call, const std::string& message,
                      const otr_body& body);
  void feed(turn& call, const std::string& message);
  void absorb(turn& call, otr_outcome&& outcome);
  void absorb_wire(turn& call, otr_outcome& outcome);
  void absorb_signal(turn& call, const otr_signal& signal);
  void absorb_text(turn& call, const otr_outcome& outcome);
  void session_stands(turn& call, std::uint32_t instance, bool refreshed);
  void note_end(turn& call, const otr_outcome& outcome);
  bool sending_allowed_to(std::uint32_t instance) const;

  std::string account_;
  std::string contact_;
  std::unique_ptr<otr_session> session_;
  otr_guard guard_;
  phase phase_ = phase::none;
  /// Under automatic: the user has ended it and not started it since.
  bool suspended_ = false;
  bool polling_ = false;
  std::uint64_t generation_ = 0;
  /// Our query has gone out and nothing of a handshake has come back.
  bool query_open_ = false;
  bool query_repeated_ = false;
  /// A session stands and our Reveal Signature for new keys has gone out: the
  /// contact reads the new keys from there on, and we have them only when its
  /// Signature comes. Texts wait, or they would be lost between the two.
  bool rekeying_ = false;
  /// The contact was told that its messages cannot be read here.
  bool stray_told_ = false;
  /// Our last D-H Commit, as long as no answer to it was used.
  std::string own_commit_;
  /// The key of every instance that a session was made with.
  std::map<std::uint32_t, fingerprint> prints_;
};

}  // namespace sotto
