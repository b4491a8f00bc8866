#include "protocol/tls_policy.hpp"

#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>

#include <chrono>
#include <string>

#include "protocol/server_name.hpp"
#include "tests/support/test_certificates.hpp"

namespace sotto {
namespace {

const wall_time now = std::chrono::system_clock::now();

test::identity authority() {
  static const test::identity made =
      test::make_self_signed({.common_name = "Test CA", .authority = true});
  return made;
}

// The problems of a certificate from a known issuer, and of its chain.
std::string problems(const test::certificate_wish& wish,
                     std::vector<int> chain = {},
                     std::string_view domain = "chat.example") {
  const auto own = test::make_signed(wish, authority());
  const auto verdict = judge_certificate({own.certificate, std::move(chain)},
                                         domain, std::nullopt, now);
  EXPECT_EQ(verdict.accepted, !verdict.problem.has_value());
  if (!verdict.problem) return "";
  EXPECT_EQ(verdict.problem->sha256, own.sha256);
  return verdict.problem->problems;
}

TEST(tls_policy, accepts_a_certificate_without_fault) {
  EXPECT_EQ(problems({.dns_names = {"chat.example"}}), "");
  EXPECT_EQ(problems({.dns_names = {"other.example", "CHAT.Example"}}), "");
  EXPECT_EQ(problems({.dns_names = {"chat.example"}, .rsa_bits = 2048}), "");
}

TEST(tls_policy, names_each_problem_by_a_stable_word) {
  EXPECT_EQ(
      problems(
          {.dns_names = {"chat.example"}, .first_day = -9, .last_day = -1}),
      "expired");
  EXPECT_EQ(problems({.dns_names = {"chat.example"}, .first_day = 2}),
            "not_yet_valid");
  EXPECT_EQ(problems({.dns_names = {"other.example"}}), "wrong_host");
  EXPECT_EQ(problems({.dns_names = {"chat.example"}, .rsa_bits = 1024}),
            "weak_key");
  EXPECT_EQ(problems({.dns_names = {"chat.example"}, .digest = "SHA1"}),
            "weak_signature");
  EXPECT_EQ(problems({.dns_names = {"chat.example"}},
                     {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT}),
            "self_signed");
  EXPECT_EQ(problems({.dns_names = {"chat.example"}},
                     {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
                      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE}),
            "unknown_issuer");
  EXPECT_EQ(
      problems({.dns_names = {"chat.example"}}, {X509_V_ERR_CERT_REVOKED}),
      "revoked");
  EXPECT_EQ(
      problems({.dns_names = {"chat.example"}}, {X509_V_ERR_INVALID_PURPOSE}),
      "other");
}

TEST(tls_policy, several_problems_are_sorted) {
  EXPECT_EQ(
      problems(
          {.dns_names = {"other.example"}, .first_day = -9, .last_day = -1},
          {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
           X509_V_ERR_CERT_HAS_EXPIRED}),
      "expired,unknown_issuer,wrong_host");
}

TEST(tls_policy, the_common_name_never_counts) {
  EXPECT_EQ(problems({.common_name = "chat.example"}), "wrong_host");
  EXPECT_EQ(
      problems({.common_name = "chat.example", .dns_names = {"other.example"}}),
      "wrong_host");
}

TEST(tls_policy, openssl_s_own_host_check_is_not_asked) {
  EXPECT_EQ(problems({.srv_names = {"_xmpp-client.chat.example"}},
                     {X509_V_ERR_HOSTNAME_MISMATCH}),
            "");
}

TEST(tls_policy, xmpp_has_names_of_its_own) {
  EXPECT_EQ(problems({.xmpp_addresses = {"chat.example"}}), "");
  EXPECT_EQ(problems({.xmpp_addresses = {"other.example"}}), "wrong_host");
  EXPECT_EQ(problems({.srv_names = {"_xmpp-server.chat.example"}}),
            "wrong_host");
  EXPECT_EQ(problems({.srv_names = {"_xmpp-client.other.example"}}),
            "wrong_host");
}

TEST(tls_policy, addresses_match_addresses_only) {
  EXPECT_EQ(problems({.addresses = {"127.0.0.1"}}, {}, "127.0.0.1"), "");
  EXPECT_EQ(problems({.addresses = {"::1"}}, {}, "[::1]"), "");
  EXPECT_EQ(problems({.addresses = {"127.0.0.2"}}, {}, "127.0.0.1"),
            "wrong_host");
  EXPECT_EQ(problems({.dns_names = {"127.0.0.1"}}, {}, "127.0.0.1"),
            "wrong_host");
}

TEST(tls_policy, international_domains_are_compared_in_ascii) {
  EXPECT_EQ(problems({.dns_names = {"xn--bcher-kva.example"}}, {},
                     "b\xC3\xBC"
                     "cher.example"),
            "");
  EXPECT_EQ(problems({.dns_names = {"bucher.example"}}, {},
                     "b\xC3\xBC"
                     "cher.example"),
            "wrong_host");
}

TEST(tls_policy, a_wildcard_is_the_whole_leftmost_label) {
  struct match {
    const char* pattern;
    const char* domain;
    bool expected;
  };
  constexpr match matches[]{
      {"chat.example", "chat.example", true},
      {"CHAT.example", "chat.EXAMPLE", true},
      {"*.chat.example", "im.chat.example", true},
      {"*.chat.example", "chat.example", false},
      {"*.chat.example", "a.b.chat.example", false},
      {"i*.chat.example", "im.chat.example", false},
      {"*m.chat.example", "im.chat.example", false},
      {"im.*.example", "im.chat.example", false},
      {"*.*.example", "im.chat.example", false},
      {"*.example", "chat.example", false},
      {"*", "chat.example", false},
      {"*.", "chat.", false},
      {"", "chat.example", false},
      {"*.chat.example", ".chat.example", false},
      {"chat.example.", "chat.example", false},
      {"chat.example\0.evil", "chat.example", true},  // cut by the literal
  };
  for (const auto& [pattern, domain, expected] : matches) {
    EXPECT_EQ(dns_name_matches(pattern, domain), expected)
        << pattern << " for " << domain;
  }
  EXPECT_FALSE(dns_name_matches(std::string_view("chat.example\0.evil", 18),
                                "chat.example"));
}

class tls_pin : public testing::Test {
 protected:
  certificate_verdict judge(const std::vector<int>& chain,
                            const certificate_pin& pin) {
    return judge_certificate({own.certificate, chain}, "chat.example", pin,
                             now);
  }
  const test::identity own =
      test::make_self_signed({.dns_names = {"chat.example"}});
  const std::vector<int> self_signed{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT};
};

TEST_F(tls_pin, accepts_its_certificate_and_binds_to_what_is_found) {
  const auto verdict = judge(self_signed, {own.sha256, ""});
  EXPECT_TRUE(verdict.accepted);
  EXPECT_EQ(verdict.pinned_problems, "self_signed");
}

TEST_F(tls_pin, accepts_the_same_problems_or_fewer) {
  EXPECT_TRUE(judge(self_signed, {own.sha256, "self_signed"}).accepted);
  const auto verdict =
      judge(self_signed, {own.sha256, "self_signed,wrong_host"});
  EXPECT_TRUE(verdict.accepted);
  EXPECT_EQ(verdict.pinned_problems, "self_signed,wrong_host");
  const auto none = judge({}, {own.sha256, "self_signed"});
  EXPECT_TRUE(none.accepted);
  EXPECT_EQ(none.pinned_problems, "");
}

TEST_F(tls_pin, does_not_excuse_a_new_problem) {
  const auto verdict =
      judge({X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_CERT_REVOKED},
            {own.sha256, "self_signed"});
  EXPECT_FALSE(verdict.accepted);
  EXPECT_EQ(verdict.problem->problems, "revoked,self_signed");
}

TEST_F(tls_pin, does_not_excuse_another_certificate) {
  const auto other = test::make_self_signed({.dns_names = {"chat.example"}});
  EXPECT_FALSE(judge(self_signed, {other.sha256, ""}).accepted);
  EXPECT_FALSE(judge(self_signed, {"", ""}).accepted);
}

TEST(tls_policy, no_certificate_is_a_problem_that_no_pin_excuses) {
  for (const char* pem : {"", "rubbish"}) {
    const auto verdict =
        judge_certificate({pem, {}}, "chat.example", certificate_pin{}, now);
    EXPECT_FALSE(verdict.accepted);
    EXPECT_EQ(verdict.problem->problems, "other");
  }
}

TEST(tls_policy, the_explanation_is_a_sentence_for_a_person) {
  const auto own = test::make_self_signed({.dns_names = {"other.example"}});
  const auto verdict = judge_certificate(
      {own.certificate, {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT}},
      "chat.example", std::nullopt, now);
  ASSERT_TRUE(verdict.problem);
  EXPECT_EQ(verdict.problem->explanation,
            "The certificate of chat.example is signed by itself only and is "
            "made out for another name, so that the password was not sent. "
            "Accept it only if the server's operator has given you the same "
            "SHA-256 fingerprint.");
}

}  // namespace
}  // namespace sotto
