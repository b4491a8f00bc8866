#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/otr_conversation.hpp"

namespace sotto::test {

/// A moment that all tests of one process agree on.
inline std::chrono::system_clock::time_point noon() {
  using namespace std::chrono;
  return system_clock::time_point(seconds(1'700'000'000));
}

/// A key made once a process: `number` tells several of one account apart.
inline std::shared_ptr<const otr_identity> identity_of(
    const std::string& account, int number = 0) {
  static std::vector<
      std::pair<std::string, std::shared_ptr<const otr_identity>>>
      made;
  const auto name = account + '#' + std::to_string(number);
  for (const auto& [known, identity] : made) {
    if (known == name) return identity;
  }
  auto fresh = otr_identity::generate(account);
  if (!fresh) std::abort();
  made.emplace_back(name, *fresh);
  return *fresh;
}

/// The same key under another account's name of the same length: where many
/// accounts are needed, and making a key for each would take minutes.
inline std::shared_ptr<const otr_identity> identity_renamed(
    const otr_identity& made, const std::string& account) {
  const auto kept = made.serialized();
  std::string text{kept.view()};
  for (auto at = text.find(made.account()); at != std::string::npos;
       at = text.find(made.account(), at + account.size()))
    text.replace(at, account.size(), account);
  auto renamed = otr_identity::parse(account, secret::copy_of(text));
  if (!renamed) std::abort();
  return *renamed;
}

/// An owner of one conversation, as a session actor is: keeps what waits and
/// submits it again when the conversation is ready.
class otr_side {
 public:
  otr_side(std::string account, std::string contact,
           otr_policy policy = otr_policy::opportunistic, int key = 0,
           known_keys keys = {}, bool latched = false)
      : talk(account, std::move(contact), std::move(keys), latched,
             {.policy = policy}) {
    if (key >= 0) take(talk.set_identity(identity_of(account, key)));
  }

  void take(otr_step step) {
    for (auto& line : step.wire) {
      sent.push_back(line);
      out.push_back(std::move(line));
    }
    if (step.received) received.push_back(*step.received);
    for (auto& event : step.events) events.push_back(std::move(event));
    if (step.start_timer) timer = step.start_timer->generation;
    if (step.ready && resubmits) submit_waiting();
  }

  otr_submission::verdict say(std::string text) {
    auto submission = talk.submit(text, noon());
    const auto verdict = submission.outcome;
    if (verdict == otr_submission::verdict::deferred) {
      waiting.push_back(std::move(text));
    }
    last_reason = submission.reason;
    last_security = submission.security;
    take(std::move(submission.step));
    return verdict;
  }

  void hear(std::string_view body, bool consent = true) {
    take(talk.receive(body, consent, noon()));
  }
  void start() {
    if (auto step = talk.start()) take(std::move(*step));
  }
  void end() {
    waiting.clear();  // the owner's duty
    take(talk.end());
  }
  void time_out() { take(talk.handshake_timeout(timer)); }
  void verify_peer() {
    if (const auto key = talk.peer_key()) take(talk.verify(*key, noon()));
  }

  int count(otr_notice notice) const {
    int found = 0;
    for (const auto& event : events) found += event.what == notice ? 1 : 0;
    return found;
  }
  bool sent_holds(std::string_view text) const {
    for (const auto& line : sent) {
      if (line.find(text) != std::string::npos) return true;
    }
    return false;
  }
  bool heard(std::string_view text) const {
    for (const auto& message : received) {
      if (message.text.find(text) != std::string::npos) return true;
    }
    return false;
  }

  otr_conversation talk;
  std::deque<std::string> out;
  std::vector<std::string> sent;
  std::vector<otr_received> received;
  std::vector<otr_event> events;
  std::deque<std::string> waiting;
  std::string last_reason;
  message_security last_security = message_security::plaintext;
  std::uint64_t timer = 0;
  bool resubmits = true;

 private:
  void submit_waiting() {
    auto texts = std::exchange(waiting, {});
    while (!texts.empty()) {
      auto text = std::move(texts.front());
      texts.pop_front();
      if (say(std::move(text)) == otr_submission::verdict::deferred) break;
    }
    for (auto& text : texts) waiting.push_back(std::move(text));
  }
};

/// Delivers the oldest line of `from` to `to`; false if there is none.
inline bool deliver(otr_side& from, otr_side& to) {
  if (from.out.empty()) return false;
  const auto line = std::move(from.out.front());
  from.out.pop_front();
  to.hear(line);
  return true;
}

/// Delivers in turns until both are quiet (or `most` lines have passed, which
/// would be an endless exchange); the number of lines.
inline int exchange_all(otr_side& one, otr_side& other, int most = 1000) {
  int lines = 0;
  while (lines < most && (!one.out.empty() || !other.out.empty())) {
    lines += deliver(one, other) ? 1 : 0;
    lines += deliver(other, one) ? 1 : 0;
  }
  return lines;
}

inline bool encrypted(const otr_side& side) {
  return side.talk.state() == otr_state::unverified ||
         side.talk.state() == otr_state::verified;
}

/// A session of `version` that the first side has asked for.
inline void begin_session(otr_side& one, otr_side& other, int version = 3) {
  if (version == 3) {
    one.start();
  } else {
    other.hear("?OTRv2?");
  }
  exchange_all(one, other);
}

inline const std::string alice_id = "alice@localhost";
inline const std::string bob_id = "bob@localhost";

/// Two people with a key each.
struct couple {
  explicit couple(otr_policy policy = otr_policy::opportunistic,
                  otr_policy other = otr_policy::opportunistic)
      : alice(alice_id, bob_id, policy), bob(bob_id, alice_id, other) {}
  void begin(int version = 3) { test::begin_session(alice, bob, version); }
  void talk_both_ways(const std::string& mark) {
    using verdict = otr_submission::verdict;
    // With a space, which base64 never holds by chance.
    ASSERT_EQ(alice.say("from alice " + mark), verdict::sent);
    ASSERT_EQ(bob.say("from bob " + mark), verdict::sent);
    exchange_all(alice, bob);
    EXPECT_TRUE(bob.heard("from alice " + mark));
    EXPECT_TRUE(alice.heard("from bob " + mark));
  }
  otr_side alice;
  otr_side bob;
};

}  // namespace sotto::test
