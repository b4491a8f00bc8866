#include "protocol/resolver.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "crypto/unique_fd.hpp"
#include "tests/support/dns_server.hpp"
#include "tests/support/link_recorder.hpp"

namespace sotto {
namespace {

using namespace std::chrono_literals;
using test::dns_answer;
using test::dns_question;
using test::dns_server;

std::uint32_t always_least(std::uint32_t) { return 0; }

TEST(srv_order, lower_priorities_come_first) {
  const auto ordered = in_srv_order(
      {{"c", 3, 30, 0, false}, {"a", 1, 10, 0, false}, {"b", 2, 20, 0, true}},
      always_least);
  ASSERT_EQ(ordered.size(), 3U);
  EXPECT_EQ(ordered[0].target, "a");
  EXPECT_EQ(ordered[1].target, "b");
  EXPECT_EQ(ordered[2].target, "c");
}

TEST(srv_order, both_kinds_of_service_are_merged_by_priority) {
  const auto ordered = in_srv_order({{"plain", 5222, 5, 0, false},
                                     {"direct", 443, 1, 0, true},
                                     {"last", 5223, 9, 0, true}},
                                    always_least);
  EXPECT_EQ(ordered[0], (srv_record{"direct", 443, 1, 0, true}));
  EXPECT_EQ(ordered[1].target, "plain");
}

TEST(srv_order, weights_share_the_load_and_lose_nobody) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  const auto draw = [&](std::uint32_t most) {
    return std::uniform_int_distribution<std::uint32_t>(0, most)(random);
  };
  constexpr int rounds = 20'000;
  std::map<std::string, int> first;
  for (int i = 0; i < rounds; ++i) {
    const auto ordered = in_srv_order({{"heavy", 1, 0, 30, false},
                                       {"light", 1, 0, 10, false},
                                       {"never", 1, 0, 0, false}},
                                      draw);
    ASSERT_EQ(ordered.size(), 3U);
    ++first[ordered[0].target];
  }
  std::printf("seed %u: first of %d: heavy %d, light %d, never %d\n", seed,
              rounds, first["heavy"], first["light"], first["never"]);
  EXPECT_NEAR(first["heavy"], rounds * 0.74, rounds * 0.05);
  EXPECT_NEAR(first["light"], rounds * 0.24, rounds * 0.05);
  EXPECT_LT(first["never"], rounds / 20);
}

class resolver_test : public testing::Test {
 protected:
  static void SetUpTestSuite() { test::start_network(); }

  result<std::vector<server_address>> resolve(
      const resolve_request& request, const dns_server::oracle& answers,
      std::chrono::milliseconds patience = 20s) {
    const dns_server server([&](const dns_question& asked) {
      {
        const std::lock_guard lock(mutex_);
        asked_.push_back(asked.name);
      }
      return answers(asked);
    });
    return resolver(server.address())
        .resolve(request, std::chrono::steady_clock::now() + patience,
                 cancel_.get());
  }

  unique_fd cancel_{eventfd(0, EFD_CLOEXEC)};
  std::mutex mutex_;
  std::vector<std::string> asked_;
};

std::optional<dns_answer> nothing(const dns_question&) {
  return dns_answer{.no_such_name = true};
}

TEST_F(resolver_test, every_address_of_every_target_in_order) {
  const auto found =
      resolve({.domain = "chat.example"},
              [](const dns_question& asked) -> std::optional<dns_answer> {
                if (asked.name == "_xmpp-client._tcp.chat.example") {
                  return dns_answer{.services = {{20, 0, 5222, "b.example"}}};
                }
                if (asked.name == "_xmpps-client._tcp.chat.example") {
                  return dns_answer{.services = {{10, 0, 443, "a.example"}}};
                }
                if (asked.name == "a.example") {
                  return dns_answer{.addresses = {"192.0.2.1"}};
                }
                if (asked.name == "b.example") {
                  return dns_answer{.addresses = {"192.0.2.2", "192.0.2.3"}};
                }
                return dns_answer{.no_such_name = true};
              });
  ASSERT_TRUE(found) << found.failure().message;
  ASSERT_EQ(found->size(), 3U);
  EXPECT_EQ((*found)[0], (server_address{"192.0.2.1", 443, true}));
  EXPECT_EQ((*found)[1].port, 5222);
  EXPECT_EQ((*found)[2].port, 5222);
  EXPECT_FALSE((*found)[1].direct_tls);
}

TEST_F(resolver_test, without_srv_records_the_domain_itself_at_5222) {
  const auto found =
      resolve({.domain = "chat.example"},
              [](const dns_question& asked) -> std::optional<dns_answer> {
                if (asked.name == "chat.example") {
                  return dns_answer{.addresses = {"192.0.2.9"}};
                }
                return dns_answer{.no_such_name = true};
              });
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (std::vector<server_address>{{"192.0.2.9", 5222, false}}));
}

TEST_F(resolver_test, unanswered_srv_questions_fall_back_in_time) {
  const auto found = resolve(
      {.domain = "chat.example"},
      [](const dns_question& asked) -> std::optional<dns_answer> {
        if (asked.name.starts_with("_xmpp")) return std::nullopt;
        return dns_answer{.addresses = {"192.0.2.9"}};
      },
      1s);
  ASSERT_TRUE(found) << found.failure().message;
  EXPECT_EQ(found->front().port, 5222);
}

TEST_F(resolver_test, a_domain_may_say_that_it_has_no_service) {
  const auto found =
      resolve({.domain = "chat.example"},
              [](const dns_question& asked) -> std::optional<dns_answer> {
                if (asked.name.starts_with("_xmpp")) {
                  return dns_answer{.services = {{0, 0, 0, ""}}};
                }
                return dns_answer{.addresses = {"192.0.2.9"}};
              });
  ASSERT_FALSE(found);
  EXPECT_EQ(found.failure().code, errc::refused);
}

TEST_F(resolver_test, a_given_host_needs_no_srv_records) {
  const auto found =
      resolve({.domain = "chat.example", .host = "im.example", .port = 5999},
              [](const dns_question&) {
                return std::optional(dns_answer{.addresses = {"192.0.2.9"}});
              });
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (std::vector<server_address>{{"192.0.2.9", 5999, false}}));
  for (const std::string& name : asked_) EXPECT_EQ(name, "im.example");
}

TEST_F(resolver_test, address_literals_need_no_name_server) {
  for (const char* host : {"127.0.0.1", "[::1]", "::1"}) {
    const auto found = resolve(
        {.domain = "chat.example", .host = host, .direct_tls = true}, nothing);
    ASSERT_TRUE(found) << host;
    ASSERT_EQ(found->size(), 1U);
    EXPECT_TRUE(found->front().direct_tls);
    EXPECT_EQ(found->front().ip.find('['), std::string::npos);
  }
  EXPECT_TRUE(asked_.empty());
}

TEST_F(resolver_test, localhost_is_never_asked_for_srv_records) {
  const auto found = resolve({.domain = "localhost"}, nothing);
  ASSERT_TRUE(found) << found.failure().message;
  EXPECT_EQ(found->front().port, 5222);
  for (const std::string& name : asked_) {
    EXPECT_FALSE(name.starts_with("_xmpp")) << name;
  }
}

TEST_F(resolver_test, an_unknown_name_is_not_found) {
  const auto found = resolve({.domain = "chat.example"}, nothing);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.failure().code, errc::not_found);
}

TEST_F(resolver_test, silence_ends_at_the_deadline) {
  const auto found = resolve(
      {.domain = "chat.example"},
      [](const dns_question&) { return std::optional<dns_answer>(); }, 300ms);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.failure().code, errc::timeout);
}

TEST_F(resolver_test, a_look_up_can_be_called_off) {
  const std::uint64_t one = 1;
  const auto found = resolve(
      {.domain = "chat.example"},
      [&](const dns_question&) {
        EXPECT_EQ(write(cancel_.get(), &one, sizeof one),
                  static_cast<ssize_t>(sizeof one));
        return std::optional<dns_answer>();
      },
      60s);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.failure().code, errc::unavailable);
}

TEST_F(resolver_test, international_domains_are_asked_for_in_ascii) {
  const auto found = resolve({.domain = "b\xC3\xBC"
                                        "cher.example"},
                             nothing);
  EXPECT_FALSE(found);
  ASSERT_FALSE(asked_.empty());
  for (const std::string& name : asked_) {
    EXPECT_NE(name.find("xn--bcher-kva.example"), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace sotto
