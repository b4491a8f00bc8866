#include "protocol/login.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/support/xmpp_script.hpp"

namespace sotto {
namespace {

login_settings settings() {
  login_settings made;
  made.account = *jid::parse("terrence@chat.example");
  made.resource = "desk";
  made.password = std::make_shared<const secret>(
      secret::copy_of(std::string_view("open sesame 7")));
  return made;
}

stream_features starttls() {
  stream_features made;
  made.starttls = true;
  return made;
}

stream_features offering(std::vector<std::string> mechanisms) {
  stream_features made;
  made.mechanisms = std::move(mechanisms);
  return made;
}

stream_features bind() {
  stream_features made;
  made.bind = true;
  return made;
}

std::string sent(const login_actions& actions) {
  std::string text;
  for (const login_action& each : actions) {
    if (const auto* send = std::get_if<login_send>(&each)) {
      text += send->xml.view();
    }
  }
  return text;
}

template <class Action>
bool only(const login_actions& actions) {
  return actions.size() == 1 && std::holds_alternative<Action>(actions[0]);
}

const login_failed* failure(const login_actions& actions) {
  return actions.size() == 1 ? std::get_if<login_failed>(&actions[0]) : nullptr;
}

// Up to where TLS stands and the second stream is open.
login secured(login_settings with = settings()) {
  login made(std::move(with));
  EXPECT_TRUE(only<login_open_stream>(made.connected()));
  EXPECT_TRUE(made.stream_opened().empty());
  EXPECT_NE(sent(made.element(starttls())).find("<starttls"),
            std::string::npos);
  EXPECT_TRUE(only<login_start_tls>(made.element(tls_proceed{})));
  EXPECT_TRUE(only<login_open_stream>(made.secured()));
  EXPECT_TRUE(made.stream_opened().empty());
  return made;
}

// Up to where PLAIN has succeeded and the third stream is open.
login authenticated() {
  auto with = settings();
  with.allow_plain = true;
  login made = secured(std::move(with));
  EXPECT_NE(sent(made.element(offering({"PLAIN"}))).find("<auth"),
            std::string::npos);
  EXPECT_TRUE(only<login_open_stream>(made.element(sasl_success{})));
  EXPECT_TRUE(made.stream_opened().empty());
  return made;
}

TEST(login, goes_through_its_stages_in_order) {
  auto with = settings();
  with.allow_plain = true;
  login made(std::move(with));
  EXPECT_EQ(made.stage(), login_stage::idle);
  made.connected();
  EXPECT_EQ(made.stage(), login_stage::securing);
  made.stream_opened();
  made.element(starttls());
  made.element(tls_proceed{});
  EXPECT_EQ(made.stage(), login_stage::securing);
  made.secured();
  EXPECT_EQ(made.stage(), login_stage::authenticating);
  made.stream_opened();
  made.element(offering({"PLAIN"}));
  made.element(sasl_success{});
  EXPECT_EQ(made.stage(), login_stage::binding);
  made.stream_opened();
  const std::string request = sent(made.element(bind()));
  EXPECT_NE(request.find("<resource>desk</resource>"), std::string::npos);
  const auto end = made.element(login_answer{
      test::attribute(request, "id"), false, "", "terrence@chat.example/desk"});
  ASSERT_TRUE(only<login_succeeded>(end));
  EXPECT_EQ(std::get<login_succeeded>(end[0]).bound.str(),
            "terrence@chat.example/desk");
  EXPECT_EQ(std::get<login_succeeded>(end[0]).mechanism, "PLAIN");
  EXPECT_EQ(made.stage(), login_stage::done);
  EXPECT_TRUE(made.closed().empty());
  EXPECT_TRUE(made.timed_out().empty());
}

TEST(login, direct_tls_needs_no_starttls) {
  auto with = settings();
  with.direct_tls = true;
  login made(std::move(with));
  EXPECT_TRUE(only<login_start_tls>(made.connected()));
  EXPECT_TRUE(only<login_open_stream>(made.secured()));
}

TEST(login, without_starttls_nothing_is_sent) {
  login made(settings());
  made.connected();
  made.stream_opened();
  const auto end = made.element(offering({"PLAIN", "SCRAM-SHA-1"}));
  ASSERT_NE(failure(end), nullptr);
  EXPECT_FALSE(failure(end)->retry);
  EXPECT_EQ(sent(end), "");
}

TEST(login, whatever_comes_with_proceed_ends_it) {
  login made(settings());
  made.connected();
  made.stream_opened();
  made.element(starttls());
  EXPECT_NE(failure(made.element(tls_proceed{}, true)), nullptr);
}

TEST(login, features_from_before_tls_do_not_count_after_it) {
  login made(settings());
  made.connected();
  made.stream_opened();
  auto both = offering({"SCRAM-SHA-256"});
  both.starttls = true;
  EXPECT_EQ(sent(made.element(both)).find("<auth"), std::string::npos);
  made.element(tls_proceed{});
  EXPECT_TRUE(only<login_open_stream>(made.secured()));
}

TEST(login, a_fourth_set_of_features_ends_it) {
  login made = authenticated();
  made.element(bind());
  EXPECT_NE(failure(made.element(bind())), nullptr);
}

TEST(login, a_resource_that_is_taken_is_left_to_the_server) {
  login made = authenticated();
  const std::string first = sent(made.element(bind()));
  const std::string second = sent(made.element(
      login_answer{test::attribute(first, "id"), true, "conflict", ""}));
  EXPECT_NE(second.find("<bind"), std::string::npos);
  EXPECT_EQ(second.find("<resource>"), std::string::npos);
  EXPECT_NE(failure(made.element(login_answer{test::attribute(second, "id"),
                                              true, "conflict", ""})),
            nullptr);
}

TEST(login, an_optional_session_is_not_asked_for) {
  login made = authenticated();
  auto features = bind();
  features.session = features.session_optional = true;
  const std::string request = sent(made.element(features));
  EXPECT_TRUE(only<login_succeeded>(made.element(login_answer{
      test::attribute(request, "id"), false, "", "terrence@chat.example/x"})));
}

TEST(login, no_password_is_told_before_anything_is_sent) {
  auto with = settings();
  with.password = nullptr;
  login made = secured(std::move(with));
  const auto end = made.element(offering({"SCRAM-SHA-256"}));
  ASSERT_NE(failure(end), nullptr);
  EXPECT_EQ(sent(end), "");
}

TEST(login, strange_conditions_are_not_repeated) {
  login made = secured();
  made.element(offering({"SCRAM-SHA-256"}));
  const auto end =
      made.element(sasl_failure{"<b>call 555</b> now!", "remote words"});
  ASSERT_NE(failure(end), nullptr);
  EXPECT_EQ(failure(end)->reason.message.find("555"), std::string::npos);
  EXPECT_EQ(failure(end)->reason.message.find("remote"), std::string::npos);
}

TEST(login, a_deadline_names_what_it_waited_for) {
  login made = secured();
  const auto end = made.timed_out();
  ASSERT_NE(failure(end), nullptr);
  EXPECT_EQ(failure(end)->reason.code, errc::timeout);
  EXPECT_TRUE(failure(end)->retry);
  EXPECT_NE(failure(end)->reason.message.find("the login"), std::string::npos);
}

// Any order of events: no credentials before TLS, no success without both
// proofs, and never a word after the end.
TEST(login, random_events_never_get_past_it) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  constexpr int runs = 20'000;
  int early = 0;
  int succeeded = 0;
  int after_end = 0;
  for (int run = 0; run < runs; ++run) {
    auto with = settings();
    with.direct_tls = random() % 8 == 0;
    login made(std::move(with));
    bool tls = false;
    bool tls_asked = false;
    bool ended = false;
    for (int step = 0; step < 12; ++step) {
      login_actions actions;
      switch (random() % 12) {
        case 0:
          actions = made.connected();
          break;
        case 1:
          // Only a transport says so, and only when it was asked to start.
          if (tls_asked) {
            tls = true;
            actions = made.secured();
          }
          break;
        case 2:
        case 3:
          actions = made.stream_opened();
          break;
        case 4:
          actions = made.element(starttls());
          break;
        case 5:
          actions = made.element(tls_proceed{}, random() % 2 == 0);
          break;
        case 6:
          actions = made.element(offering({"SCRAM-SHA-256", "PLAIN"}));
          break;
        case 7:
          actions = made.element(sasl_success{});
          break;
        case 8:
          actions = made.element(bind());
          break;
        case 9:
          actions = made.element(sasl_challenge{"cj1h"});
          break;
        case 10:
          actions = made.element(
              login_answer{"x", false, "", "terrence@chat.example/x"});
          break;
        default:
          actions = made.unexpected_element();
      }
      if (ended && !actions.empty()) ++after_end;
      if (!tls && sent(actions).find("sasl") != std::string::npos) ++early;
      for (const login_action& each : actions) {
        tls_asked |= std::holds_alternative<login_start_tls>(each);
        ended |= std::holds_alternative<login_failed>(each);
        succeeded += std::holds_alternative<login_succeeded>(each) ? 1 : 0;
      }
    }
  }
  std::printf(
      "seed %u: %d runs, %d credentials before TLS, %d logins without proof, "
      "%d actions after the end\n",
      seed, runs, early, succeeded, after_end);
  EXPECT_EQ(early, 0);
  EXPECT_EQ(succeeded, 0);
  EXPECT_EQ(after_end, 0);
}

}  // namespace
}  // namespace sotto
