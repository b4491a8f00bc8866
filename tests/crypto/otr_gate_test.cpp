#include "crypto/otr_gate.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <iostream>

#include "crypto/otr_wire.hpp"
#include "tests/support/otr_pair.hpp"

namespace sotto {
namespace {

using test::exchange_all;
using test::otr_side;
using verdict = otr_submission::verdict;

constexpr std::array all_policies = {otr_policy::opportunistic,
                                     otr_policy::automatic,
                                     otr_policy::required, otr_policy::never};
constexpr std::array all_states = {otr_state::plaintext, otr_state::starting,
                                   otr_state::timed_out, otr_state::unverified,
                                   otr_state::verified,  otr_state::finished};
constexpr std::array all_standings = {
    key_standing::first, key_standing::known, key_standing::verified,
    key_standing::changed, key_standing::changed_verified};

TEST(otr_gate, lets_clear_text_go_only_where_nothing_wants_it_private) {
  int cells = 0;
  int clear = 0;
  for (const auto policy : all_policies) {
    for (const auto state : all_states) {
      for (const auto standing : all_standings) {
        for (unsigned bits = 0; bits < 16; ++bits) {
          const gate_input input{.policy = policy,
                                 .state = state,
                                 .latched = (bits & 1) != 0,
                                 .suspended = (bits & 2) != 0,
                                 .has_identity = (bits & 4) != 0,
                                 .rekeying = (bits & 8) != 0,
                                 .standing = standing};
          const auto action = decide(input);
          ++cells;
          const bool stands =
              state == otr_state::unverified || state == otr_state::verified;
          if (action == gate_action::send_clear) {
            ++clear;
            EXPECT_NE(policy, otr_policy::required);
            if (policy != otr_policy::never) {
              EXPECT_EQ(state, otr_state::plaintext);
              EXPECT_FALSE(input.latched);
              EXPECT_TRUE(policy == otr_policy::opportunistic ||
                          input.suspended);
            }
          } else if (action == gate_action::encrypt) {
            EXPECT_TRUE(stands);
            EXPECT_TRUE(allows_sending(standing));
            EXPECT_FALSE(input.rekeying);
          } else {
            EXPECT_FALSE(wait_reason(input).empty());
            if (action == gate_action::start_and_wait) {
              EXPECT_TRUE(input.has_identity);
              EXPECT_FALSE(stands);
            }
          }
        }
      }
    }
  }
  std::cout << cells << " cells, " << clear << " of them in the clear\n";
}

TEST(otr_gate, the_last_look_stops_what_is_not_otr) {
  EXPECT_TRUE(may_leave("?OTR:AAMD", true));
  EXPECT_FALSE(may_leave("hello ?OTR", true));
  EXPECT_FALSE(may_leave("", true));
  EXPECT_TRUE(may_leave("hello", false));
  EXPECT_FALSE(is_encrypted_text("?OTR Error: could not encrypt"));
  EXPECT_FALSE(is_encrypted_text("?OTRv23?"));
}

constexpr std::string_view canary = "a canary sings";

/// Alice, whose wire is watched, her contact, and a model, kept apart from
/// the code, of when encryption is due.
struct scene {
  explicit scene(otr_policy chosen)
      : policy(chosen),
        alice(std::make_unique<otr_side>("alice@localhost", "bob@localhost",
                                         chosen)),
        bob(std::make_unique<otr_side>("bob@localhost", "alice@localhost")) {}

  void settle() {
    exchange_all(*alice, *bob);
    note();
  }
  /// To be called after whatever may have made a session.
  void note() {
    if (test::encrypted(*alice)) {
      was_private = true;
      user_ended = false;
    }
  }
  bool due() const {
    if (policy == otr_policy::never) return false;
    return policy == otr_policy::required || was_private ||
           (policy == otr_policy::automatic && !user_ended) ||
           alice->talk.state() == otr_state::starting ||
           alice->talk.state() == otr_state::timed_out;
  }
  void set_policy(otr_policy chosen) {
    if (policy != chosen) user_ended = false;
    policy = chosen;
    if (chosen == otr_policy::never) was_private = false;
    alice->waiting.clear();  // the owner's duty: an explicit act
    alice->take(alice->talk.set_policy(chosen));
  }
  void attack() {
    otr_side mallory("bob@localhost", "alice@localhost",
                     otr_policy::opportunistic, 7);
    mallory.start();
    exchange_all(mallory, *alice);
    note();
  }
  void restart() {
    auto again = std::make_unique<otr_side>("alice@localhost", "bob@localhost",
                                            policy, 0, alice->talk.keys(),
                                            alice->talk.latched());
    again->sent = alice->sent;
    alice = std::move(again);
    user_ended = false;
  }

  otr_policy policy;
  std::unique_ptr<otr_side> alice;
  std::unique_ptr<otr_side> bob;
  bool was_private = false;
  bool user_ended = false;
};

struct act {
  const char* name;
  std::function<void(scene&)> run;
};

void start(scene& set) {
  if (set.policy == otr_policy::never) return;
  set.user_ended = false;
  set.alice->start();
}
void be_private(scene& set) {
  start(set);
  set.settle();
}
void end(scene& set) {
  set.was_private = false;
  set.user_ended = true;
  set.alice->end();
}
void say(scene& set) {
  set.alice->say(std::string(canary));
  set.note();
}

const std::vector<act>& situations() {
  static const std::vector<act> all = {
      {"plaintext", [](scene&) {}},
      {"starting", start},
      {"started by the contact",
       [](scene& set) { set.alice->hear("?OTRv3?"); }},
      {"timed out",
       [](scene& set) {
         start(set);
         set.alice->out.clear();
         set.alice->time_out();
       }},
      {"unverified", be_private},
      {"verified",
       [](scene& set) {
         be_private(set);
         set.alice->verify_peer();
       }},
      {"changed key",
       [](scene& set) {
         be_private(set);
         set.attack();
       }},
      {"finished",
       [](scene& set) {
         be_private(set);
         set.bob->end();
         set.settle();
       }},
      {"ended",
       [](scene& set) {
         be_private(set);
         end(set);
       }},
  };
  return all;
}

const std::vector<act>& events() {
  static const std::vector<act> all = {
      {"send", say},
      {"start", start},
      {"start and answer", be_private},
      {"end", end},
      {"finish by the contact",
       [](scene& set) {
         set.bob->end();
         set.settle();
       }},
      {"time-out", [](scene& set) { set.alice->time_out(); }},
      {"refresh",
       [](scene& set) {
         if (auto step = set.alice->talk.refresh()) set.alice->take(*step);
       }},
      {"injected clear text", [](scene& set) { set.alice->hear("hello"); }},
      {"injected query", [](scene& set) { set.alice->hear("?OTRv23?"); }},
      {"injected error",
       [](scene& set) { set.alice->hear("?OTR Error: resend"); }},
      {"garbage",
       [](scene& set) { set.alice->hear("?OTR:AAMDAAAAAAAAAAAA."); }},
      {"changed key", [](scene& set) { set.attack(); }},
      {"restart", [](scene& set) { set.restart(); }},
      {"key taken away",
       [](scene& set) { set.alice->take(set.alice->talk.set_identity({})); }},
      {"key replaced",
       [](scene& set) {
         set.alice->take(set.alice->talk.set_identity(
             test::identity_of("alice@localhost", 3)));
       }},
      {"verify", [](scene& set) { set.alice->verify_peer(); }},
      {"distrust",
       [](scene& set) { set.alice->take(set.alice->talk.distrust()); }},
      {"policy opportunistic",
       [](scene& set) { set.set_policy(otr_policy::opportunistic); }},
      {"policy automatic",
       [](scene& set) { set.set_policy(otr_policy::automatic); }},
      {"policy required",
       [](scene& set) { set.set_policy(otr_policy::required); }},
      {"policy never", [](scene& set) { set.set_policy(otr_policy::never); }},
      {"poll", [](scene& set) { set.alice->take(set.alice->talk.poll()); }},
  };
  return all;
}

/// After the event a canary is submitted, everything is delivered, and one
/// more is submitted; each only looked for where encryption is due.
bool canary_kept(scene& set, int& in_clear) {
  for (int round = 0; round < 2; ++round) {
    set.note();
    const bool due = set.due();
    const auto lines = set.alice->sent.size();
    const bool expected = set.alice->talk.private_expected();
    if (due != expected) {
      ADD_FAILURE() << "private_expected() says " << expected;
    }
    say(set);
    for (auto i = lines; i < set.alice->sent.size(); ++i) {
      const auto& line = set.alice->sent[i];
      const bool leaked = line.find(canary) != std::string::npos;
      if (leaked && due) return false;
      in_clear += leaked ? 1 : 0;
      if (!leaked && !line.starts_with(otr_prefix)) return false;
    }
    set.settle();
  }
  return true;
}

TEST(otr_gate, no_canary_is_seen_where_encryption_is_due) {
  int cells = 0;
  int in_clear = 0;
  int leaks = 0;
  for (const auto policy : all_policies) {
    for (const auto& situation : situations()) {
      for (const auto& event : events()) {
        scene set(policy);
        SCOPED_TRACE(std::string(to_string(policy)) + ", " + situation.name +
                     ", " + event.name);
        situation.run(set);
        // What is typed in the situation must not leak by the event either.
        set.note();
        const bool typed_private = set.due();
        say(set);
        const auto lines = set.alice->sent.size();
        event.run(set);
        set.note();
        for (auto i = lines; i < set.alice->sent.size(); ++i) {
          if (set.alice->sent[i].find(canary) != std::string::npos &&
              (typed_private || set.due())) {
            ++leaks;
            ADD_FAILURE() << "the waiting text went in the clear";
          }
        }
        if (!canary_kept(set, in_clear)) {
          ++leaks;
          ADD_FAILURE() << "a text went in the clear";
        }
        ++cells;
      }
    }
  }
  std::cout << cells << " cells (state, policy, event), " << leaks
            << " leaks; where it was not due " << in_clear
            << " texts went in the clear\n";
  EXPECT_GE(cells, 700);
  EXPECT_GT(in_clear, 100);
}

}  // namespace
}  // namespace sotto
