// R16: nothing is ever sent by itself to a key that the user has not accepted.

#include <gtest/gtest.h>

#include <iostream>

#include "crypto/otr_conversation.hpp"
#include "crypto/otr_session.hpp"
#include "tests/support/bare_otr.hpp"
#include "tests/support/otr_pair.hpp"

namespace sotto {
namespace {

using test::bare_otr;
using test::encrypted;
using test::exchange_all;
using test::otr_side;

constexpr int runs = 50;
constexpr std::string_view canary = "attack at dawn";
const std::string alice_id = "alice@localhost";
const std::string bob_id = "bob@localhost";

/// The attacker's own key, with the instance tag of Bob where it is to pass
/// for his device.
std::shared_ptr<const otr_identity> attacker_identity(bool bobs_tag) {
  auto own = test::identity_of(bob_id, 99);
  if (!bobs_tag) return own;
  auto forged = own->serialized();
  const auto tag = test::identity_of(bob_id)->instance_tag();
  for (unsigned i = 0; i < 4; ++i) {
    forged.writable()[4 + i] = static_cast<std::byte>(tag >> (24 - 8 * i));
  }
  return *otr_identity::parse(bob_id, forged);
}

struct figures {
  int sessions = 0;  ///< the attacker got a session with the victim
  int recovered = 0;
  int resent = 0;  ///< the victim sent a data message by itself
};

int data_lines(const std::vector<std::string>& lines) {
  int found = 0;
  for (const auto& line : lines) {
    found += line.starts_with("?OTR:AAMD") || line.starts_with("?OTR:AAID");
  }
  return found;
}

/// The attacker, who owns the server, exchanges keys with the victim as Bob.
void attack(otr_side& alice, int version, bool with_error, bool bobs_tag,
            figures& sum) {
  alice.out.clear();  // nothing reaches Bob any more
  const auto before = data_lines(alice.sent);
  otr_side mallory(bob_id, alice_id, otr_policy::opportunistic, -1);
  mallory.take(mallory.talk.set_identity(attacker_identity(bobs_tag)));
  if (with_error) alice.hear("?OTR Error: You transmitted an unreadable one.");
  if (version == 2) {
    mallory.hear("?OTRv2?");  // so that she commits in version 2
  } else {
    mallory.start();
  }
  exchange_all(mallory, alice);
  sum.sessions += encrypted(mallory) ? 1 : 0;
  alice.say("and " + std::string(canary) + " again");
  exchange_all(mallory, alice);
  sum.recovered += mallory.heard(canary) ? 1 : 0;
  sum.resent += data_lines(alice.sent) - before;
}

void print(const char* script, const figures& sum) {
  std::cout << script << ": " << runs << " runs, " << sum.sessions
            << " sessions with the attacker, " << sum.resent
            << " messages sent to it, " << sum.recovered
            << " plaintexts recovered\n";
}

void expect_nothing_lost(const figures& sum) {
  EXPECT_EQ(sum.sessions, runs);
  EXPECT_EQ(sum.resent, 0);
  EXPECT_EQ(sum.recovered, 0);
}

/// In the middle of a session, after text was sent.
figures attack_sessions(bool with_error, bool verified) {
  figures sum;
  for (int run = 0; run < runs; ++run) {
    const int version = run % 2 == 0 ? 3 : 2;
    otr_side alice(alice_id, bob_id);
    otr_side bob(bob_id, alice_id);
    test::begin_session(alice, bob, version);
    if (verified) alice.verify_peer();
    alice.say(std::string(canary));
    EXPECT_EQ(data_lines(alice.sent), 1);
    attack(alice, version, with_error, run % 4 < 2, sum);
    EXPECT_EQ(alice.talk.peer_standing(), verified
                                              ? key_standing::changed_verified
                                              : key_standing::changed);
    EXPECT_EQ(alice.waiting.size(), 1U);
  }
  return sum;
}

TEST(otr_mitm, a_fresh_key_exchange_in_a_verified_session_recovers_nothing) {
  const auto sum = attack_sessions(false, true);
  print("key exchange, verified", sum);
  expect_nothing_lost(sum);
}

TEST(otr_mitm, an_injected_error_and_a_key_exchange_recover_nothing) {
  const auto sum = attack_sessions(true, true);
  print("error and key exchange, verified", sum);
  expect_nothing_lost(sum);
}

TEST(otr_mitm, a_first_session_that_is_unverified_is_no_easier) {
  auto sum = attack_sessions(false, false);
  print("key exchange, first session", sum);
  expect_nothing_lost(sum);
  sum = attack_sessions(true, false);
  print("error and key exchange, first session", sum);
  expect_nothing_lost(sum);
}

/// Before any session: text waits, and the attacker is the first to exchange
/// keys. Its key is the contact's first then, which nobody can tell; but it
/// is the owner who decides what is submitted to it, nothing goes by itself.
TEST(otr_mitm, at_first_contact_nothing_goes_by_itself) {
  for (const bool with_error : {false, true}) {
    figures sum;
    for (int run = 0; run < runs; ++run) {
      otr_side alice(alice_id, bob_id, otr_policy::required);
      alice.resubmits = false;
      alice.say(std::string(canary));
      alice.out.clear();
      otr_side mallory(bob_id, alice_id, otr_policy::opportunistic, 99);
      if (with_error) alice.hear("?OTR Error: x");
      mallory.hear(run % 2 == 0 ? "?OTRv3?" : "?OTRv2?");
      exchange_all(mallory, alice);
      sum.sessions += encrypted(mallory) ? 1 : 0;
      sum.recovered += mallory.heard(canary) ? 1 : 0;
      sum.resent += data_lines(alice.sent);
    }
    print(with_error ? "error, first contact" : "first contact", sum);
    expect_nothing_lost(sum);
  }
}

TEST(otr_mitm, libotr_holds_no_text_after_any_call) {
  auto alice = otr_session::open(*test::identity_of(alice_id), bob_id);
  auto bob = otr_session::open(*test::identity_of(bob_id), alice_id);
  ASSERT_TRUE(alice && bob);
  std::deque<std::string> to_alice = {"?OTRv3?"};
  std::deque<std::string> to_bob;
  while (!to_alice.empty() || !to_bob.empty()) {
    auto& queue = to_alice.empty() ? to_bob : to_alice;
    auto& reader = to_alice.empty() ? *bob : *alice;
    auto& answers = to_alice.empty() ? to_alice : to_bob;
    const auto line = queue.front();
    queue.pop_front();
    for (auto& answer : reader->receive(line).wire) answers.push_back(answer);
  }
  const auto instance = test::identity_of(bob_id)->instance_tag();
  const auto sent = (*alice)->encrypt(instance, std::string(canary));
  ASSERT_EQ(sent.wire.size(), 1U);
  EXPECT_FALSE((*alice)->holds_text());
  EXPECT_EQ((*bob)->receive(sent.wire[0]).decrypted, canary);
  EXPECT_FALSE((*bob)->holds_text());
  EXPECT_EQ((*alice)->contexts(), 2U);
  EXPECT_TRUE((*alice)->encrypt(instance + 1, "x").wire.empty());
}

/// The scripts are worth something: libotr alone gives the text away.
TEST(otr_mitm, the_same_scripts_recover_text_from_bare_libotr) {
  int by_exchange = 0;
  int by_error = 0;
  const auto pump = [](bare_otr& one, bare_otr& other) {
    for (int lines = 0; lines < 100; ++lines) {
      auto& from = one.out.empty() ? other : one;
      auto& to = one.out.empty() ? one : other;
      if (from.out.empty()) return;
      const auto line = from.out.front();
      from.out.pop_front();
      to.hear(line);
    }
  };
  const auto alice_key = test::identity_of(alice_id);
  const auto mallory_key = attacker_identity(true);
  for (int run = 0; run < runs; ++run) {
    bare_otr first(*alice_key, bob_id, OTRL_POLICY_ALWAYS);
    first.say(canary.data());
    first.out.clear();
    bare_otr mallory(*mallory_key, alice_id, OTRL_POLICY_MANUAL);
    mallory.hear("?OTRv23?");
    pump(mallory, first);
    by_exchange += mallory.heard(canary) ? 1 : 0;

    bare_otr alice(*alice_key, bob_id, OTRL_POLICY_MANUAL);
    bare_otr bob(*test::identity_of(bob_id), alice_id, OTRL_POLICY_MANUAL);
    bob.hear("?OTRv2?");
    pump(bob, alice);
    alice.say(canary.data());
    alice.out.clear();
    bare_otr second(*mallory_key, alice_id, OTRL_POLICY_MANUAL);
    alice.hear("?OTR Error: x");
    second.hear("?OTRv2?");
    pump(second, alice);
    by_error += second.heard(canary) ? 1 : 0;
  }
  std::cout << "bare libotr: " << runs << " runs, " << by_exchange
            << " plaintexts by a first key exchange, " << by_error
            << " by an error and a key exchange\n";
  EXPECT_EQ(by_exchange, runs);
  EXPECT_EQ(by_error, runs);
}

}  // namespace
}  // namespace sotto
