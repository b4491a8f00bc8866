#include "protocol/presence_table.hpp"

#include <gtest/gtest.h>

namespace sotto {
namespace {

jid address(const std::string& text) { return *jid::parse(text); }

presence_stanza available(const std::string& from, int priority = 0,
                          presence_show show = presence_show::none) {
  presence_stanza presence;
  presence.from = address(from);
  presence.priority = priority;
  presence.show = show;
  return presence;
}

presence_stanza unavailable(const std::string& from) {
  presence_stanza presence = available(from);
  presence.type = presence_type::unavailable;
  return presence;
}

TEST(presence_table, knows_nobody_at_first) {
  const presence_table table;
  EXPECT_FALSE(table.best(address("sally@example.org")).has_value());
  EXPECT_EQ(presence_word({}), "unavailable");
}

TEST(presence_table, reports_only_changes) {
  presence_table table;
  EXPECT_TRUE(table.apply(available("sally@example.org/a")));
  EXPECT_FALSE(table.apply(available("sally@example.org/a")));
  EXPECT_TRUE(table.apply(available("sally@example.org/a", 1)));
  EXPECT_TRUE(table.apply(unavailable("sally@example.org/a")));
  EXPECT_FALSE(table.apply(unavailable("sally@example.org/a")));
  EXPECT_FALSE(table.available(address("sally@example.org/a")));
}

TEST(presence_table, puts_priority_before_availability_before_name) {
  presence_table table;
  table.apply(available("sally@example.org/b", 5, presence_show::dnd));
  table.apply(available("sally@example.org/c", 1, presence_show::away));
  table.apply(available("sally@example.org/e", 1));
  table.apply(available("sally@example.org/d", 1));
  table.apply(available("sally@example.org/a", -1, presence_show::chat));
  std::string order;
  for (const auto& one : table.of(address("sally@example.org")))
    order += one.resource;
  EXPECT_EQ(order, "bdeca");
  EXPECT_EQ(presence_word(table.best(address("sally@example.org/any"))), "dnd");
}

TEST(presence_table, drops_all_resources_when_the_bare_jid_goes) {
  presence_table table;
  table.apply(available("sally@example.org/a"));
  table.apply(available("sally@example.org/b"));
  EXPECT_TRUE(table.apply(unavailable("sally@example.org")));
  EXPECT_TRUE(table.of(address("sally@example.org")).empty());
}

TEST(presence_table, ignores_what_is_not_about_availability) {
  presence_table table;
  presence_stanza request = available("sally@example.org/a");
  for (const auto type :
       {presence_type::subscribe, presence_type::subscribed,
        presence_type::unsubscribe, presence_type::unsubscribed,
        presence_type::probe, presence_type::error}) {
    request.type = type;
    EXPECT_FALSE(table.apply(request));
  }
  EXPECT_FALSE(table.apply(presence_stanza{}));
}

TEST(presence_table, caps_the_resources_of_a_contact) {
  presence_table table;
  for (int i = 0; i < 1'000; ++i)
    table.apply(available("sally@example.org/" + std::to_string(i)));
  EXPECT_EQ(table.of(address("sally@example.org")).size(),
            presence_table::max_resources);
}

TEST(presence_table, caps_contacts_and_makes_room_again) {
  presence_table table;
  std::size_t taken = 0;
  const int tried = 100'000;
  for (int i = 0; i < tried; ++i)
    taken += table.apply(available("u" + std::to_string(i) + "@a/b")) ? 1U : 0U;
  EXPECT_EQ(taken, presence_table::max_contacts);
  EXPECT_TRUE(table.apply(unavailable("u0@a/b")));
  EXPECT_TRUE(table.apply(available("new@a/b")));
  EXPECT_FALSE(table.apply(available("newer@a/b")));
  table.clear();
  EXPECT_TRUE(table.apply(available("newer@a/b")));
  std::printf("presences tried %d, taken %zu\n", tried, taken);
}

TEST(presence_table, caps_all_entries_together) {
  presence_table table;
  std::size_t taken = 0;
  for (int i = 0; i < 5'000; ++i)
    for (int r = 0; r < 7; ++r)
      taken += table.apply(available("u" + std::to_string(i) + "@a/" +
                                     std::to_string(r)))
                   ? 1U
                   : 0U;
  EXPECT_EQ(taken, presence_table::max_entries);
}

TEST(presence_table, cuts_a_long_status_between_code_points) {
  presence_table table;
  presence_stanza presence = available("sally@example.org/a");
  for (int i = 0; i < 10'000; ++i) presence.status += "\xE2\x82\xAC";
  table.apply(presence);
  const auto status = table.best(address("sally@example.org"))->status;
  EXPECT_EQ(status.size(), 510U);
  EXPECT_FALSE(table.apply(presence));
}

}  // namespace
}  // namespace sotto
