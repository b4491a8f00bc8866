// Certificates end to end (R8): what the policy says of each is obeyed by a
// real handshake, before anything of SASL is sent.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <cstdio>
#include <string>

#include "protocol/strophe_transport.hpp"
#include "tests/support/link_recorder.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/test_certificates.hpp"
#include "tests/support/xmpp_script.hpp"

namespace sotto {
namespace {

using test::certificate_wish;
using test::identity;
using test::scripted_link;
using test::scripted_server;

constexpr const char* password = "open sesame 7";

identity authority() {
  static const identity made =
      test::make_self_signed({.common_name = "Test CA", .authority = true});
  return made;
}

struct outcome {
  link_change change;
  bool began_sasl = false;
};

struct attempt {
  identity own;
  std::optional<certificate_pin> pin = {};
  bool trust_authority = true;
  bool direct_tls = false;
  int newest_tls = 0;
  const char* account = "terrence@chat.example";
};

// One link to a server that shows a certificate.
outcome try_link(const attempt& each) {
  test::start_network();
  const test::temporary_file trusted(
      each.trust_authority
          ? authority().certificate
          : test::make_self_signed({.authority = true}).certificate);
  scripted_server server([&](scripted_link& link) {
    if (each.direct_tls) {
      link.start_tls(each.own, each.newest_tls);
    } else {
      test::secure(link, each.own, each.newest_tls);
    }
    test::authenticate(link, password);
    test::bind_as(link, std::string(each.account) + "/test");
    link.read_to_end();
  });
  auto settings = test::settings_for(each.account, password, server.port());
  settings.ca_file = trusted.path();
  settings.pin = each.pin;
  settings.direct_tls = each.direct_tls;
  const auto recorder = std::make_shared<test::link_recorder>();
  const auto link =
      strophe_transport_factory()->make(std::move(settings), recorder);
  link->open();
  outcome seen;
  if (const auto online = recorder->wait_for(link_phase::online)) {
    seen.change = *online;
  } else if (const auto end = recorder->wait_for_end()) {
    seen.change = *end;
  }
  seen.began_sasl = test::began_sasl(server.heard());
  return seen;
}

void expect_refused(const attempt& each, const std::string& problems) {
  const outcome seen = try_link(each);
  EXPECT_EQ(seen.change.phase, link_phase::failed);
  EXPECT_FALSE(seen.change.retry);
  EXPECT_FALSE(seen.began_sasl);
  ASSERT_TRUE(seen.change.certificate);
  EXPECT_EQ(seen.change.certificate->problems, problems);
  EXPECT_EQ(seen.change.certificate->sha256, each.own.sha256);
  EXPECT_NE(seen.change.certificate->explanation, "");
}

void expect_accepted(const attempt& each) {
  const outcome seen = try_link(each);
  EXPECT_EQ(seen.change.phase, link_phase::online)
      << (seen.change.reason ? seen.change.reason->message : "");
}

identity signed_one(const certificate_wish& wish) {
  return test::make_signed(wish, authority());
}

TEST(strophe_certificate, the_right_name_from_a_known_issuer_is_accepted) {
  expect_accepted({.own = signed_one({.dns_names = {"chat.example"}})});
}

TEST(strophe_certificate, an_rsa_key_of_2048_bits_is_accepted) {
  expect_accepted(
      {.own = signed_one({.dns_names = {"chat.example"}, .rsa_bits = 2048})});
}

TEST(strophe_certificate, an_intermediate_sent_along_is_followed) {
  const auto middle = signed_one({.common_name = "Middle", .authority = true});
  auto own = test::make_signed({.dns_names = {"chat.example"}}, middle);
  own.chain = middle.certificate;
  expect_accepted({.own = own});
  own.chain.clear();
  expect_refused({.own = own}, "unknown_issuer");
}

TEST(strophe_certificate, a_service_name_is_accepted) {
  expect_accepted(
      {.own = signed_one({.srv_names = {"_xmpp-client.chat.example"}})});
}

TEST(strophe_certificate, an_xmpp_address_is_accepted) {
  expect_accepted({.own = signed_one({.xmpp_addresses = {"chat.example"}})});
}

TEST(strophe_certificate, a_whole_wildcard_label_is_accepted) {
  expect_accepted({.own = signed_one({.dns_names = {"*.chat.example"}}),
                   .account = "terrence@im.chat.example"});
}

TEST(strophe_certificate, a_partial_wildcard_is_refused) {
  expect_refused({.own = signed_one({.dns_names = {"i*.chat.example"}}),
                  .account = "terrence@im.chat.example"},
                 "wrong_host");
}

TEST(strophe_certificate, a_wildcard_for_two_labels_is_refused) {
  expect_refused({.own = signed_one({.dns_names = {"*.chat.example"}}),
                  .account = "terrence@a.b.chat.example"},
                 "wrong_host");
}

TEST(strophe_certificate, another_host_is_refused) {
  expect_refused({.own = signed_one({.dns_names = {"other.example"}})},
                 "wrong_host");
}

TEST(strophe_certificate, the_address_that_was_connected_to_does_not_count) {
  expect_refused({.own = signed_one({.dns_names = {"127.0.0.1"},
                                     .addresses = {"127.0.0.1"}})},
                 "wrong_host");
}

TEST(strophe_certificate, a_common_name_alone_is_refused) {
  expect_refused({.own = signed_one({.common_name = "chat.example"})},
                 "wrong_host");
}

TEST(strophe_certificate, an_expired_one_is_refused) {
  expect_refused(
      {.own = signed_one(
           {.dns_names = {"chat.example"}, .first_day = -9, .last_day = -1})},
      "expired");
}

TEST(strophe_certificate, one_of_the_future_is_refused) {
  expect_refused(
      {.own = signed_one({.dns_names = {"chat.example"}, .first_day = 2})},
      "not_yet_valid");
}

TEST(strophe_certificate, a_self_signed_one_is_refused) {
  expect_refused(
      {.own = test::make_self_signed({.dns_names = {"chat.example"}})},
      "self_signed");
}

TEST(strophe_certificate, an_unknown_issuer_is_refused) {
  expect_refused({.own = signed_one({.dns_names = {"chat.example"}}),
                  .trust_authority = false},
                 "unknown_issuer");
}

TEST(strophe_certificate, a_weak_key_is_refused) {
  expect_refused(
      {.own = signed_one({.dns_names = {"chat.example"}, .rsa_bits = 1024})},
      "weak_key");
}

TEST(strophe_certificate, a_weak_signature_is_refused) {
  expect_refused(
      {.own = signed_one({.dns_names = {"chat.example"}, .digest = "SHA1"})},
      "weak_signature");
}

TEST(strophe_certificate, everything_at_once_is_told_at_once) {
  expect_refused({.own = signed_one({.dns_names = {"other.example"},
                                     .first_day = -9,
                                     .last_day = -1,
                                     .rsa_bits = 1024}),
                  .trust_authority = false},
                 "expired,unknown_issuer,weak_key,wrong_host");
}

TEST(strophe_certificate, direct_tls_is_judged_alike) {
  expect_refused(
      {.own = signed_one({.dns_names = {"other.example"}}), .direct_tls = true},
      "wrong_host");
}

TEST(strophe_certificate, tls_1_1_is_refused) {
  const outcome seen =
      try_link({.own = signed_one({.dns_names = {"chat.example"}}),
                .newest_tls = TLS1_1_VERSION});
  EXPECT_EQ(seen.change.phase, link_phase::failed);
  EXPECT_FALSE(seen.began_sasl);
  EXPECT_FALSE(seen.change.certificate);
}

TEST(strophe_certificate, tls_1_2_is_accepted) {
  expect_accepted({.own = signed_one({.dns_names = {"chat.example"}}),
                   .newest_tls = TLS1_2_VERSION});
}

TEST(strophe_certificate, a_pin_accepts_its_certificate_and_reports_why) {
  const auto own = test::make_self_signed({.dns_names = {"other.example"}});
  const outcome first =
      try_link({.own = own, .pin = certificate_pin{own.sha256, ""}});
  EXPECT_EQ(first.change.phase, link_phase::online);
  EXPECT_EQ(first.change.pinned_problems, "self_signed,wrong_host");
  const outcome again = try_link(
      {.own = own,
       .pin = certificate_pin{own.sha256, first.change.pinned_problems}});
  EXPECT_EQ(again.change.phase, link_phase::online);
}

TEST(strophe_certificate, a_pin_holds_for_no_other_certificate) {
  const auto own = test::make_self_signed({.dns_names = {"chat.example"}});
  const auto pinned = test::make_self_signed({.dns_names = {"chat.example"}});
  expect_refused({.own = own, .pin = certificate_pin{pinned.sha256, ""}},
                 "self_signed");
}

TEST(strophe_certificate, a_pin_holds_for_no_other_problem) {
  const auto own = test::make_self_signed(
      {.dns_names = {"chat.example"}, .first_day = -9, .last_day = -1});
  expect_refused(
      {.own = own, .pin = certificate_pin{own.sha256, "self_signed"}},
      "expired,self_signed");
}

}  // namespace
}  // namespace sotto
