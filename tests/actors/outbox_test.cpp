#include "actors/outbox.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <random>
#include <string>
#include <vector>

namespace sotto {
namespace {

outbox::entry entry_of(const std::string& id, bool must_be_private = false) {
  outbox::entry made;
  made.message.id = id;
  made.message.outgoing = true;
  made.message.text = "text of " + id;
  made.must_be_private = must_be_private;
  return made;
}

outbox filled(const std::vector<std::string>& ids) {
  outbox box;
  for (const auto& id : ids) box.push(entry_of(id));
  return box;
}

std::string next_id(outbox& box) {
  const auto next = box.next();
  return next ? next->message.id : "nothing";
}

TEST(outbox, gives_nothing_while_it_is_empty) {
  outbox box;
  EXPECT_TRUE(box.empty());
  EXPECT_EQ(box.size(), 0U);
  EXPECT_FALSE(box.next());
}

TEST(outbox, gives_the_messages_in_the_order_in_which_they_came) {
  auto box = filled({"1", "2", "3"});
  for (const std::string id : {"1", "2", "3"}) {
    EXPECT_EQ(next_id(box), id);
    const auto sent = box.done(id, message_state::sent);
    ASSERT_TRUE(sent);
    EXPECT_EQ(sent->id, id);
    EXPECT_EQ(sent->text, "text of " + id);
    EXPECT_EQ(sent->state, message_state::sent);
  }
  EXPECT_TRUE(box.empty());
  EXPECT_FALSE(box.next());
}

TEST(outbox, has_one_message_under_way_at_a_time) {
  auto box = filled({"1", "2"});
  EXPECT_EQ(next_id(box), "1");
  EXPECT_FALSE(box.next());
  box.push(entry_of("3"));
  EXPECT_FALSE(box.next());
  EXPECT_EQ(box.size(), 3U);
  EXPECT_TRUE(box.done("1", message_state::sent));
  EXPECT_EQ(next_id(box), "2");
}

TEST(outbox, keeps_a_deferred_message_first_in_line) {
  auto box = filled({"1", "2"});
  EXPECT_EQ(next_id(box), "1");
  const auto deferred = box.defer("1", "waits", false);
  ASSERT_TRUE(deferred);
  EXPECT_EQ(deferred->id, "1");
  EXPECT_EQ(deferred->note, "waits");
  EXPECT_EQ(deferred->state, message_state::queued);
  EXPECT_EQ(box.size(), 2U);
  const auto again = box.next();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->message.id, "1");
  EXPECT_EQ(again->message.note, "waits");
  EXPECT_FALSE(again->must_be_private);
}

TEST(outbox, what_had_to_be_private_once_has_to_be_for_good) {
  auto box = filled({"1", "2"});
  EXPECT_EQ(next_id(box), "1");
  ASSERT_TRUE(box.defer("1", "waits for a private conversation", true));
  EXPECT_TRUE(box.next()->must_be_private);
  ASSERT_TRUE(box.defer("1", "waits for the link", false));
  EXPECT_TRUE(box.next()->must_be_private);
  // Only the message that was deferred.
  ASSERT_TRUE(box.done("1", message_state::sent));
  EXPECT_FALSE(box.next()->must_be_private);
}

TEST(outbox, keeps_what_a_message_was_written_for) {
  outbox box;
  box.push(entry_of("1", true));
  EXPECT_TRUE(box.next()->must_be_private);
  box.interrupted();
  EXPECT_TRUE(box.next()->must_be_private);
}

TEST(outbox, notes_how_the_message_under_way_travels) {
  auto box = filled({"1", "2"});
  EXPECT_EQ(next_id(box), "1");
  const auto secured = box.secured("1", message_security::verified);
  ASSERT_TRUE(secured);
  EXPECT_EQ(secured->security, message_security::verified);
  EXPECT_FALSE(box.secured("2", message_security::verified));
  const auto sent = box.done("1", message_state::sent);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->security, message_security::verified);
  EXPECT_EQ(box.next()->message.security, message_security::plaintext);
}

TEST(outbox, what_is_done_takes_its_state_and_note_along) {
  auto box = filled({"1"});
  EXPECT_EQ(next_id(box), "1");
  ASSERT_TRUE(box.defer("1", "waits", false));
  EXPECT_EQ(next_id(box), "1");
  const auto failed = box.done("1", message_state::failed, "too long");
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->state, message_state::failed);
  EXPECT_EQ(failed->note, "too long");
}

TEST(outbox, a_sent_message_no_longer_says_why_it_waited) {
  auto box = filled({"1"});
  EXPECT_EQ(next_id(box), "1");
  ASSERT_TRUE(box.defer("1", "waits", false));
  EXPECT_EQ(next_id(box), "1");
  EXPECT_EQ(box.done("1", message_state::sent)->note, "");
}

TEST(outbox, word_of_another_message_changes_nothing) {
  auto box = filled({"1", "2"});
  EXPECT_EQ(next_id(box), "1");
  for (const std::string id : {"2", "unknown", ""}) {
    EXPECT_FALSE(box.defer(id, "waits", true));
    EXPECT_FALSE(box.secured(id, message_security::verified));
    EXPECT_FALSE(box.done(id, message_state::sent));
    EXPECT_FALSE(box.next()) << "one is still under way after '" << id << "'";
  }
  EXPECT_EQ(box.size(), 2U);
  const auto first = box.done("1", message_state::sent);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->note, "");
  EXPECT_EQ(first->security, message_security::plaintext);
  EXPECT_FALSE(box.next()->must_be_private);
}

TEST(outbox, what_is_not_under_way_is_neither_deferred_nor_secured) {
  auto box = filled({"1"});
  EXPECT_FALSE(box.defer("1", "waits", true));
  EXPECT_FALSE(box.secured("1", message_security::verified));
  const auto next = box.next();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->message.note, "");
  EXPECT_EQ(next->message.security, message_security::plaintext);
  EXPECT_FALSE(next->must_be_private);
}

TEST(outbox, a_message_that_was_interrupted_goes_again_and_first) {
  auto box = filled({"1", "2"});
  EXPECT_EQ(next_id(box), "1");
  box.interrupted();
  EXPECT_EQ(box.size(), 2U);
  EXPECT_EQ(next_id(box), "1");
  EXPECT_FALSE(box.next());
}

TEST(outbox, interrupting_nothing_changes_nothing) {
  outbox box;
  box.interrupted();
  EXPECT_FALSE(box.next());
  box.push(entry_of("1"));
  box.interrupted();
  EXPECT_EQ(next_id(box), "1");
}

// The server took it although the actor that sent it is gone: sent again, the
// contact would read it twice.
TEST(outbox, an_acceptance_after_an_interruption_takes_the_message_out) {
  auto box = filled({"1", "2"});
  EXPECT_EQ(next_id(box), "1");
  box.interrupted();
  const auto sent = box.done("1", message_state::sent);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->id, "1");
  EXPECT_EQ(sent->state, message_state::sent);
  EXPECT_EQ(box.size(), 1U);
  EXPECT_EQ(next_id(box), "2");
}

TEST(outbox, an_acceptance_that_comes_twice_counts_once) {
  auto box = filled({"1", "2"});
  EXPECT_EQ(next_id(box), "1");
  box.interrupted();
  EXPECT_EQ(next_id(box), "1");
  ASSERT_TRUE(box.done("1", message_state::sent));
  EXPECT_EQ(next_id(box), "2");
  EXPECT_FALSE(box.done("1", message_state::sent));
  EXPECT_FALSE(box.next()) << "2 is still under way";
  EXPECT_EQ(box.size(), 1U);
}

TEST(outbox, a_late_refusal_after_an_interruption_changes_nothing) {
  auto box = filled({"1", "2"});
  EXPECT_EQ(next_id(box), "1");
  box.interrupted();
  EXPECT_FALSE(box.defer("1", "waits", true));
  EXPECT_EQ(box.size(), 2U);
  const auto again = box.next();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->message.id, "1");
  EXPECT_FALSE(again->must_be_private);
}

TEST(outbox, fails_all_that_waits_in_order) {
  auto box = filled({"1", "2", "3"});
  const auto failed = box.fail_waiting("given up");
  ASSERT_EQ(failed.size(), 3U);
  for (std::size_t i = 0; i < failed.size(); ++i) {
    EXPECT_EQ(failed[i].id, std::to_string(i + 1));
    EXPECT_EQ(failed[i].state, message_state::failed);
    EXPECT_EQ(failed[i].note, "given up");
  }
  EXPECT_TRUE(box.empty());
  EXPECT_TRUE(box.fail_waiting("again").empty());
}

TEST(outbox, fails_only_what_must_be_private_where_that_is_asked) {
  outbox box;
  box.push(entry_of("1", true));
  box.push(entry_of("2"));
  box.push(entry_of("3", true));
  EXPECT_EQ(next_id(box), "1");
  const auto failed = box.fail_private("given up");
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].id, "3");
  EXPECT_EQ(failed[0].state, message_state::failed);
  EXPECT_EQ(failed[0].note, "given up");
  ASSERT_TRUE(box.done("1", message_state::sent));
  EXPECT_EQ(next_id(box), "2");
}

TEST(outbox, makes_all_that_is_there_private) {
  auto box = filled({"1", "2"});
  box.make_private();
  box.push(entry_of("3"));
  EXPECT_EQ(box.fail_private("given up").size(), 2U);
  EXPECT_EQ(next_id(box), "3");
}

TEST(outbox, does_not_fail_what_is_under_way) {
  auto box = filled({"1", "2", "3"});
  EXPECT_EQ(next_id(box), "1");
  const auto failed = box.fail_waiting("given up");
  ASSERT_EQ(failed.size(), 2U);
  EXPECT_EQ(failed[0].id, "2");
  EXPECT_EQ(failed[1].id, "3");
  EXPECT_EQ(box.size(), 1U);
  EXPECT_FALSE(box.next());
  const auto sent = box.done("1", message_state::sent);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->note, "");
  EXPECT_TRUE(box.empty());
}

TEST(outbox, fails_what_was_deferred_or_interrupted) {
  auto deferred = filled({"1"});
  EXPECT_EQ(next_id(deferred), "1");
  ASSERT_TRUE(deferred.defer("1", "waits", true));
  EXPECT_EQ(deferred.fail_waiting("given up").size(), 1U);
  auto interrupted = filled({"1"});
  EXPECT_EQ(next_id(interrupted), "1");
  interrupted.interrupted();
  EXPECT_EQ(interrupted.fail_waiting("given up").size(), 1U);
  EXPECT_FALSE(interrupted.done("1", message_state::sent));
}

/// Drives an outbox at random, with late and doubled words among the right
/// ones, and writes down what left it.
class random_run {
 public:
  explicit random_run(unsigned seed) : random_(seed) {}

  void step() {
    switch (random_() % 8) {
      case 0:
      case 1:
        return push();
      case 2:
      case 3:
        return take_next();
      case 4:
      case 5:
        return finish(any_id());
      case 6:
        if (box_.defer(any_id(), "waits", false)) under_way_.clear();
        return;
      default:
        return random_() % 100 == 0 ? fail() : interrupt();
    }
  }

  /// Everything that is left, one after the other.
  void drain() {
    interrupt();
    for (auto left = box_.size(); left > 0; --left) {
      take_next();
      finish(under_way_);
    }
  }

  std::size_t pushed() const { return pushed_; }
  std::size_t failed() const { return failed_; }
  const std::vector<std::size_t>& gone() const { return gone_; }

 private:
  void push() { box_.push(entry_of(std::to_string(pushed_++))); }
  void take_next() {
    const auto next = box_.next();
    if (!next) return;
    EXPECT_EQ(under_way_, "") << "two at a time";
    EXPECT_EQ(next->message.id, std::to_string(gone_.size()));
    under_way_ = next->message.id;
  }
  void finish(const std::string& id) {
    const auto sent = box_.done(id, message_state::sent);
    if (!sent) return;
    gone_.push_back(std::stoul(sent->id));
    under_way_.clear();
  }
  void fail() {
    // Only with nothing under way, so that the order of all can be told.
    if (!under_way_.empty()) return;
    for (const auto& message : box_.fail_waiting("given up")) {
      gone_.push_back(std::stoul(message.id));
      ++failed_;
    }
  }
  void interrupt() {
    box_.interrupted();
    under_way_.clear();
  }
  /// Mostly the first that waits; at times one that left, or comes later.
  std::string any_id() {
    const auto front = gone_.size();
    if (random_() % 2 == 0) return std::to_string(front);
    return std::to_string((front < 2 ? 0 : front - 2) + random_() % 5);
  }

  std::mt19937 random_;
  outbox box_;
  std::string under_way_;
  std::size_t pushed_ = 0;
  std::size_t failed_ = 0;
  std::vector<std::size_t> gone_;
};

TEST(outbox, loses_doubles_and_reorders_nothing_whatever_happens) {
  const unsigned seed = std::random_device{}();
  constexpr int steps = 20'000;
  random_run run{seed};
  for (int i = 0; i < steps && !HasFailure(); ++i) run.step();
  run.drain();
  std::cout << "seed " << seed << ": " << steps << " steps, " << run.pushed()
            << " messages, " << run.failed() << " failed\n";
  ASSERT_EQ(run.gone().size(), run.pushed()) << "lost or doubled";
  for (std::size_t i = 0; i < run.gone().size(); ++i)
    ASSERT_EQ(run.gone()[i], i) << "out of order";
}

}  // namespace
}  // namespace sotto
