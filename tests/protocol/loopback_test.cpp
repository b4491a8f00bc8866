#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "protocol/namespaces.hpp"
#include "tests/protocol/loopback_fixture.hpp"

namespace sotto {
namespace {

using test::address;
using test::client;
using test::recorder;

TEST(loopback, reports_the_phases_of_a_link_in_order) {
  loopback_hub hub;
  client sally{hub, "sally@example.org"};
  std::vector<link_phase> phases;
  for (const auto& change : sally.seen->changes())
    phases.push_back(change.phase);
  EXPECT_EQ(phases, (std::vector<link_phase>{
                        link_phase::resolving, link_phase::connecting,
                        link_phase::securing, link_phase::authenticating,
                        link_phase::online}));
  EXPECT_EQ(sally.full(), address("sally@example.org/desk"));
  sally.link().close();
  EXPECT_EQ(sally.seen->last().phase, link_phase::offline);
  sally.link().close();
  sally.link().open();
  EXPECT_EQ(sally.seen->changes().size(), 6U);
  EXPECT_FALSE(sally.say("sally@example.org", "x"));
}

TEST(loopback, refuses_a_wrong_password_for_good) {
  loopback_hub hub;
  client first{hub, "sally@example.org", "a", "right"};
  client wrong{hub, "sally@example.org", "b", "wrong"};
  EXPECT_EQ(wrong.seen->last().phase, link_phase::failed);
  EXPECT_FALSE(wrong.seen->last().retry);
  EXPECT_NE(wrong.seen->last().reason->message.find("not-authorized"),
            std::string::npos);
  EXPECT_FALSE(wrong.say("sally@example.org", "x"));
  client right{hub, "sally@example.org", "b", "right"};
  EXPECT_EQ(right.seen->last().phase, link_phase::online);
}

TEST(loopback, makes_up_a_resource_where_the_wanted_one_is_taken) {
  loopback_hub hub;
  client first{hub, "sally@example.org", "desk"};
  client second{hub, "sally@example.org", "desk"};
  client third{hub, "sally@example.org", ""};
  EXPECT_EQ(first.full().resource(), "desk");
  EXPECT_NE(second.full(), first.full());
  EXPECT_NE(third.full(), second.full());
  EXPECT_FALSE(third.full().is_bare());
}

TEST(loopback, refuses_links_while_it_is_down) {
  loopback_hub hub;
  hub.set_down(true);
  client refused{hub, "sally@example.org"};
  EXPECT_EQ(refused.seen->last().phase, link_phase::failed);
  EXPECT_TRUE(refused.seen->last().retry);
  hub.set_down(false);
  client sally{hub, "sally@example.org"};
  EXPECT_EQ(sally.seen->last().phase, link_phase::online);
}

TEST(loopback, cuts_every_link_of_an_account) {
  loopback_hub hub;
  client one{hub, "sally@example.org", "one"};
  client two{hub, "sally@example.org", "two"};
  client other{hub, "terrence@example.org"};
  hub.cut(address("sally@example.org"));
  for (const client* cut : {&one, &two}) {
    EXPECT_EQ(cut->seen->last().phase, link_phase::failed);
    EXPECT_TRUE(cut->seen->last().retry);
  }
  EXPECT_EQ(other.seen->last().phase, link_phase::online);
  EXPECT_FALSE(one.say("terrence@example.org", "x"));
}

TEST(loopback, stamps_the_sender_and_filters_the_text) {
  loopback_hub hub;
  client sally{hub, "sally@example.org"};
  client terrence{hub, "terrence@example.org"};
  message_stanza forged;
  forged.from = address("bank@example.org/x");
  forged.to = terrence.full();
  forged.body = "a\x01";
  forged.is_carbon = true;
  forged.outer_from = address("terrence@example.org");
  ASSERT_TRUE(sally.send(forged));
  const auto got = terrence.seen->all<message_stanza>();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].from, sally.full());
  EXPECT_EQ(got[0].body, "a\xEF\xBF\xBD");
  EXPECT_FALSE(got[0].is_carbon);
}

TEST(loopback, sends_to_a_bare_jid_by_the_highest_priority) {
  loopback_hub hub;
  client low{hub, "sally@example.org", "low"};
  client high{hub, "sally@example.org", "high"};
  client high_too{hub, "sally@example.org", "high2"};
  client negative{hub, "sally@example.org", "negative"};
  client silent{hub, "sally@example.org", "silent"};
  low.log_in(1);
  high.log_in(5);
  high_too.log_in(5);
  negative.log_in(-1);
  client terrence{hub, "terrence@example.org"};
  terrence.say("sally@example.org", "bare");
  terrence.say("sally@example.org/low", "full");
  terrence.say("sally@example.org/silent", "silent");
  terrence.say("sally@example.org/gone", "gone");
  terrence.say("sally@example.org", "news", message_type::headline);
  EXPECT_EQ(high.bodies(), "bare gone news ");
  EXPECT_EQ(high_too.bodies(), "bare gone news ");
  EXPECT_EQ(low.bodies(), "full news ");
  EXPECT_EQ(negative.bodies(), "");
  EXPECT_EQ(silent.bodies(), "silent ");
}

TEST(loopback, keeps_messages_for_who_is_away) {
  loopback_hub hub;
  { client once{hub, "sally@example.org"}; }
  client terrence{hub, "terrence@example.org"};
  terrence.say("sally@example.org", "one");
  terrence.say("sally@example.org/gone", "two");
  message_stanza unstored;
  unstored.to = address("sally@example.org");
  unstored.id = "secret";
  unstored.body = "secret";
  unstored.hints.no_store = true;
  terrence.send(unstored);
  client sally{hub, "sally@example.org"};
  EXPECT_EQ(sally.bodies(), "");
  sally.log_in(-1);
  EXPECT_EQ(sally.bodies(), "");
  sally.send(presence_stanza{});
  EXPECT_EQ(sally.bodies(), "one two ");
  for (const auto& message : sally.seen->all<message_stanza>()) {
    EXPECT_TRUE(message.delay.has_value());
    EXPECT_EQ(message.delay_from, "example.org");
  }
  sally.send(presence_stanza{});
  EXPECT_EQ(sally.bodies(), "one two ");
  const auto bounced = terrence.seen->all<message_stanza>();
  ASSERT_EQ(bounced.size(), 1U);
  EXPECT_EQ(bounced[0].id, "secret");
  EXPECT_EQ(bounced[0].error->condition, "service-unavailable");
}

TEST(loopback, bounces_what_nobody_can_get_but_no_error) {
  loopback_hub hub;
  client terrence{hub, "terrence@example.org"};
  terrence.say("nobody@example.org", "1");
  terrence.say("example.org", "2");
  terrence.say("nobody@example.org", "3", message_type::error);
  terrence.say("terrence@example.org", "4", message_type::groupchat);
  terrence.say("terrence@example.org/gone", "5", message_type::normal);
  terrence.say("terrence@example.org/gone", "6", message_type::headline);
  std::string ids;
  for (const auto& message : terrence.seen->all<message_stanza>()) {
    EXPECT_EQ(message.type, message_type::error);
    ids += message.id;
  }
  EXPECT_EQ(ids, "1245");
}

TEST(loopback, answers_pings_and_refuses_what_it_does_not_know) {
  loopback_hub hub;
  client sally{hub, "sally@example.org"};
  for (const char* to : {"", "sally@example.org", "example.org"}) {
    iq_stanza ping{{}, {}, "p", iq_type::get, ping_query{}, {}};
    if (*to != '\0') ping.to = address(to);
    sally.send(ping);
    sally.send(iq_stanza{
        {}, ping.to, "u", iq_type::get, info_query{ns::disco_info, ""}, {}});
    sally.send(iq_stanza{{}, ping.to, "r", iq_type::result, {}, {}});
  }
  sally.send(iq_stanza{
      {}, address("other@example.org"), "o", iq_type::get, ping_query{}, {}});
  std::string answers;
  for (const auto& iq : sally.seen->all<iq_stanza>())
    answers += iq.id + (iq.type == iq_type::result ? '+' : '-');
  EXPECT_EQ(answers, "p+u-p+u-p+u-o-");
}

TEST(loopback, routes_iqs_between_full_jids) {
  loopback_hub hub;
  client sally{hub, "sally@example.org"};
  client terrence{hub, "terrence@example.org"};
  sally.send(
      iq_stanza{{}, terrence.full(), "q", iq_type::get, ping_query{}, {}});
  const auto asked = terrence.seen->all<iq_stanza>();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].from, sally.full());
  terrence.send(iq_stanza{{}, asked[0].from, "q", iq_type::result, {}, {}});
  ASSERT_EQ(sally.seen->all<iq_stanza>().size(), 1U);
  EXPECT_EQ(sally.seen->all<iq_stanza>()[0].from, terrence.full());
  sally.send(iq_stanza{{},
                       address("terrence@example.org/gone"),
                       "g",
                       iq_type::get,
                       ping_query{},
                       {}});
  EXPECT_EQ(sally.seen->all<iq_stanza>().back().error->condition,
            "service-unavailable");
}

TEST(loopback, applies_faults_and_shows_the_tap_what_passes) {
  loopback_hub hub;
  client sally{hub, "sally@example.org"};
  client terrence{hub, "terrence@example.org"};
  hub.set_fault([](const stanza& what) {
    const auto* message = std::get_if<message_stanza>(&what);
    if (message == nullptr) return loopback_hub::fate::deliver;
    if (message->body == "drop") return loopback_hub::fate::drop;
    if (message->body == "twice") return loopback_hub::fate::duplicate;
    return loopback_hub::fate::deliver;
  });
  std::string tapped;
  hub.set_tap([&tapped](const message_stanza& message) {
    tapped += *message.body + ' ';
  });
  for (const char* text : {"one", "drop", "twice"})
    EXPECT_TRUE(sally.say("terrence@example.org/desk", text));
  EXPECT_EQ(terrence.bodies(), "one twice twice ");
  EXPECT_EQ(tapped, "one twice ");
  hub.set_fault(nullptr);
  hub.set_tap(nullptr);
  sally.say("terrence@example.org/desk", "drop");
  EXPECT_EQ(terrence.bodies(), "one twice twice drop ");
}

TEST(loopback, injects_forgeries_past_all_but_the_codec_rules) {
  loopback_hub hub;
  client terrence{hub, "terrence@example.org"};
  message_stanza plain;
  plain.from = address("ghost@nowhere.org/x");
  plain.body = "boo";
  hub.inject(address("terrence@example.org"), plain);
  message_stanza carbon = plain;
  carbon.is_carbon = true;
  carbon.outer_from = plain.from;
  hub.inject(address("terrence@example.org"), carbon);
  message_stanza archived = plain;
  archived.is_archived = true;
  hub.inject(address("terrence@example.org"), archived);
  EXPECT_EQ(terrence.bodies(), "boo ");
  carbon.outer_from = address("terrence@example.org");
  hub.inject(address("terrence@example.org"), carbon);
  EXPECT_EQ(terrence.bodies(), "boo boo ");
}

/// Sends from within its own callback, as an eager actor would.
class replier : public recorder {
 public:
  void on_stanza(stanza incoming) override {
    const auto* message = std::get_if<message_stanza>(&incoming);
    if (message != nullptr && message->body && link != nullptr) {
      const int left = std::stoi(*message->body) - 1;
      message_stanza reply;
      reply.to = message->from;
      reply.body = std::to_string(left);
      if (left >= 0) link->send(reply);
    }
    recorder::on_stanza(std::move(incoming));
  }
  transport* link = nullptr;
};

TEST(loopback, bears_listeners_that_send_from_within_a_call) {
  loopback_hub hub;
  std::vector<std::shared_ptr<replier>> listeners;
  std::vector<std::unique_ptr<transport>> links;
  for (const char* name : {"a@x", "b@x"}) {
    link_settings settings;
    settings.account = address(name);
    settings.resource = "r";
    listeners.push_back(std::make_shared<replier>());
    links.push_back(hub.factory()->make(settings, listeners.back()));
    listeners.back()->link = links.back().get();
    links.back()->open();
  }
  message_stanza first;
  first.to = address("b@x/r");
  first.body = "10000";
  links[0]->send(first);
  EXPECT_EQ(listeners[0]->all<message_stanza>().size() +
                listeners[1]->all<message_stanza>().size(),
            10'001U);
  EXPECT_EQ(listeners[0]->all<message_stanza>().back().body, "1");
}

TEST(loopback, keeps_order_and_loses_nothing_between_threads) {
  loopback_hub hub;
  const int senders = 4;
  const int each = 2'000;
  client sink{hub, "sink@x"};
  {
    std::vector<std::jthread> threads;
    threads.reserve(senders);
    for (int s = 0; s < senders; ++s) {
      threads.emplace_back([&hub, s] {
        client source{hub, "s" + std::to_string(s) + "@x"};
        source.log_in();
        for (int i = 0; i < each; ++i)
          source.say("sink@x/desk", std::to_string(i));
      });
    }
  }
  std::map<jid, int> next;
  int out_of_order = 0;
  for (const auto& message : sink.seen->all<message_stanza>())
    out_of_order += std::stoi(*message.body) != next[message.from]++;
  int lost = senders * each;
  for (const auto& [from, count] : next) lost -= count;
  std::printf("messages %d from %d threads, lost %d, out of order %d\n",
              senders * each, senders, lost, out_of_order);
  EXPECT_EQ(lost, 0);
  EXPECT_EQ(out_of_order, 0);
}

TEST(loopback, ends_links_while_others_write_to_them) {
  loopback_hub hub;
  std::atomic<bool> stop{false};
  std::jthread writer{[&] {
    client source{hub, "source@x"};
    while (!stop) source.say("target@x/desk", "x");
  }};
  for (int i = 0; i < 500; ++i) {
    client target{hub, "target@x"};
    target.log_in();
    if (i % 3 == 0) target.link().close();
    if (i % 3 == 1) hub.cut(address("target@x"));
    // The writer's thread may be the one that hands the change over.
    const std::size_t expected = i % 3 == 2 ? 5 : 6;
    while (target.seen->changes().size() < expected) std::this_thread::yield();
    EXPECT_EQ(target.seen->changes().size(), expected);
  }
  stop = true;
}

TEST(loopback, holds_ten_thousand_pairs) {
  loopback_hub hub;
  const int pairs = 10'000;
  std::vector<std::unique_ptr<client>> all;
  for (int i = 0; i < pairs; ++i) {
    for (const char* side : {"a", "b"}) {
      all.push_back(
          std::make_unique<client>(hub, side + std::to_string(i) + "@x"));
      all.back()->log_in();
    }
  }
  for (std::size_t i = 0; i < all.size(); i += 2)
    all[i]->say(all[i + 1]->full().str(), "hello");
  std::size_t arrived = 0;
  for (std::size_t i = 1; i < all.size(); i += 2)
    arrived += all[i]->bodies() == "hello " ? 1U : 0U;
  std::printf("accounts %zu, pairs that heard %zu\n", all.size(), arrived);
  EXPECT_EQ(arrived, static_cast<std::size_t>(pairs));
}

}  // namespace
}  // namespace sotto
