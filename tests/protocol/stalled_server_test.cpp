// Servers that say nothing (R10): every state ends at its own deadline, and
// nobody else waits for it.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include "protocol/strophe_transport.hpp"
#include "tests/protocol/hostile_fixture.hpp"
#include "tests/support/dns_server.hpp"

namespace sotto {
namespace {

using namespace std::chrono_literals;
using namespace hostile;
using test::scripted_link;
using test::scripted_server;

void short_deadlines(link_settings& settings) {
  auto& deadlines = settings.deadlines;
  deadlines.connect = deadlines.secure = deadlines.authenticate =
      deadlines.bind = 400ms;
}

struct stall {
  const char* name;
  link_phase phase;
  scripted_server::script play;
};

std::vector<stall> stalls() {
  return {
      {"after TCP", link_phase::securing,
       [](scripted_link& link) { link.ignore(); }},
      {"after the stream header", link_phase::securing,
       [](scripted_link& link) {
         test::take_stream(link);
         link.ignore();
       }},
      {"before proceed", link_phase::securing,
       [](scripted_link& link) {
         to_starttls(link);
         link.ignore();
       }},
      {"within the TLS handshake", link_phase::securing,
       [](scripted_link& link) {
         to_starttls(link);
         link.send(test::tls_proceed_text);
         link.ignore();
       }},
      {"after TLS", link_phase::authenticating,
       [](scripted_link& link) {
         test::secure(link, own());
         link.ignore();
       }},
      {"within SASL", link_phase::authenticating,
       [](scripted_link& link) {
         to_sasl(link, test::scram_features);
         link.read_until("</auth>");
         link.ignore();
       }},
      {"before bind is offered", link_phase::authenticating,
       [](scripted_link& link) {
         to_bind(link);
         link.ignore();
       }},
      {"before bind is answered", link_phase::authenticating,
       [](scripted_link& link) {
         to_bind(link);
         link.send(test::bind_features);
         link.read_until("</iq>");
         link.ignore();
       }},
  };
}

void expect_timeout(const test::link_recorder& recorder,
                    const std::optional<link_change>& end, const char* name) {
  ASSERT_TRUE(end) << name;
  EXPECT_EQ(end->phase, link_phase::failed) << name;
  EXPECT_EQ(end->reason->code, errc::timeout)
      << name << ": " << end->reason->message;
  EXPECT_TRUE(end->retry) << name;
  EXPECT_TRUE(recorder.stanzas().empty()) << name;
}

TEST(stalled_server, silent_name_servers_end_at_their_deadline) {
  test::start_network();
  const test::dns_server silent([](const test::dns_question&) {
    return std::optional<test::dns_answer>();
  });
  auto settings = test::settings_for(account, password, 0);
  settings.host.clear();
  settings.deadlines.resolve = 400ms;
  const auto recorder = std::make_shared<test::link_recorder>();
  const auto link = strophe_transport_factory(silent.address())
                        ->make(std::move(settings), recorder);
  link->open();
  expect_timeout(*recorder, recorder->wait_for_end(), "DNS");
}

TEST(stalled_server, a_host_that_swallows_connections_ends_at_its_deadline) {
  test::start_network();
  const test::full_listener full_one;
  auto settings = test::settings_for(account, password, full_one.port());
  short_deadlines(settings);
  const auto recorder = std::make_shared<test::link_recorder>();
  const auto link =
      strophe_transport_factory()->make(std::move(settings), recorder);
  link->open();
  expect_timeout(*recorder, recorder->wait_for_end(), "TCP");
}

TEST(stalled_server, a_stall_in_any_state_ends_at_its_deadline) {
  // The second link: echoes what it is sent.
  scripted_server honest([](scripted_link& link) {
    test::log_in(link, own(), password, full);
    while (true) {
      link.read_until("</message>");
      link.send(
          "<message from='sally@chat.example/x' type='chat'><body>echo</body>"
          "</message>");
    }
  });
  const auto factory = strophe_transport_factory();
  const auto live = std::make_shared<test::link_recorder>();
  const auto second = factory->make(settings_for(honest), live);
  second->open();
  ASSERT_TRUE(live->wait_for(link_phase::online));

  message_stanza ping;
  ping.to = *jid::parse("sally@chat.example");
  ping.body = "still there?";
  std::size_t echoes = 0;
  for (const stall& each : stalls()) {
    scripted_server server(each.play);
    auto settings = settings_for(server);
    short_deadlines(settings);
    const auto recorder = std::make_shared<test::link_recorder>();
    const auto stalled = factory->make(std::move(settings), recorder);
    stalled->open();
    ASSERT_TRUE(recorder->wait_for(each.phase)) << each.name;
    ASSERT_TRUE(second->send(ping)) << each.name;
    EXPECT_TRUE(live->wait_for_stanzas(++echoes)) << each.name;
    const auto end = recorder->wait_for_end();
    expect_timeout(*recorder, end, each.name);
  }
  EXPECT_FALSE(live->wait_for_end(0ms));
  std::printf("stalls: %zu, echoes of the other link: %zu\n", stalls().size(),
              echoes);
}

}  // namespace
}  // namespace sotto
