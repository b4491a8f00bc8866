#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "actors/snapshot_builder.hpp"

namespace sotto {
namespace {

contact_changed contact_named(int number, const std::string& presence) {
  contact_view view;
  view.account = "terrence@localhost";
  view.contact = "contact" + std::to_string(number) + "@localhost";
  view.presence = presence;
  return {view};
}

// Run under ThreadSanitizer: the hand-over is the only thing that the engine
// and a front end share.
TEST(snapshot_cell, readers_see_whole_snapshots_in_order_while_one_writes) {
  constexpr int contacts = 300;
  constexpr std::uint64_t rounds = 200;
  snapshot_cell cell;
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> torn{0};
  std::atomic<std::uint64_t> backwards{0};
  std::vector<std::jthread> readers;
  readers.reserve(3);
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&] {
      std::uint64_t last = 0;
      while (!done) {
        const auto view = cell.load();
        if (view->version < last) ++backwards;
        last = view->version;
        if (view->version == 0) continue;
        const auto& first = view->contacts[0].presence;
        for (std::size_t i = 0; i < view->contacts.size(); ++i)
          if (view->contacts[i].presence != first) ++torn;
      }
    });
  }
  snapshot_builder builder;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (int i = 0; i < contacts; ++i)
      builder.fold(contact_named(i, round % 2 == 0 ? "available" : "away"));
    cell.publish(builder.freeze());
  }
  done = true;
  readers.clear();
  EXPECT_EQ(torn, 0U);
  EXPECT_EQ(backwards, 0U);
  EXPECT_EQ(cell.load()->version, rounds);
  EXPECT_EQ(cell.load()->contacts.size(), std::size_t{contacts});
}

}  // namespace
}  // namespace sotto
