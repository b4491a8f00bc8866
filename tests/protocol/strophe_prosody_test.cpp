// The real transport against a real server.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "protocol/outgoing_text.hpp"
#include "protocol/strophe_transport.hpp"
#include "tests/support/link_recorder.hpp"
#include "tests/support/prosody_fixture.hpp"

namespace sotto {
namespace {

using namespace std::chrono_literals;
using test::link_recorder;
using test::prosody_fixture;

class strophe_prosody : public testing::Test {
 protected:
  struct session {
    std::shared_ptr<link_recorder> recorder = std::make_shared<link_recorder>();
    std::unique_ptr<transport> link;
    std::optional<link_change> online;
  };

  void SetUp() override {
    if (!prosody_fixture::available()) GTEST_SKIP() << "no Prosody here";
    test::start_network();
    server_ =
        std::make_unique<prosody_fixture>(std::map<std::string, std::string>{
            {"terrence", "blue door"}, {"sally", "red window"}});
  }

  session connect(const std::string& account, const std::string& password) {
    session made;
    auto settings = test::settings_for(account, password, server_->port());
    settings.ca_file = server_->ca_file();
    made.link = factory_->make(std::move(settings), made.recorder);
    made.link->open();
    made.online = made.recorder->wait_for(link_phase::online);
    return made;
  }

  static message_stanza message(const session& to, std::string body) {
    message_stanza made;
    made.to = to.online->bound;
    made.type = message_type::chat;
    made.body = std::move(body);
    return made;
  }

  std::unique_ptr<prosody_fixture> server_;
  std::shared_ptr<transport_factory> factory_ = strophe_transport_factory();
};

TEST_F(strophe_prosody, two_accounts_log_in_and_talk_both_ways) {
  auto terrence = connect("terrence@localhost", "blue door");
  auto sally = connect("sally@localhost", "red window");
  ASSERT_TRUE(terrence.online) << server_->log();
  ASSERT_TRUE(sally.online) << server_->log();
  EXPECT_TRUE(terrence.online->mechanism.starts_with("SCRAM-SHA-"));
  EXPECT_EQ(terrence.online->bound.str(), "terrence@localhost/test");

  ASSERT_TRUE(terrence.link->send(message(sally, "hello & <welcome>")));
  ASSERT_TRUE(sally.recorder->wait_for_stanzas(1));
  EXPECT_EQ(sally.recorder->bodies(),
            std::vector<std::string>{"hello & <welcome>"});
  ASSERT_TRUE(sally.link->send(message(terrence, "thank you")));
  ASSERT_TRUE(terrence.recorder->wait_for_stanzas(1));
  EXPECT_EQ(terrence.recorder->bodies(), std::vector<std::string>{"thank you"});

  terrence.link->close();
  const auto end = terrence.recorder->wait_for_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->phase, link_phase::offline);
}

TEST_F(strophe_prosody, a_wrong_password_fails_without_retry) {
  const auto refused = connect("terrence@localhost", "green roof");
  EXPECT_FALSE(refused.online);
  const auto end = refused.recorder->wait_for_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->phase, link_phase::failed);
  EXPECT_FALSE(end->retry);
  EXPECT_EQ(end->reason->code, errc::refused);
  EXPECT_EQ(end->reason->message.find("green"), std::string::npos);
}

TEST_F(strophe_prosody, a_server_that_stops_and_comes_back_is_found_again) {
  auto first = connect("terrence@localhost", "blue door");
  ASSERT_TRUE(first.online);
  server_->stop();
  const auto end = first.recorder->wait_for_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->phase, link_phase::failed);
  EXPECT_TRUE(end->retry);

  const auto while_down = connect("terrence@localhost", "blue door");
  const auto failed = while_down.recorder->wait_for_end();
  ASSERT_TRUE(failed);
  EXPECT_TRUE(failed->retry);

  server_->start();
  EXPECT_TRUE(connect("terrence@localhost", "blue door").online);
}

// R4: whatever a person can paste.
std::string random_bytes(std::mt19937& random) {
  const std::vector<std::string> pieces{"\x01",
                                        "\x0B",
                                        "\xC0\x80",
                                        "\xED\xA0\x80",
                                        "\xEF\xBF\xBE",
                                        "\xFF",
                                        "\xF4\x90\x80\x80",
                                        "</body>",
                                        "<a xmlns='urn:x'/>",
                                        "]]>",
                                        "&amp;",
                                        "&#1;",
                                        "'\"",
                                        "\r\n",
                                        "\xF0\x9F\x98\x80",
                                        "</stream:stream>"};
  std::string text;
  for (std::size_t n = 1 + random() % 40; n > 0; --n) {
    if (random() % 4 == 0) {
      text += pieces[random() % pieces.size()];
    } else {
      text += static_cast<char>(random() % 256);
    }
  }
  return text;
}

// Prosody writes a carriage return as it is, and a parser must then read it
// as a line feed (XML 1.0 section 2.11).
std::string with_line_feeds(const std::string& text) {
  std::string made;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      made += text[i];
    } else if (i + 1 == text.size() || text[i + 1] != '\n') {
      made += '\n';
    }
  }
  return made;
}

TEST_F(strophe_prosody, random_strings_never_end_the_session) {
  auto terrence = connect("terrence@localhost", "blue door");
  auto sally = connect("sally@localhost", "red window");
  ASSERT_TRUE(terrence.online);
  ASSERT_TRUE(sally.online);
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  constexpr std::size_t tries = 2'000;
  std::size_t messages = 0;
  std::size_t others = 0;
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < tries; ++i) {
    const std::string text = random_bytes(random);
    if (i % 4 == 3) {
      iq_stanza set;
      set.id = "set" + std::to_string(i);
      set.type = iq_type::set;
      roster_item item;
      item.address =
          *jid::parse("contact" + std::to_string(i % 20) + "@localhost");
      item.name = text;
      item.groups = {random_bytes(random)};
      set.payload = roster_query{.version = "", .items = {item}};
      while (!terrence.link->send(set)) std::this_thread::yield();
      ++others;
    } else {
      while (!terrence.link->send(message(sally, text))) {
        ASSERT_FALSE(terrence.recorder->wait_for_end(0ms)) << "at " << i;
        std::this_thread::yield();
      }
      ++messages;
      expected.push_back(with_line_feeds(filter_outgoing(text)));
    }
  }
  ASSERT_TRUE(terrence.link->send(message(sally, "the end")));
  const auto arrived = [&] {
    const auto bodies = sally.recorder->bodies();
    return std::ranges::find(bodies, "the end") != bodies.end();
  };
  // Messages whose text is filtered away whole may have no body.
  for (std::size_t n = 1; !arrived() && n <= messages + 1; ++n) {
    if (!sally.recorder->wait_for_stanzas(n)) break;
  }
  const auto bodies = sally.recorder->bodies();
  EXPECT_TRUE(arrived());
  std::size_t same = 0;
  for (std::size_t i = 0; i < std::min(bodies.size(), expected.size()); ++i) {
    same += bodies[i] == expected[i] ? 1U : 0U;
  }
  const int disconnects = (terrence.recorder->wait_for_end(0ms) ? 1 : 0) +
                          (sally.recorder->wait_for_end(0ms) ? 1 : 0);
  std::printf(
      "seed %u: %zu messages and %zu roster items sent, %zu bodies arrived, "
      "%zu as filtered, %d disconnects\n",
      seed, messages, others, bodies.size() - 1, same, disconnects);
  EXPECT_EQ(disconnects, 0);
  EXPECT_EQ(same, expected.size());
}

TEST_F(strophe_prosody, a_burst_of_messages_arrives_whole_and_in_order) {
  auto terrence = connect("terrence@localhost", "blue door");
  auto sally = connect("sally@localhost", "red window");
  ASSERT_TRUE(terrence.online);
  ASSERT_TRUE(sally.online);
  constexpr std::size_t count = 3'000;
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    while (!terrence.link->send(message(sally, std::to_string(i)))) {
      ASSERT_FALSE(terrence.recorder->wait_for_end(0ms));
      std::this_thread::yield();
    }
  }
  ASSERT_TRUE(sally.recorder->wait_for_stanzas(count));
  const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - begin;
  std::printf("%zu messages in %.2f s\n", count, took.count());
  const auto bodies = sally.recorder->bodies();
  ASSERT_EQ(bodies.size(), count);
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(bodies[i], std::to_string(i));
  }
}

}  // namespace
}  // namespace sotto
