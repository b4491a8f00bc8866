// Servers that do not mean well (R7, R9, R10): each script ends in a clear
// error before its deadline, and learns nothing of the password.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "protocol/strophe_transport.hpp"
#include "tests/protocol/hostile_fixture.hpp"
#include "tests/support/link_recorder.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/test_certificates.hpp"
#include "tests/support/xmpp_script.hpp"

namespace sotto {
namespace {

using namespace std::chrono_literals;
using test::scram_faults;
using test::scripted_link;
using test::scripted_server;

using namespace hostile;

void answer_bind(scripted_link& link, const std::string& contents) {
  link.send(test::bind_features);
  const std::string request = link.read_until("</iq>");
  const std::string id = test::attribute(request, "id");
  link.send("<iq type='result' id='" + id + "'>" + contents + "</iq>");
}

constexpr const char* sasl_ns = " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";

struct hostile_script {
  const char* name;
  scripted_server::script play;
  bool retry;
  /// With SCRAM's proof due: the server had shown that it knows salt and
  /// count, so that the client answers. The password is never given away.
  bool proof_due = false;
  std::function<void(link_settings&)> adjust = nullptr;
};

std::string sasl(const std::string& name, const std::string& text) {
  return "<" + name + sasl_ns + ">" + text + "</" + name + ">";
}

void scram(scripted_link& link, const scram_faults& faults) {
  test::secure(link, own());
  test::authenticate(link, password, faults);
  link.read_to_end();
}

// Before TLS.
std::vector<hostile_script> clear_text_scripts() {
  return {
      {"closes at once", [](scripted_link& link) { link.close(); }, true},
      {"offers no STARTTLS",
       [](scripted_link& link) {
         test::take_stream(link);
         link.send(test::scram_features);
         link.read_to_end();
       },
       false},
      {"offers nothing",
       [](scripted_link& link) {
         test::take_stream(link);
         link.send("<stream:features/>");
         link.read_to_end();
       },
       false},
      {"offers SASL beside STARTTLS, then fails STARTTLS",
       [](scripted_link& link) {
         to_starttls(link);
         link.send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
         link.read_to_end();
       },
       true},
      {"injects features after proceed",
       [](scripted_link& link) {
         to_starttls(link);
         link.send(std::string(test::tls_proceed_text) +
                   std::string(test::scram_features));
         link.start_tls(own());
         link.read_to_end();
       },
       true},
      {"injects half an element after proceed",
       [](scripted_link& link) {
         to_starttls(link);
         link.send(std::string(test::tls_proceed_text) + "<stream:feat");
         link.start_tls(own());
         link.read_to_end();
       },
       true},
      {"injects a stanza after proceed",
       [](scripted_link& link) {
         to_starttls(link);
         link.send(std::string(test::tls_proceed_text) +
                   "<message from='chat.example'><body>x</body></message>");
         link.start_tls(own());
         link.read_to_end();
       },
       true},
      {"injects a stanza before proceed",
       [](scripted_link& link) {
         to_starttls(link);
         link.send("<message from='chat.example'><body>x</body></message>" +
                   std::string(test::tls_proceed_text));
         link.start_tls(own());
         link.read_to_end();
       },
       true},
      {"proceeds before it was asked",
       [](scripted_link& link) {
         test::take_stream(link);
         link.send(std::string(test::starttls_features) +
                   std::string(test::tls_proceed_text));
         link.read_to_end();
       },
       true},
      {"says success in the clear",
       [](scripted_link& link) {
         test::take_stream(link);
         link.send(std::string("<success") + sasl_ns + "/>");
         link.read_to_end();
       },
       true},
      {"speaks no TLS after proceed",
       [](scripted_link& link) {
         to_starttls(link);
         link.send(test::tls_proceed_text);
         link.read_until("\x03");  // the handshake has begun
         link.send("HTTP/1.0 400 Bad Request\r\n\r\n");
         link.read_to_end();
       },
       true},
      {"sends a stream error",
       [](scripted_link& link) {
         test::take_stream(link);
         link.send(
             "<stream:error><host-unknown xmlns="
             "'urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
         link.read_to_end();
       },
       false},
      {"sends to another host",
       [](scripted_link& link) {
         test::take_stream(link);
         link.send(
             "<stream:error><see-other-host xmlns="
             "'urn:ietf:params:xml:ns:xmpp-streams'>evil.example:5222"
             "</see-other-host></stream:error></stream:stream>");
         link.read_to_end();
       },
       false},
      {"never ends its stream header",
       [](scripted_link& link) {
         link.read_until("<stream:stream");
         link.send("<?xml version='1.0'?><stream:stream");
         while (true) link.send(" a" + std::string(1'000, 'x') + "='y'");
       },
       true},
      {"sends attributes for ever",
       [](scripted_link& link) {
         test::take_stream(link);
         link.send("<stream:features a='");
         while (true) link.send(std::string(4'000, 'x'));
       },
       true},
      {"nests for ever",
       [](scripted_link& link) {
         test::take_stream(link);
         while (true) link.send("<stream:features>");
       },
       true},
      {"sends broken XML",
       [](scripted_link& link) {
         test::take_stream(link);
         link.send("<stream:features></stream:error>");
         link.read_to_end();
       },
       true},
      {"sends a document type",
       [](scripted_link& link) {
         link.read_until("<stream:stream");
         link.send("<?xml version='1.0'?><!DOCTYPE s [<!ENTITY a 'b'>]>");
         link.read_to_end();
       },
       true},
      {"speaks HTTP",
       [](scripted_link& link) {
         link.send("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
         link.read_to_end();
       },
       true},
      {"opens something that is no stream",
       [](scripted_link& link) {
         link.read_until("<stream:stream");
         link.send("<html><body>");
         link.read_to_end();
       },
       true},
  };
}

// Within TLS, before the client is sure of the server.
std::vector<hostile_script> sasl_scripts() {
  const auto offering = [](const std::string& features) {
    return [features](scripted_link& link) {
      to_sasl(link, features);
      link.read_to_end();
    };
  };
  const auto faulty = [](const scram_faults& faults) {
    return [faults](scripted_link& link) { scram(link, faults); };
  };
  return {
      {"offers no mechanisms", offering("<stream:features/>"), false},
      {"offers an empty list", offering(test::mechanisms("")), false},
      {"offers only PLAIN", offering(test::mechanisms("PLAIN")), false},
      {"offers only DIGEST-MD5", offering(test::mechanisms("DIGEST-MD5")),
       false},
      {"offers only ANONYMOUS", offering(test::mechanisms("ANONYMOUS")), false},
      {"offers less than it used to", offering(test::mechanisms("SCRAM-SHA-1")),
       false, false,
       [](link_settings& s) { s.best_mechanism = "SCRAM-SHA-256"; }},
      {"offers PLAIN where SCRAM was seen and PLAIN is allowed",
       offering(test::mechanisms("PLAIN")), false, false,
       [](link_settings& s) {
         s.best_mechanism = "SCRAM-SHA-1";
         s.allow_plain = true;
       }},
      {"offers features for ever",
       [](scripted_link& link) {
         to_sasl(link, test::scram_features);
         while (true) link.send(test::scram_features);
       },
       true},
      {"refuses the password",
       [](scripted_link& link) {
         to_sasl(link, test::scram_features);
         link.read_until("</auth>");
         link.send(sasl("failure", "<not-authorized/>"));
         link.read_to_end();
       },
       false},
      {"is out of order for now",
       [](scripted_link& link) {
         to_sasl(link, test::scram_features);
         link.read_until("</auth>");
         link.send(sasl("failure", "<temporary-auth-failure/>"));
         link.read_to_end();
       },
       true},
      {"uses a nonce of its own", faulty({.foreign_nonce = true}), false},
      {"adds nothing to the nonce", faulty({.same_nonce = true}), false},
      {"asks for one iteration", faulty({.iterations = "1"}), false},
      {"asks for 10^9 iterations", faulty({.iterations = "1000000000"}), false},
      {"sends a salt of 2,000 bytes",
       faulty({.salt = test::base64(std::string(2'000, 's'))}), false},
      {"sends a salt that is no base64", faulty({.salt = "@@@@"}), false},
      {"needs an unknown extension", faulty({.extra = "m=x,"}), false},
      {"sends a challenge that is no base64",
       [](scripted_link& link) {
         to_sasl(link, test::scram_features);
         link.read_until("</auth>");
         link.send(sasl("challenge", "!!!! not base64 !!!!"));
         link.read_to_end();
       },
       false},
      {"sends a challenge of 100,000 bytes",
       [](scripted_link& link) {
         to_sasl(link, test::scram_features);
         link.read_until("</auth>");
         link.send(sasl("challenge", std::string(100'000, 'A')));
         link.read_to_end();
       },
       false},
      {"sends an empty challenge",
       [](scripted_link& link) {
         to_sasl(link, test::scram_features);
         link.read_until("</auth>");
         link.send(sasl("challenge", ""));
         link.read_to_end();
       },
       false},
      {"claims success too early", faulty({.early_success = true}), false},
      {"gives a wrong signature", faulty({.wrong_signature = true}), false,
       true},
      {"gives no signature", faulty({.no_signature = true}), false, true},
      {"challenges for ever", faulty({.challenges_for_ever = true}), false,
       true},
      {"sends a stanza within SASL",
       [](scripted_link& link) {
         to_sasl(link, test::scram_features);
         link.read_until("</auth>");
         link.send("<message from='chat.example'><body>x</body></message>");
         link.read_to_end();
       },
       true},
      {"proceeds with TLS within TLS",
       [](scripted_link& link) {
         to_sasl(link, test::tls_proceed_text);
         link.read_to_end();
       },
       true},
  };
}

// Once both know each other.
std::vector<hostile_script> bind_scripts() {
  const auto binding = [](const std::string& contents) {
    return [contents](scripted_link& link) {
      to_bind(link);
      answer_bind(link, contents);
      link.read_to_end();
    };
  };
  const std::string open = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>";
  return {
      {"offers no bind",
       [](scripted_link& link) {
         to_bind(link);
         link.send("<stream:features/>");
         link.read_to_end();
       },
       false, true},
      {"binds another user",
       binding(open + "<jid>sally@chat.example/test</jid></bind>"), false,
       true},
      {"binds another domain",
       binding(open + "<jid>terrence@evil.example/test</jid></bind>"), false,
       true},
      {"binds a bare address",
       binding(open + "<jid>terrence@chat.example</jid></bind>"), false, true},
      {"binds what is no address", binding(open + "<jid>@@/</jid></bind>"),
       false, true},
      {"binds without an address", binding(open + "</bind>"), false, true},
      {"answers bind with nothing", binding(""), false, true},
      {"answers another request",
       [](scripted_link& link) {
         to_bind(link);
         link.send(test::bind_features);
         link.read_until("</iq>");
         link.send(
             "<iq type='result' id='another'><bind "
             "xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>terrence@"
             "chat.example/x</jid></bind></iq>");
         link.read_to_end();
       },
       true, true},
      {"refuses to bind",
       [](scripted_link& link) {
         to_bind(link);
         link.send(test::bind_features);
         const std::string request = link.read_until("</iq>");
         link.send("<iq type='error' id='" + test::attribute(request, "id") +
                   "'><error type='cancel'><not-allowed "
                   "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
                   "</iq>");
         link.read_to_end();
       },
       false, true},
  };
}

struct tally {
  std::size_t scripts = 0;
  std::size_t clear_errors = 0;
  std::size_t credentials = 0;
};

void run(const hostile_script& script, tally& total) {
  scripted_server server(script.play);
  auto settings = settings_for(server);
  if (script.adjust) script.adjust(settings);
  const auto recorder = std::make_shared<test::link_recorder>();
  const auto link =
      strophe_transport_factory()->make(std::move(settings), recorder);
  link->open();
  // Shorter than the deadline of any state: none of these may need it.
  const auto end = recorder->wait_for_end(9s);
  ++total.scripts;
  ASSERT_TRUE(end) << script.name << ": no end";
  EXPECT_EQ(end->phase, link_phase::failed) << script.name;
  ASSERT_TRUE(end->reason) << script.name;
  EXPECT_GT(end->reason->message.size(), 40U) << script.name;
  EXPECT_NE(end->reason->code, errc::timeout) << script.name;
  EXPECT_EQ(end->retry, script.retry)
      << script.name << ": " << end->reason->message;
  EXPECT_EQ(end->reason->message.find(password), std::string::npos);
  const std::string heard = server.heard();
  const bool given = script.proof_due
                         ? heard.find(password) != std::string::npos
                         : test::gives_away(heard, "terrence", password);
  EXPECT_FALSE(given) << script.name;
  EXPECT_TRUE(recorder->stanzas().empty()) << script.name;
  total.clear_errors += end->phase == link_phase::failed ? 1U : 0U;
  total.credentials += given ? 1U : 0U;
}

void run_all(const std::vector<hostile_script>& scripts) {
  tally total;
  for (const hostile_script& each : scripts) run(each, total);
  std::printf(
      "hostile servers: %zu scripts, %zu clear errors, %zu learned something\n",
      total.scripts, total.clear_errors, total.credentials);
}

TEST(hostile_server, before_tls_nothing_is_given_away) {
  run_all(clear_text_scripts());
}

TEST(hostile_server, within_sasl_nothing_is_given_away) {
  run_all(sasl_scripts());
}

TEST(hostile_server, a_strange_bind_ends_the_link) { run_all(bind_scripts()); }

// The guard reaches libstrophe's own parser on a link that stands.

TEST(hostile_server, a_forged_sender_does_not_reach_the_listener) {
  scripted_server server([](scripted_link& link) {
    test::log_in(link, own(), password, full);
    link.send(
        "<message xmlns:f='urn:f' from='mallory@chat.example/x' "
        "f:from='sally@chat.example/x' xml:from='sally@chat.example/x'>"
        "<body>send money</body></message>");
    link.read_to_end();
  });
  const auto recorder = std::make_shared<test::link_recorder>();
  const auto link =
      strophe_transport_factory()->make(settings_for(server), recorder);
  link->open();
  ASSERT_TRUE(recorder->wait_for_stanzas(1));
  const auto stanzas = recorder->stanzas();
  EXPECT_EQ(std::get<message_stanza>(stanzas[0]).from.str(),
            "mallory@chat.example/x");
}

TEST(hostile_server, bad_xml_ends_a_link_that_stands_within_a_second) {
  const std::vector<std::pair<const char*, std::string>> inputs{
      {"broken", "<message></presence>"},
      {"deep",
       [] {
         std::string xml;
         for (int i = 0; i < 70; ++i) xml += "<a>";
         return xml;
       }()},
      {"comment", "<message><!-- x --></message>"},
      {"large",
       "<message><body>" + std::string(300'000, 'x') + "</body></message>"},
  };
  for (const auto& [name, xml] : inputs) {
    scripted_server server([text = xml](scripted_link& link) {
      test::log_in(link, own(), password, full);
      link.send(text);
      link.read_to_end();
    });
    const auto recorder = std::make_shared<test::link_recorder>();
    const auto link =
        strophe_transport_factory()->make(settings_for(server), recorder);
    link->open();
    ASSERT_TRUE(recorder->wait_for(link_phase::online)) << name;
    const auto begin = std::chrono::steady_clock::now();
    const auto end = recorder->wait_for_end();
    const std::chrono::duration<double, std::milli> took =
        std::chrono::steady_clock::now() - begin;
    std::printf("%s XML: link ended after %.1f ms\n", name, took.count());
    ASSERT_TRUE(end) << name;
    EXPECT_EQ(end->phase, link_phase::failed) << name;
    EXPECT_EQ(end->reason->code, errc::protocol) << name;
    EXPECT_TRUE(recorder->stanzas().empty()) << name;
  }
}

}  // namespace
}  // namespace sotto
