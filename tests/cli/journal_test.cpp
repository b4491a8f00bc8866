#include "cli/journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

namespace sotto::cli {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::SizeIs;

constexpr auto at_once = 0ms;
/// Never reached where the code is right.
constexpr auto long_enough = 60s;

/// A journal that writes into memory.
class journal_fixture : public testing::Test {
 protected:
  journal_fixture() : out_(open_memstream(&text_, &size_)) {}
  ~journal_fixture() override {
    std::fclose(out_);
    std::free(text_);  // NOLINT: open_memstream's
  }
  journal_fixture(const journal_fixture&) = delete;
  journal_fixture& operator=(const journal_fixture&) = delete;

  std::vector<json> lines() {
    std::fflush(out_);
    std::vector<json> all;
    std::string_view rest{text_, size_};
    while (!rest.empty()) {
      const auto end = rest.find('\n');
      all.push_back(json::parse(rest.substr(0, end)));
      rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    }
    return all;
  }

  void link(const char* account, link_phase phase) {
    journal_.on_event(link_changed{account, phase, ""});
  }
  bool waits(const std::string& name,
             const std::map<std::string, std::string>& values) {
    return journal_.wait_for(name, values, at_once);
  }

 private:
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* out_;

 protected:
  journal journal_{out_};
};

using Journal = journal_fixture;

TEST_F(Journal, WritesALineForEachEventWithItsTime) {
  link("a@x", link_phase::online);
  journal_.tell({{"event", "help"}});
  const auto all = lines();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].at("event"), "link");
  EXPECT_EQ(all[1].at("event"), "help");
  for (const auto& each : all)
    EXPECT_THAT(each.at("time").get<std::string>(),
                testing::MatchesRegex("....-..-..T..:..:......Z"));
}

TEST_F(Journal, WritesNothingForWhatIsNotTold) {
  journal_.on_event(trace_added{});
  journal_.on_event(command_finished{1, {}});
  EXPECT_THAT(lines(), SizeIs(0));
}

// -- wait --------------------------------------------------------------------

TEST_F(Journal, FindsAnEventThatCameBefore) {
  link("a@x", link_phase::connecting);
  link("a@x", link_phase::online);
  link("a@x", link_phase::offline);
  EXPECT_TRUE(waits("link", {{"state", "online"}}));
  // Again: waiting does not use an event up.
  EXPECT_TRUE(waits("link", {{"state", "online"}}));
}

TEST_F(Journal, FindsAnEventThatComesWhileItWaits) {
  std::jthread later([this] { link("a@x", link_phase::online); });
  EXPECT_TRUE(journal_.wait_for("link", {{"state", "online"}}, long_enough));
}

TEST_F(Journal, WantsTheNameAndEveryValue) {
  link("a@x", link_phase::online);
  link("b@x", link_phase::offline);
  EXPECT_TRUE(waits("link", {{"account", "a@x"}, {"state", "online"}}));
  EXPECT_FALSE(waits("link", {{"account", "b@x"}, {"state", "online"}}));
  EXPECT_FALSE(waits("otr", {{"account", "a@x"}}));
  EXPECT_FALSE(waits("link", {{"colour", "red"}}));
  EXPECT_FALSE(waits("link", {{"state", "onlin"}}));
  EXPECT_FALSE(waits("link", {{"state", ""}}));
  EXPECT_TRUE(waits("link", {}));
  EXPECT_TRUE(waits("link", {{"error", ""}}));
}

TEST_F(Journal, FailsAfterTheTimeOut) {
  EXPECT_FALSE(waits("link", {}));
  EXPECT_FALSE(journal_.wait_for("link", {}, 1ms));
}

TEST_F(Journal, ComparesNumbersAndTruthAsTheyAreWritten) {
  journal_.tell({{"event", "otr"},
                 {"version", 3},
                 {"private", true},
                 {"nothing", nullptr}});
  EXPECT_TRUE(waits("otr", {{"version", "3"}, {"private", "true"}}));
  EXPECT_TRUE(waits("otr", {{"nothing", "null"}}));
  EXPECT_FALSE(waits("otr", {{"version", "03"}}));
}

TEST_F(Journal, IsContentWithOneElementOfAList) {
  journal_.tell({{"event", "roster"},
                 {"groups", {"Friends", "Doers"}},
                 {"numbers", {1, 2}},
                 {"empty", json::array()}});
  EXPECT_TRUE(waits("roster", {{"groups", "Friends"}}));
  EXPECT_TRUE(waits("roster", {{"groups", "Doers"}, {"numbers", "2"}}));
  EXPECT_FALSE(waits("roster", {{"groups", "Friend"}}));
  EXPECT_FALSE(waits("roster", {{"empty", ""}}));
}

TEST_F(Journal, WaitsForTextsWithAnyCharacters) {
  message_view row;
  row.text = "a = b, \"c\" \\ 漢字\nd";
  journal_.on_event(message_changed{"a@x", "b@x", row});
  EXPECT_TRUE(waits("message", {{"text", row.text}}));
}

TEST_F(Journal, StopsWaitingWhenInterrupted) {
  std::jthread later([this] { journal_.interrupt(); });
  EXPECT_FALSE(journal_.wait_for("link", {}, long_enough));
  EXPECT_FALSE(journal_.wait_finished(1, long_enough));
}

// -- finished commands -------------------------------------------------------

TEST_F(Journal, GivesHowACommandEnded) {
  journal_.on_event(command_finished{1, {}});
  journal_.on_event(command_finished{2, error{errc::refused, "No."}});
  const auto second = journal_.wait_finished(2, at_once);
  ASSERT_TRUE(second);
  ASSERT_TRUE(second->failure);
  EXPECT_EQ(second->failure->message, "No.");
  const auto first = journal_.wait_finished(1, at_once);
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->failure);
}

TEST_F(Journal, WaitsForACommandToEnd) {
  std::jthread later([this] {
    journal_.on_event(command_finished{6, {}});
    journal_.on_event(command_finished{7, {}});
  });
  const auto done = journal_.wait_finished(7, long_enough);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->id, 7u);
}

TEST_F(Journal, GivesNothingForACommandThatDoesNotEnd) {
  journal_.on_event(command_finished{1, {}});
  EXPECT_FALSE(journal_.wait_finished(2, at_once));
}

// -- snapshots and errors ----------------------------------------------------

TEST_F(Journal, DoesNotWaitWhereASnapshotHoldsAll) {
  link("a@x", link_phase::online);
  journal_.on_published();
  // Each would take a second if it waited: far beyond this test's own limit.
  for (int i = 0; i < 1'000; ++i) journal_.wait_published();
}

TEST_F(Journal, HasFailedOnceACommandHas) {
  link("a@x", link_phase::failed);
  EXPECT_FALSE(journal_.has_failed());
  journal_.tell({{"event", "error"}, {"command", "x"}, {"reason", "y"}});
  EXPECT_TRUE(journal_.has_failed());
  link("a@x", link_phase::online);
  EXPECT_TRUE(journal_.has_failed());
}

TEST_F(Journal, HasNotFailedByWhatWentWrongByItself) {
  journal_.on_event(engine_failed{"", "The disk is full."});
  EXPECT_FALSE(journal_.has_failed());
}

TEST_F(Journal, LosesNothingOfManyThreads) {
  constexpr int threads = 4;
  constexpr int each = 500;
  {
    std::vector<std::jthread> writers;
    writers.reserve(threads);
    for (int i = 0; i < threads; ++i)
      writers.emplace_back([this, i] {
        for (int n = 0; n < each; ++n)
          journal_.tell({{"event", "n"}, {"of", i}, {"n", n}});
      });
  }
  std::vector<int> next(threads, 0);
  int out_of_order = 0;
  for (const auto& line : lines()) {
    auto& expected = next[line.at("of").get<std::size_t>()];
    out_of_order += line.at("n") == expected ? 0 : 1;
    ++expected;
  }
  EXPECT_THAT(next, ElementsAre(each, each, each, each));
  EXPECT_EQ(out_of_order, 0);
  std::printf("%d lines of %d threads, %d out of order\n", threads * each,
              threads, out_of_order);
}

}  // namespace
}  // namespace sotto::cli
