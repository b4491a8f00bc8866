#include "actors/snapshot_builder.hpp"

#include <gtest/gtest.h>

namespace sotto {
namespace {

contact_changed contact_named(const std::string& account,
                              const std::string& name) {
  contact_view view;
  view.account = account;
  view.contact = name;
  return {view};
}

message_changed message(const std::string& contact, const std::string& id,
                        message_state state, bool outgoing = true) {
  message_view view;
  view.id = id;
  view.outgoing = outgoing;
  view.state = state;
  return {"t@x", contact, view};
}

TEST(snapshot_builder, a_published_snapshot_never_changes) {
  snapshot_builder builder;
  builder.fold(contact_named("t@x", "a@x"));
  const auto before = builder.freeze();
  auto change = contact_named("t@x", "a@x");
  change.contact.name = "changed";
  builder.fold(change);
  const auto after = builder.freeze();
  EXPECT_EQ(before->contacts[0].name, "");
  EXPECT_EQ(after->contacts[0].name, "changed");
  EXPECT_GT(after->version, before->version);
}

TEST(snapshot_builder, removing_a_contact_leaves_the_others) {
  snapshot_builder builder;
  for (int i = 0; i < 300; ++i)
    builder.fold(contact_named("t@x", std::to_string(i)));
  for (int i = 0; i < 300; i += 2)
    builder.fold(contact_removed{"t@x", std::to_string(i)});
  const auto view = builder.freeze();
  ASSERT_EQ(view->contacts.size(), 150U);
  for (std::size_t i = 0; i < view->contacts.size(); ++i)
    EXPECT_EQ(std::stoi(view->contacts[i].contact) % 2, 1);
}

TEST(snapshot_builder, a_message_keeps_its_line_when_its_state_changes) {
  snapshot_builder builder;
  builder.fold(message("a@x", "1", message_state::queued));
  builder.fold(message("a@x", "2", message_state::queued));
  builder.fold(message("a@x", "1", message_state::sent));
  const auto view = builder.freeze();
  const auto* chat = find_conversation(*view, "t@x", "a@x");
  ASSERT_NE(chat, nullptr);
  ASSERT_EQ(chat->lines.size(), 2U);
  EXPECT_EQ(std::get<message_view>(chat->lines[0]).state, message_state::sent);
  EXPECT_EQ(chat->unread, 0U);
}

TEST(snapshot_builder, incoming_messages_are_unread_until_read) {
  snapshot_builder builder;
  builder.fold(message("a@x", "1", message_state::delivered, false));
  EXPECT_EQ(find_conversation(*builder.freeze(), "t@x", "a@x")->unread, 1U);
  builder.fold(conversation_read{"t@x", "a@x"});
  EXPECT_EQ(find_conversation(*builder.freeze(), "t@x", "a@x")->unread, 0U);
}

TEST(snapshot_builder, a_lost_conversation_fails_what_was_queued) {
  snapshot_builder builder;
  builder.fold(message("a@x", "1", message_state::sent));
  builder.fold(message("a@x", "2", message_state::queued));
  builder.fold(conversation_lost{"t@x", "a@x"});
  const auto view = builder.freeze();
  const auto* chat = find_conversation(*view, "t@x", "a@x");
  EXPECT_EQ(std::get<message_view>(chat->lines[0]).state, message_state::sent);
  EXPECT_EQ(std::get<message_view>(chat->lines[1]).state,
            message_state::failed);
}

TEST(snapshot_builder, a_removed_account_takes_all_that_is_its_own_along) {
  snapshot_builder builder;
  for (const auto* account : {"t@x", "s@x"}) {
    builder.fold(account_changed{{account, {}, {}, {}, {}}});
    for (int i = 0; i < 5; ++i) {
      const auto name = std::to_string(i);
      builder.fold(contact_named(account, name));
      auto line = message(name, "1", message_state::sent);
      line.account = account;
      builder.fold(line);
    }
  }
  builder.fold(account_removed{"t@x"});
  const auto view = builder.freeze();
  EXPECT_EQ(view->accounts.size(), 1U);
  ASSERT_EQ(view->contacts.size(), 5U);
  ASSERT_EQ(view->conversations.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(view->contacts[i].account, "s@x");
    EXPECT_EQ(view->conversations[i]->state.account, "s@x");
  }
}

TEST(snapshot_builder, the_trace_keeps_the_newest) {
  snapshot_builder builder;
  for (std::size_t i = 0; i < snapshot_builder::max_trace + 10; ++i)
    builder.fold(trace_added{});
  const auto view = builder.freeze();
  ASSERT_EQ(view->trace.size(), snapshot_builder::max_trace);
  EXPECT_EQ(view->trace[0].number, snapshot_builder::max_trace);
}

}  // namespace
}  // namespace sotto
