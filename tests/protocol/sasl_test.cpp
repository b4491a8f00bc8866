#include "protocol/sasl.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "protocol/scram_challenge.hpp"
#include "tests/support/xmpp_script.hpp"

namespace sotto {
namespace {

using mechanisms = std::vector<std::string>;

std::string chosen(const mechanisms& offered, bool allow_plain = false,
                   std::string_view best = {}) {
  const auto made = choose_mechanism(offered, allow_plain, best);
  return made ? *made : "";
}

TEST(sasl_choice, takes_the_strongest_that_is_offered) {
  EXPECT_EQ(chosen({"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"}, true),
            "SCRAM-SHA-256");
  EXPECT_EQ(chosen({"DIGEST-MD5", "SCRAM-SHA-1", "PLAIN"}), "SCRAM-SHA-1");
}

TEST(sasl_choice, takes_plain_only_where_it_is_allowed) {
  EXPECT_EQ(chosen({"PLAIN"}), "");
  EXPECT_EQ(chosen({"PLAIN"}, true), "PLAIN");
}

TEST(sasl_choice, refuses_what_it_does_not_speak) {
  EXPECT_EQ(chosen({}), "");
  EXPECT_EQ(chosen({"DIGEST-MD5", "ANONYMOUS", "EXTERNAL", "scram-sha-1"}), "");
}

TEST(sasl_choice, is_never_weaker_than_what_was_seen_before) {
  EXPECT_EQ(chosen({"SCRAM-SHA-1"}, true, "SCRAM-SHA-256"), "");
  EXPECT_EQ(chosen({"PLAIN"}, true, "SCRAM-SHA-1"), "");
  EXPECT_EQ(chosen({"SCRAM-SHA-256"}, true, "SCRAM-SHA-1"), "SCRAM-SHA-256");
  EXPECT_EQ(chosen({"PLAIN"}, true, "PLAIN"), "PLAIN");
}

TEST(scram_challenge, accepts_what_rfc_5802_has) {
  EXPECT_TRUE(
      check_scram_challenge("r=abcDEF,s=QSXCR+Q6sek8bf92,i=4096", "abc"));
  EXPECT_TRUE(check_scram_challenge(
      "r=abcDEF,s=QSXCR+Q6sek8bf92,i=1000000,x=extension", "abc"));
}

TEST(scram_challenge, refuses_everything_else) {
  const std::string salt257 = test::base64(std::string(257, 's'));
  const std::vector<std::string> refused{
      "",
      "r=abcDEF",
      "r=abcDEF,s=QSXC",
      "r=abc,s=QSXC,i=4096",      // nothing added to our nonce
      "r=abD,s=QSXC,i=4096",      // not ours
      "r=DEFabc,s=QSXC,i=4096",   // not in front
      "r=abc DEF,s=QSXC,i=4096",  // not printable
      "r=abcDEF,s=,i=4096",       // no salt
      "r=abcDEF,s=QSX,i=4096",    // not base64
      "r=abcDEF,s=Q SX,i=4096",   // nor this
      "r=abcDEF,s=" + salt257 + ",i=4096",
      "r=abcDEF,s=QSXC,i=4095",
      "r=abcDEF,s=QSXC,i=1",
      "r=abcDEF,s=QSXC,i=0",
      "r=abcDEF,s=QSXC,i=-4096",
      "r=abcDEF,s=QSXC,i=1000001",
      "r=abcDEF,s=QSXC,i=1000000000",
      "r=abcDEF,s=QSXC,i=99999999999999999999999",
      "r=abcDEF,s=QSXC,i=4096x",
      "r=abcDEF,s=QSXC,i= 4096",
      "r=abcDEF,s=QSXC,i=0x1000",
      "r=abcDEF,i=4096,s=QSXC",
      "s=QSXC,r=abcDEF,i=4096",
      "m=must,r=abcDEF,s=QSXC,i=4096",
  };
  for (const std::string& each : refused) {
    EXPECT_FALSE(check_scram_challenge(each, "abc")) << each;
  }
  EXPECT_FALSE(check_scram_challenge("r=DEF,s=QSXC,i=4096", ""));
}

TEST(scram_challenge, finds_the_client_s_nonce) {
  EXPECT_EQ(scram_client_nonce("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"),
            "fyko+d2lbbFgONRv9qkxdawL");
  EXPECT_EQ(scram_client_nonce("n,,n=user"), "");
}

sasl_client start(std::string_view mechanism) {
  auto client = sasl_client::start(mechanism, "terrence",
                                   secret::copy_of(std::string_view("pencil")));
  EXPECT_TRUE(client);
  return std::move(*client);
}

TEST(sasl_client, plain_is_the_password_and_needs_no_proof) {
  auto client = start("PLAIN");
  const auto first = client.initial();
  ASSERT_TRUE(first);
  EXPECT_EQ(test::from_base64(first->view()),
            std::string("\0terrence\0pencil", 16));
  EXPECT_TRUE(client.conclude(""));
}

TEST(sasl_client, scram_s_first_message_gives_nothing_away) {
  auto client = start("SCRAM-SHA-256");
  const auto first = client.initial();
  ASSERT_TRUE(first);
  const std::string text = test::from_base64(first->view());
  EXPECT_TRUE(text.starts_with("n,,n=terrence,r=")) << text;
  EXPECT_EQ(text.find("pencil"), std::string::npos);
}

TEST(sasl_client, scram_never_concludes_without_the_server_s_proof) {
  for (const char* text : {"", "=", "dj1mb28=", "rubbish!", "ZT1vdGhlcg=="}) {
    auto fresh = start("SCRAM-SHA-1");
    ASSERT_TRUE(fresh.initial());
    EXPECT_FALSE(fresh.conclude(text)) << text;

    auto proved = start("SCRAM-SHA-1");
    const auto first = proved.initial();
    ASSERT_TRUE(first);
    const std::string nonce(
        scram_client_nonce(test::from_base64(first->view())));
    ASSERT_TRUE(proved.respond(
        test::base64("r=" + nonce + "x,s=QSXCR+Q6sek8bf92,i=4096")));
    EXPECT_FALSE(proved.conclude(text)) << text;
  }
}

TEST(sasl_client, challenges_out_of_turn_are_errors) {
  auto plain = start("PLAIN");
  ASSERT_TRUE(plain.initial());
  EXPECT_FALSE(plain.respond("cj1hYmM="));
  auto early = start("SCRAM-SHA-256");
  EXPECT_FALSE(early.respond("cj1hYmM="));
  ASSERT_TRUE(early.initial());
  EXPECT_FALSE(early.initial());
}

TEST(sasl_client, oversized_and_broken_base64_is_refused) {
  for (const std::string& text :
       {std::string(sasl_client::max_challenge + 4, 'A'), std::string("@@@@"),
        std::string("AAA"), std::string("AA AA")}) {
    auto client = start("SCRAM-SHA-256");
    ASSERT_TRUE(client.initial());
    EXPECT_FALSE(client.respond(text));
  }
}

TEST(sasl_client, random_challenges_are_all_refused) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  constexpr int tries = 2'000;
  int accepted = 0;
  for (int i = 0; i < tries; ++i) {
    auto client = start("SCRAM-SHA-256");
    const auto first = client.initial();
    ASSERT_TRUE(first);
    const std::string nonce(
        scram_client_nonce(test::from_base64(first->view())));
    std::string challenge = "r=" + nonce + "x,s=QSXCR+Q6sek8bf92,i=4096";
    // Something within our part of the nonce, or a number that is too small.
    if (random() % 4 == 0) {
      challenge.replace(challenge.rfind('=') + 1, 4,
                        std::to_string(random() % 4'096));
    } else {
      const std::size_t at = random() % (nonce.size() + 2);
      challenge[at] = challenge[at] == 'q' ? 'p' : 'q';
    }
    accepted += client.respond(test::base64(challenge)) ? 1 : 0;
  }
  std::printf("seed %u: %d challenges tried, %d accepted\n", seed, tries,
              accepted);
  EXPECT_EQ(accepted, 0);
}

}  // namespace
}  // namespace sotto
