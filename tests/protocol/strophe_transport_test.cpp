#include "protocol/strophe_transport.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "crypto/unique_fd.hpp"
#include "protocol/link_mailbox.hpp"
#include "protocol/sasl.hpp"
#include "tests/support/dns_server.hpp"
#include "tests/support/link_recorder.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/test_certificates.hpp"
#include "tests/support/xmpp_script.hpp"

namespace sotto {
namespace {

using namespace std::chrono_literals;
using test::link_recorder;
using test::scripted_link;
using test::scripted_server;

constexpr const char* account = "terrence@chat.example";
constexpr const char* full = "terrence@chat.example/test";
constexpr const char* password = "open sesame 7";

class strophe_transport_test : public testing::Test {
 protected:
  static void SetUpTestSuite() { test::start_network(); }

  strophe_transport_test()
      : authority_(test::make_self_signed(
            {.common_name = "Test CA", .authority = true})),
        ca_file_(authority_.certificate) {
    own_ = test::make_signed({.dns_names = {"chat.example"}}, authority_);
  }

  link_settings settings(const scripted_server& server) const {
    link_settings made = test::settings_for(account, password, server.port());
    made.ca_file = ca_file_.path();
    return made;
  }

  std::unique_ptr<transport> connect(link_settings wanted) {
    auto link = factory_->make(std::move(wanted), recorder_);
    link->open();
    return link;
  }

  test::identity authority_;
  test::temporary_file ca_file_;
  test::identity own_;
  std::shared_ptr<transport_factory> factory_ = strophe_transport_factory();
  std::shared_ptr<link_recorder> recorder_ = std::make_shared<link_recorder>();
};

message_stanza message(const std::string& body) {
  message_stanza made;
  made.to = *jid::parse("sally@chat.example");
  made.id = "m1";
  made.body = body;
  return made;
}

std::vector<link_phase> phases(const link_recorder& recorder) {
  std::vector<link_phase> list;
  for (const link_change& change : recorder.changes()) {
    list.push_back(change.phase);
  }
  return list;
}

TEST_F(strophe_transport_test, logs_in_and_reports_every_phase_in_order) {
  scripted_server server([&](scripted_link& link) {
    test::log_in(link, own_, password, full);
    link.read_to_end();
  });
  const auto link = connect(settings(server));
  const auto online = recorder_->wait_for(link_phase::online);
  ASSERT_TRUE(online) << recorder_->changes().back().reason->message;
  EXPECT_EQ(online->bound.str(), full);
  EXPECT_EQ(online->mechanism, "SCRAM-SHA-256");
  EXPECT_EQ(online->pinned_problems, "");
  EXPECT_EQ(phases(*recorder_),
            (std::vector{link_phase::resolving, link_phase::connecting,
                         link_phase::securing, link_phase::authenticating,
                         link_phase::online}));
  EXPECT_FALSE(test::gives_away("", "terrence", password));
}

TEST_F(strophe_transport_test, stanzas_go_both_ways) {
  std::promise<std::string> got;
  scripted_server server([&](scripted_link& link) {
    test::log_in(link, own_, password, full);
    got.set_value(link.read_until("</message>"));
    link.send(
        "<message from='sally@chat.example/x' to='terrence@chat.example/test' "
        "type='chat' id='a'><body>fine &amp; you?</body></message>");
    link.read_to_end();
  });
  const auto link = connect(settings(server));
  ASSERT_TRUE(recorder_->wait_for(link_phase::online));
  ASSERT_TRUE(link->send(message("how are you?")));
  EXPECT_NE(got.get_future().get().find("how are you?"), std::string::npos);
  ASSERT_TRUE(recorder_->wait_for_stanzas(1));
  EXPECT_EQ(recorder_->bodies(), std::vector<std::string>{"fine & you?"});
}

TEST_F(strophe_transport_test, sends_nothing_before_it_is_online_or_after) {
  scripted_server server([&](scripted_link& link) {
    test::log_in(link, own_, password, full);
    link.read_until("</stream:stream>");
    link.send("</stream:stream>");
  });
  auto link = factory_->make(settings(server), recorder_);
  EXPECT_FALSE(link->send(message("too early")));
  link->open();
  ASSERT_TRUE(recorder_->wait_for(link_phase::online));
  link->close();
  const auto end = recorder_->wait_for_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->phase, link_phase::offline);
  EXPECT_FALSE(link->send(message("too late")));
  EXPECT_EQ(server.heard().find("too "), std::string::npos);
}

TEST_F(strophe_transport_test, close_ends_the_stream_after_what_was_queued) {
  scripted_server server([&](scripted_link& link) {
    test::log_in(link, own_, password, full);
    link.read_until("</stream:stream>");
    link.send("</stream:stream>");
    link.read_to_end();
  });
  const auto link = connect(settings(server));
  ASSERT_TRUE(recorder_->wait_for(link_phase::online));
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(link->send(message("number " + std::to_string(i) + ".")));
  }
  link->close();
  const auto end = recorder_->wait_for_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->phase, link_phase::offline);
  const std::string heard = server.heard();
  const std::size_t last = heard.find("number 99.");
  ASSERT_NE(last, std::string::npos);
  EXPECT_LT(last, heard.find("</stream:stream>"));
}

TEST_F(strophe_transport_test, a_lost_server_is_a_failure_worth_a_retry) {
  scripted_server server([&](scripted_link& link) {
    test::log_in(link, own_, password, full);
    link.close();
  });
  const auto link = connect(settings(server));
  const auto end = recorder_->wait_for_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->phase, link_phase::failed);
  EXPECT_TRUE(end->retry);
}

TEST_F(strophe_transport_test, a_stolen_resource_is_a_failure_without_retry) {
  scripted_server server([&](scripted_link& link) {
    test::log_in(link, own_, password, full);
    link.send(
        "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
        "</stream:error></stream:stream>");
    link.read_to_end();
  });
  const auto link = connect(settings(server));
  const auto end = recorder_->wait_for_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->phase, link_phase::failed);
  EXPECT_FALSE(end->retry);
}

TEST_F(strophe_transport_test, a_silent_server_is_found_by_ping) {
  scripted_server server([&](scripted_link& link) {
    test::log_in(link, own_, password, full);
    link.read_to_end();
  });
  auto wanted = settings(server);
  wanted.deadlines.keepalive = 100ms;
  wanted.deadlines.ping = 200ms;
  const auto link = connect(std::move(wanted));
  const auto end = recorder_->wait_for_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->phase, link_phase::failed);
  EXPECT_TRUE(end->retry);
  EXPECT_EQ(end->reason->code, errc::timeout);
  EXPECT_NE(server.heard().find("urn:xmpp:ping"), std::string::npos);
}

TEST_F(strophe_transport_test,
       answers_to_its_pings_keep_the_link_and_stay_here) {
  std::promise<void> answered;
  scripted_server server([&](scripted_link& link) {
    test::log_in(link, own_, password, full);
    for (int i = 0; i < 3; ++i) {
      const std::string ping = link.read_until("</iq>");
      link.send("<iq type='result' from='chat.example' id='" +
                test::attribute(ping.substr(ping.find("<iq")), "id") + "'/>");
    }
    answered.set_value();
    link.send(
        "<iq type='get' from='chat.example' id='theirs'>"
        "<ping xmlns='urn:xmpp:ping'/></iq>");
    link.read_to_end();
  });
  auto wanted = settings(server);
  wanted.deadlines.keepalive = 50ms;
  const auto link = connect(std::move(wanted));
  answered.get_future().get();
  ASSERT_TRUE(recorder_->wait_for_stanzas(1));
  const auto stanzas = recorder_->stanzas();
  ASSERT_EQ(stanzas.size(), 1U);
  EXPECT_EQ(std::get<iq_stanza>(stanzas[0]).id, "theirs");
}

TEST_F(strophe_transport_test,
       the_queue_is_bounded_when_the_server_stops_reading) {
  scripted_server server([&](scripted_link& link) {
    test::log_in(link, own_, password, full);
    link.ignore();
  });
  const auto link = connect(settings(server));
  ASSERT_TRUE(recorder_->wait_for(link_phase::online));
  const std::string body(64UL * 1024, 'x');
  std::size_t taken = 0;
  // What the kernel's buffers hold comes on top of the queue; 64 MiB is far
  // beyond both.
  while (taken < 1024 && link->send(message(body))) ++taken;
  std::printf("queued %zu KiB before send said no\n", taken * 64);
  EXPECT_LT(taken, 1024U);
  EXPECT_GE(taken * body.size() + body.size(), link_mailbox::max_bytes / 2);
}

TEST_F(strophe_transport_test, destroying_a_link_in_any_state_returns) {
  std::promise<void> in_tls;
  scripted_server server([&](scripted_link& link) {
    test::take_stream(link);
    link.send(test::starttls_features);
    link.read_until("<starttls");
    link.send(test::tls_proceed_text);
    in_tls.set_value();
    link.ignore();  // the handshake never goes on
  });
  auto link = connect(settings(server));
  in_tls.get_future().get();
  link.reset();
  EXPECT_FALSE(recorder_->wait_for_end(0ms));
}

TEST_F(strophe_transport_test, close_during_a_stalled_handshake_is_offline) {
  std::promise<void> in_tls;
  scripted_server server([&](scripted_link& link) {
    test::take_stream(link);
    link.send(test::starttls_features);
    link.read_until("<starttls");
    link.send(test::tls_proceed_text);
    in_tls.set_value();
    link.ignore();
  });
  const auto link = connect(settings(server));
  in_tls.get_future().get();
  link->close();
  const auto end = recorder_->wait_for_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->phase, link_phase::offline);
}

TEST_F(strophe_transport_test, direct_tls_comes_before_the_first_stream) {
  scripted_server server([&](scripted_link& link) {
    link.start_tls(own_);
    test::authenticate(link, password);
    test::bind_as(link, full);
    link.read_to_end();
  });
  auto wanted = settings(server);
  wanted.direct_tls = true;
  const auto link = connect(std::move(wanted));
  EXPECT_TRUE(recorder_->wait_for(link_phase::online));
}

// Nobody listens at the first address of the first target, and nobody speaks
// TLS at the second target.
TEST_F(strophe_transport_test, tries_every_target_until_one_answers) {
  scripted_server deaf([&](scripted_link& link) {
    link.read_until("\x03");
    link.send("who is there?");
  });
  scripted_server server([&](scripted_link& link) {
    test::log_in(link, own_, password, full);
    link.read_to_end();
  });
  const test::dns_server names(
      [&](const test::dns_question& asked) -> std::optional<test::dns_answer> {
        if (asked.name == "_xmpp-client._tcp.chat.example") {
          return test::dns_answer{
              .services = {{1, 0, server.port(), "dead.example"},
                           {3, 0, server.port(), "live.example"}}};
        }
        if (asked.name == "_xmpps-client._tcp.chat.example") {
          return test::dns_answer{
              .services = {{2, 0, deaf.port(), "live.example"}}};
        }
        if (asked.name == "dead.example") {
          return test::dns_answer{.addresses = {"127.0.0.2"}};
        }
        return test::dns_answer{.addresses = {"127.0.0.1"}};
      });
  auto wanted = settings(server);
  wanted.host.clear();
  wanted.port = 0;
  factory_ = strophe_transport_factory(names.address());
  const auto link = connect(std::move(wanted));
  EXPECT_TRUE(recorder_->wait_for(link_phase::online));
  EXPECT_EQ(deaf.clients(), 1);
}

TEST_F(strophe_transport_test, plain_is_spoken_only_where_it_is_allowed) {
  scripted_server server([&](scripted_link& link) {
    test::secure(link, own_);
    test::take_stream(link);
    link.send(test::mechanisms("PLAIN"));
    link.read_until("</auth>");
    link.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    test::bind_as(link, full);
    link.read_to_end();
  });
  auto wanted = settings(server);
  wanted.allow_plain = true;
  const auto link = connect(std::move(wanted));
  const auto online = recorder_->wait_for(link_phase::online);
  ASSERT_TRUE(online);
  EXPECT_EQ(online->mechanism, "PLAIN");
  EXPECT_TRUE(test::gives_away(server.heard(), "terrence", password))
      << "the check that other tests rely on must be able to fail";
}

TEST_F(strophe_transport_test, a_session_is_asked_for_where_it_is_required) {
  scripted_server server([&](scripted_link& link) {
    test::secure(link, own_);
    test::authenticate(link, password);
    test::take_stream(link);
    link.send(
        "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
        "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>"
        "</stream:features>");
    const std::string bind = link.read_until("</iq>");
    link.send("<iq type='result' id='" + test::attribute(bind, "id") +
              "'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>" +
              std::string(full) + "</jid></bind></iq>");
    const std::string session = link.read_until("</iq>");
    EXPECT_NE(session.find("xmpp-session"), std::string::npos);
    link.send("<iq type='result' id='" + test::attribute(session, "id") +
              "'/>");
    link.read_to_end();
  });
  const auto link = connect(settings(server));
  EXPECT_TRUE(recorder_->wait_for(link_phase::online));
}

TEST_F(strophe_transport_test, the_signature_may_come_before_success) {
  scripted_server server([&](scripted_link& link) {
    test::secure(link, own_);
    test::authenticate(link, password, {.signature_as_challenge = true},
                       test::mechanisms("SCRAM-SHA-1"));
    test::bind_as(link, full);
    link.read_to_end();
  });
  const auto link = connect(settings(server));
  const auto online = recorder_->wait_for(link_phase::online);
  ASSERT_TRUE(online);
  EXPECT_EQ(online->mechanism, "SCRAM-SHA-1");
}

TEST_F(strophe_transport_test, refuses_a_descriptor_that_select_cannot_take) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 4'096);
  if (limit.rlim_cur < 1'200) GTEST_SKIP() << "too few descriptors allowed";
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  scripted_server server([&](scripted_link& link) { link.read_to_end(); });
  const auto wanted = settings(server);
  std::vector<unique_fd> fillers;
  for (int fd = 0; fd >= 0 && fd < 1'030;) {
    fd = dup(STDERR_FILENO);
    fillers.emplace_back(fd);
  }
  const auto link = connect(wanted);
  const auto end = recorder_->wait_for_end();
  fillers.clear();
  limit.rlim_cur = before;
  setrlimit(RLIMIT_NOFILE, &limit);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->phase, link_phase::failed);
  EXPECT_NE(end->reason->message.find("too many files"), std::string::npos)
      << end->reason->message;
  EXPECT_EQ(server.clients(), 0);
}

TEST_F(strophe_transport_test, many_links_live_side_by_side) {
  scripted_server server([&](scripted_link& link) {
    test::log_in(link, own_, password, full);
    link.send("<message from='sally@chat.example/x'><body>hi</body></message>");
    link.read_to_end();
  });
  std::vector<std::shared_ptr<link_recorder>> recorders;
  std::vector<std::unique_ptr<transport>> links;
  for (int i = 0; i < 20; ++i) {
    recorders.push_back(std::make_shared<link_recorder>());
    links.push_back(factory_->make(settings(server), recorders.back()));
    links.back()->open();
  }
  int online = 0;
  for (const auto& recorder : recorders) {
    online += recorder->wait_for_stanzas(1) ? 1 : 0;
  }
  EXPECT_EQ(online, 20);
}

}  // namespace
}  // namespace sotto
