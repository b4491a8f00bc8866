#include <gtest/gtest.h>

#include "tests/actors/world.hpp"

namespace sotto {
namespace {

using test::person;
using test::world;

/// Commands that come quickly one after the other, and failures between them.
struct faults : testing::Test {
  void SetUp() override {
    test::befriend(place, terrence, sally);
    ASSERT_FALSE(terrence.say(sally, "hello"));
  }
  message_state state_of(const std::string& text) {
    const auto message = terrence.message(text);
    EXPECT_TRUE(message) << text;
    return message ? message->state : message_state::failed;
  }
  void kill_account() {
    caf::anon_send_exit(terrence.actors_of(sally).account,
                        caf::exit_reason::kill);
  }
  world place;
  person terrence{place, "terrence@localhost"};
  person sally{place, "sally@localhost"};
};

TEST_F(faults, a_connect_right_after_a_disconnect_comes_online) {
  terrence.submit(disconnect_account{terrence.account()});
  terrence.submit(connect_account{terrence.account()});
  place.pass(std::chrono::seconds{5});
  EXPECT_EQ(terrence.link(), link_phase::online);
  EXPECT_EQ(sally.contact(terrence.account())->presence, "available");
}

TEST_F(faults, a_message_under_way_survives_its_account) {
  const auto actors = terrence.actors_of(sally);
  terrence.submit(send_text{terrence.account(), sally.account(), "first"});
  caf::anon_send_exit(actors.account, caf::exit_reason::kill);
  place.pass(std::chrono::seconds{60});
  EXPECT_EQ(terrence.link(), link_phase::online);
  ASSERT_FALSE(terrence.say(sally, "second"));
  EXPECT_EQ(state_of("first"), message_state::sent);
  EXPECT_EQ(state_of("second"), message_state::sent);
}

TEST_F(faults, a_removed_account_says_goodbye_and_leaves_nobody) {
  ASSERT_FALSE(terrence.otr(sally, otr_action::start));
  for (int i = 0; i < 5; ++i)
    terrence.submit(send_text{terrence.account(), sally.account(),
                              "message " + std::to_string(i)});
  terrence.submit(remove_account{terrence.account()});
  place.pass(std::chrono::seconds{10});
  EXPECT_EQ(sally.state(terrence), otr_state::finished);
  EXPECT_TRUE(terrence.view()->accounts.empty());
  terrence.stop();
  sally.stop();
  EXPECT_EQ(place.system.registry().running(), 0U);
}

TEST_F(faults, an_account_that_was_disconnected_stays_so_when_it_fails) {
  ASSERT_FALSE(terrence.order(disconnect_account{terrence.account()}));
  kill_account();
  place.pass(std::chrono::seconds{60});
  EXPECT_EQ(terrence.link(), link_phase::offline);
}

TEST_F(faults, an_account_that_is_added_again_knows_nobody) {
  terrence.restart();
  ASSERT_FALSE(terrence.order(remove_account{terrence.account()}));
  ASSERT_FALSE(terrence.order(add_account{
      terrence.account(),
      std::make_shared<const secret>(secret::copy_of(std::string_view{"pw"})),
      {},
      0,
      {},
      {},
      false}));
  place.pass(std::chrono::seconds{1});
  EXPECT_TRUE(terrence.view()->contacts.empty());
}

TEST_F(faults, a_request_that_was_denied_does_not_come_back) {
  person peter{place, "peter@localhost"};
  ASSERT_FALSE(peter.connect());
  ASSERT_FALSE(
      peter.order(add_contact{peter.account(), terrence.account(), "", ""}));
  terrence.restart();
  ASSERT_FALSE(terrence.connect());
  ASSERT_NE(terrence.request(peter.account()), nullptr);
  ASSERT_FALSE(terrence.order(answer_request{
      terrence.account(), peter.account(), request_answer::deny}));
  ASSERT_FALSE(terrence.say(sally, "still here"));
  kill_account();
  place.pass(std::chrono::seconds{60});
  EXPECT_EQ(terrence.request(peter.account()), nullptr);
}

TEST_F(faults, a_clear_message_that_waits_outlives_an_end_of_otr) {
  ASSERT_FALSE(terrence.order(disconnect_account{terrence.account()}));
  ASSERT_FALSE(terrence.say(sally, "plain"));
  ASSERT_FALSE(terrence.otr(sally, otr_action::end));
  EXPECT_EQ(state_of("plain"), message_state::queued);
  ASSERT_FALSE(terrence.connect());
  EXPECT_EQ(state_of("plain"), message_state::sent);
}

TEST_F(faults, what_was_typed_after_a_start_never_goes_in_the_clear) {
  sally.stop();
  terrence.submit(
      control_otr{terrence.account(), sally.account(), otr_action::start});
  terrence.submit(send_text{terrence.account(), sally.account(), "private 1"});
  terrence.submit(send_text{terrence.account(), sally.account(), "private 2"});
  place.settle();
  caf::anon_send_exit(terrence.actors_of(sally).otr, caf::exit_reason::kill);
  place.settle();
  EXPECT_FALSE(place.saw("private"));
}

TEST_F(faults, a_failed_session_tells_that_it_is_private_no_more) {
  ASSERT_FALSE(terrence.otr(sally, otr_action::start));
  const auto before = terrence.otr_changes;
  caf::anon_send_exit(terrence.actors_of(sally).session,
                      caf::exit_reason::kill);
  place.settle();
  EXPECT_EQ(terrence.state(sally), otr_state::plaintext);
  EXPECT_EQ(terrence.otr_changes, before + 1);
}

TEST_F(faults, late_handshakes_of_strangers_begin_no_conversation) {
  for (int i = 0; i < 500; ++i) {
    message_stanza late;
    late.from = *jid::parse("u" + std::to_string(i) + "@evil/x");
    late.to = terrence.address();
    late.type = message_type::chat;
    late.body = "?OTRv23?";
    late.delay = std::chrono::system_clock::now();
    place.hub.inject(terrence.address(), late);
  }
  place.pass(std::chrono::seconds{1});
  EXPECT_EQ(terrence.view()->conversations.size(), 1U);
}

TEST_F(faults, a_send_while_all_stops_is_refused) {
  command_id id = 0;
  terrence.stop_while([&] {
    id = terrence.submit(send_text{terrence.account(), "new@localhost", "x"});
  });
  EXPECT_TRUE(terrence.stopped());
  EXPECT_TRUE(terrence.finished(id));
}

TEST_F(faults, a_message_is_sent_before_a_stop_that_follows_at_once) {
  person peter{place, "peter@localhost"};
  ASSERT_FALSE(peter.connect());
  terrence.stop_while([] {});
  terrence.start();
  ASSERT_FALSE(terrence.connect());
  terrence.submit(send_text{terrence.account(), peter.account(), "goodbye"});
  terrence.stop();
  EXPECT_EQ(peter.heard(terrence), std::vector<std::string>{"goodbye"});
}

TEST_F(faults, text_that_cannot_be_sent_is_refused_at_once) {
  for (const std::string& text :
       {std::string{}, std::string{"?OTR?"}, std::string{"\xff"},
        std::string(300'000, 'x')}) {
    const auto refused = terrence.say(sally, text);
    ASSERT_TRUE(refused) << text.substr(0, 10);
    EXPECT_EQ(refused->code, errc::invalid_argument);
  }
}

TEST(fault_of_the_keyring, a_key_made_for_a_removed_account_is_not_kept) {
  world place;
  person terrence{place, "terrence@localhost", -1};
  std::vector<std::function<void()>> jobs;
  terrence.key_runner = [&](std::function<void()> job) {
    jobs.push_back(std::move(job));
  };
  terrence.submit(generate_key{terrence.account(), false});
  place.settle();
  ASSERT_EQ(jobs.size(), 1U);
  ASSERT_FALSE(terrence.order(remove_account{terrence.account()}));
  jobs[0]();
  jobs.clear();
  place.settle();
  EXPECT_EQ(terrence.rows(), 0U);
}

/// A server that is online at once and refuses whatever it is asked.
class refusing_server : public transport_factory {
 public:
  std::unique_ptr<transport> make(
      link_settings settings,
      std::shared_ptr<transport_listener> listener) override {
    return std::make_unique<link_to_it>(std::move(settings),
                                        std::move(listener));
  }

 private:
  class link_to_it : public transport {
   public:
    link_to_it(link_settings settings,
               std::shared_ptr<transport_listener> listener)
        : settings_(std::move(settings)), listener_(std::move(listener)) {}
    void open() override {
      link_change change;
      change.phase = link_phase::online;
      change.bound = *settings_.account.with_resource("r");
      listener_->on_link(change);
    }
    bool send(const stanza& out) override {
      const auto* asked = std::get_if<iq_stanza>(&out);
      if (asked == nullptr || asked->type != iq_type::get) return true;
      iq_stanza answer;
      answer.id = asked->id;
      answer.type = iq_type::error;
      answer.error = stanza_error{"wait", "resource-constraint", {}};
      listener_->on_stanza(answer);
      return true;
    }
    void close() override {
      link_change change;
      change.phase = link_phase::offline;
      listener_->on_link(change);
    }

   private:
    link_settings settings_;
    std::shared_ptr<transport_listener> listener_;
  };
};

TEST_F(faults, a_roster_that_the_server_refuses_erases_nobody) {
  terrence.stop();
  const auto rows = terrence.rows();
  terrence.transports = std::make_shared<refusing_server>();
  terrence.start();
  ASSERT_FALSE(terrence.connect());
  EXPECT_NE(terrence.contact(sally.account()), nullptr);
  EXPECT_GE(terrence.rows(), rows);
  EXPECT_FALSE(terrence.alarms.empty());
}

/// R23: the address follows the device that a session stands with.
TEST_F(faults, a_session_with_another_device_goes_to_that_device) {
  ASSERT_FALSE(terrence.otr(sally, otr_action::start));
  ASSERT_FALSE(terrence.verify(sally));
  person second{place, sally.account(), 4, "second"};
  ASSERT_FALSE(second.connect());
  ASSERT_FALSE(second.otr(terrence, otr_action::start));
  ASSERT_EQ(second.state(terrence), otr_state::unverified);
  ASSERT_FALSE(terrence.verify(second));
  ASSERT_FALSE(terrence.say(second, "for the second"));
  EXPECT_EQ(second.heard(terrence), std::vector<std::string>{"for the second"});
  EXPECT_EQ(terrence.conversation(second).resource, "second");
  ASSERT_FALSE(sally.say(terrence, "from the first"));
  ASSERT_FALSE(terrence.say(sally, "for the first"));
  EXPECT_EQ(sally.heard(terrence).back(), "for the first");
  EXPECT_FALSE(place.saw("for the"));
}

}  // namespace
}  // namespace sotto
