#include "cli/event_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <set>

namespace sotto::cli {
namespace {

using nlohmann::json;
using std::chrono::system_clock;
using testing::IsSupersetOf;

constexpr const char* me = "me@here";
constexpr const char* sally = "sally@there";
const std::string print_text = "00112233445566778899AABBCCDDEEFF00112233";

/// The object of an event that has to be told.
json told(const event& what) {
  const auto object = to_json(what);
  if (!object) {
    ADD_FAILURE() << "not told";
    return json::object();
  }
  return *object;
}

std::set<std::string> keys_of(const json& object) {
  std::set<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

system_clock::time_point noon() {
  return system_clock::time_point{std::chrono::milliseconds{1'700'000'000'042}};
}

message_view message() {
  message_view row;
  row.id = "id1";
  row.outgoing = true;
  row.text = "Hello";
  row.security = message_security::verified;
  row.state = message_state::sent;
  row.time = noon();
  return row;
}

contact_view contact() {
  contact_view row;
  row.account = me;
  row.contact = sally;
  row.name = "Sally";
  row.groups = {"Friends", "Doers"};
  row.subscribed = subscription::both;
  row.standing = contact_standing::accepted;
  row.presence = "away";
  row.resources = {{"phone", presence_show::away, "out", 5}};
  return row;
}

conversation_state conversation() {
  conversation_state state;
  state.account = me;
  state.contact = sally;
  state.state = otr_state::unverified;
  state.fingerprint = print_text;
  state.standing = key_standing::first;
  state.policy = otr_policy::automatic;
  state.private_expected = true;
  state.version = 3;
  state.instance = 0x0A1B2C3D;
  state.resource = "phone";
  state.queued = 2;
  return state;
}

// -- events ------------------------------------------------------------------

TEST(EventJson, TellsALink) {
  EXPECT_EQ(told(link_changed{me, link_phase::waiting, "no route"}),
            (json{{"event", "link"},
                  {"account", me},
                  {"state", "waiting"},
                  {"error", "no route"}}));
}

TEST(EventJson, HasAWordForEveryPhaseOfALink) {
  constexpr std::array<std::pair<link_phase, const char*>, 8> words{
      {{link_phase::offline, "offline"},
       {link_phase::resolving, "resolving"},
       {link_phase::connecting, "connecting"},
       {link_phase::securing, "securing"},
       {link_phase::authenticating, "authenticating"},
       {link_phase::online, "online"},
       {link_phase::waiting, "waiting"},
       {link_phase::failed, "failed"}}};
  for (const auto& [phase, word] : words)
    EXPECT_EQ(told(link_changed{me, phase, ""}).at("state"), word);
}

TEST(EventJson, TellsACertificate) {
  EXPECT_EQ(told(certificate_asked{me, "ab12", "expired,self_signed", "Why."}),
            (json{{"event", "certificate"},
                  {"account", me},
                  {"sha256", "ab12"},
                  {"problem", "expired,self_signed"},
                  {"explanation", "Why."}}));
}

TEST(EventJson, TellsAContact) {
  EXPECT_EQ(
      told(contact_changed{contact()}),
      (json{
          {"event", "roster"},
          {"account", me},
          {"jid", sally},
          {"name", "Sally"},
          {"groups", {"Friends", "Doers"}},
          {"subscription", "both"},
          {"ask", ""},
          {"presence", "away"},
          {"resources",
           {{{"resource", "phone"}, {"presence", "away"}, {"priority", 5}}}}}));
}

TEST(EventJson, TellsWhereARequestForAuthorizationStands) {
  auto row = contact();
  row.subscribed = subscription::none;
  row.ask_subscribe = true;
  row.standing = contact_standing::waiting;
  EXPECT_EQ(told(contact_changed{row}).at("ask"), "subscribe");
  row.ask_subscribe = false;
  row.standing = contact_standing::declined;
  EXPECT_EQ(told(contact_changed{row}).at("ask"), "declined");
}

TEST(EventJson, TellsAWarningOnlyWhereThereIsOne) {
  auto row = contact();
  EXPECT_FALSE(told(contact_changed{row}).contains("warning"));
  row.warning = "mixed scripts";
  EXPECT_EQ(told(contact_changed{row}).at("warning"), "mixed scripts");
}

TEST(EventJson, TellsAContactThatIsGone) {
  const auto object = told(contact_removed{me, sally});
  EXPECT_EQ(object.at("event"), "roster");
  EXPECT_EQ(object.at("account"), me);
  EXPECT_EQ(object.at("jid"), sally);
  EXPECT_EQ(object.at("subscription"), "remove");
  EXPECT_EQ(object.at("presence"), "unavailable");
  EXPECT_EQ(keys_of(object), keys_of(told(contact_changed{contact()})));
}

TEST(EventJson, HasAWordForEverySubscription) {
  constexpr std::array<std::pair<subscription, const char*>, 5> words{
      {{subscription::none, "none"},
       {subscription::to, "to"},
       {subscription::from, "from"},
       {subscription::both, "both"},
       {subscription::remove, "remove"}}};
  for (const auto& [subscribed, word] : words) {
    auto row = contact();
    row.subscribed = subscribed;
    EXPECT_EQ(told(contact_changed{row}).at("subscription"), word);
  }
}

TEST(EventJson, TellsAnOpenRequest) {
  const request_view row{me, sally, "It is me.", false};
  EXPECT_EQ(told(request_changed{row, true}), (json{{"event", "request"},
                                                    {"account", me},
                                                    {"jid", sally},
                                                    {"text", "It is me."}}));
  EXPECT_EQ(told(request_changed{row, false}),
            told(request_changed{row, true}));
  const request_view ignored{me, sally, "It is me.", true};
  EXPECT_FALSE(to_json(request_changed{ignored, false}));
}

TEST(EventJson, TellsAMessage) {
  EXPECT_EQ(told(message_changed{me, sally, message()}),
            (json{{"event", "message"},
                  {"account", me},
                  {"jid", sally},
                  {"id", "id1"},
                  {"direction", "out"},
                  {"text", "Hello"},
                  {"security", "verified"},
                  {"state", "sent"}}));
}

TEST(EventJson, HasWordsForEveryMessage) {
  constexpr std::array<std::pair<message_state, const char*>, 5> states{
      {{message_state::queued, "queued"},
       {message_state::sent, "sent"},
       {message_state::acked, "acked"},
       {message_state::delivered, "delivered"},
       {message_state::failed, "failed"}}};
  constexpr std::array<std::pair<message_security, const char*>, 3> kinds{
      {{message_security::plaintext, "plaintext"},
       {message_security::unverified, "unverified"},
       {message_security::verified, "verified"}}};
  for (const auto& [state, word] : states) {
    auto row = message();
    row.state = state;
    EXPECT_EQ(told(message_changed{me, sally, row}).at("state"), word);
  }
  for (const auto& [security, word] : kinds) {
    auto row = message();
    row.security = security;
    row.outgoing = false;
    const auto object = told(message_changed{me, sally, row});
    EXPECT_EQ(object.at("security"), word);
    EXPECT_EQ(object.at("direction"), "in");
  }
}

TEST(EventJson, TellsWhyAMessageWaits) {
  auto row = message();
  row.note = "Waits until the account is online.";
  EXPECT_EQ(told(message_changed{me, sally, row}).at("note"), row.note);
}

TEST(EventJson, TellsAPrivateConversation) {
  EXPECT_EQ(told(conversation_changed{conversation(), true}),
            (json{{"event", "otr"},
                  {"account", me},
                  {"jid", sally},
                  {"state", "unverified"},
                  {"fingerprint", print_text},
                  {"policy", "automatic"},
                  {"private", true},
                  {"version", 3},
                  {"instance", "0A1B2C3D"},
                  {"resource", "phone"},
                  {"queued", 2},
                  {"blocked", false}}));
}

TEST(EventJson, HasAWordForEveryStateOfThePadlock) {
  constexpr std::array<std::pair<otr_state, const char*>, 6> words{
      {{otr_state::plaintext, "plaintext"},
       {otr_state::starting, "starting"},
       {otr_state::timed_out, "timed_out"},
       {otr_state::unverified, "unverified"},
       {otr_state::verified, "verified"},
       {otr_state::finished, "finished"}}};
  for (const auto& [padlock, word] : words) {
    auto state = conversation();
    state.state = padlock;
    EXPECT_EQ(told(conversation_changed{state, true}).at("state"), word);
  }
}

TEST(EventJson, TellsThatAChangedKeyBlocks) {
  for (const auto standing :
       {key_standing::changed, key_standing::changed_verified}) {
    auto state = conversation();
    state.standing = standing;
    EXPECT_EQ(told(conversation_changed{state, true}).at("blocked"), true);
  }
}

TEST(EventJson, KeepsStillWhereOnlyTheQueueOfAConversationChanged) {
  EXPECT_FALSE(to_json(conversation_changed{conversation(), false}));
}

TEST(EventJson, TellsAKey) {
  EXPECT_EQ(
      told(key_generated{me, print_text}),
      (json{{"event", "key"}, {"account", me}, {"fingerprint", print_text}}));
}

TEST(EventJson, TellsASystemLine) {
  EXPECT_EQ(told(notice_added{me, sally, {"started", "It begins.", noon()}}),
            (json{{"event", "notice"},
                  {"account", me},
                  {"jid", sally},
                  {"kind", "started"},
                  {"text", "It begins."}}));
}

TEST(EventJson, TellsAFailureAsAnError) {
  EXPECT_EQ(told(engine_failed{me, "The disk is full."}),
            (json{{"event", "error"},
                  {"account", me},
                  {"command", ""},
                  {"reason", "The disk is full."}}));
  EXPECT_FALSE(told(engine_failed{"", "x"}).contains("account"));
  EXPECT_EQ(
      error_json("connect a", "No."),
      (json{{"event", "error"}, {"command", "connect a"}, {"reason", "No."}}));
}

TEST(EventJson, KeepsStillAboutTracesAndFinishedCommands) {
  EXPECT_FALSE(to_json(trace_added{}));
  EXPECT_FALSE(to_json(command_finished{1, {}}));
  EXPECT_FALSE(to_json(account_changed{}));
  EXPECT_FALSE(to_json(conversation_read{}));
}

// -- answers -----------------------------------------------------------------

snapshot filled() {
  snapshot view;
  account_view account;
  account.account = me;
  account.phase = link_phase::online;
  account.fingerprint = print_text;
  account.policy = otr_policy::required;
  view.accounts.push_back(account);
  account_view other;
  other.account = "other@here";
  other.error = "no route";
  view.accounts.push_back(other);
  view.contacts.push_back(contact());
  auto second = contact();
  second.account = "other@here";
  second.contact = "bob@there";
  view.contacts.push_back(second);
  view.requests.push_back({me, "eve@there", "Hi", true});
  auto chat = std::make_shared<conversation_view>();
  chat->state = conversation();
  chat->lines.push_back(message());
  chat->lines.push_back(notice_view{"started", "It begins.", noon()});
  view.conversations.push_back(chat);
  known_key key;
  key.print = *fingerprint::parse(print_text);
  key.accepted = true;
  key.first_seen = noon();
  key.last_seen = noon();
  view.keys.push_back({me, sally, {key}});
  trace_view late{7, noon(), "otr", me, sally, "second"};
  trace_view early{6, noon(), "account", me, "", "first"};
  view.trace.push_back(late);
  view.trace.push_back(early);
  return view;
}

TEST(ShowJson, ListsTheRosterAndOpenRequests) {
  const auto all = to_json(filled(), show{shown::roster, "", ""});
  EXPECT_EQ(all.at("event"), "show");
  EXPECT_EQ(all.at("what"), "roster");
  EXPECT_EQ(all.at("roster").size(), 2u);
  const auto one = to_json(filled(), show{shown::roster, me, ""});
  ASSERT_EQ(one.at("roster").size(), 1u);
  EXPECT_EQ(one.at("roster")[0].at("jid"), sally);
  EXPECT_EQ(one.at("requests"), json::array({{{"account", me},
                                              {"jid", "eve@there"},
                                              {"text", "Hi"},
                                              {"ignored", true}}}));
}

TEST(ShowJson, ListsAChatWithItsSystemLines) {
  const auto answer = to_json(filled(), show{shown::chat, me, sally});
  EXPECT_EQ(answer.at("chat"),
            json::array({{{"account", me},
                          {"jid", sally},
                          {"id", "id1"},
                          {"direction", "out"},
                          {"text", "Hello"},
                          {"security", "verified"},
                          {"state", "sent"},
                          {"time", "2023-11-14T22:13:20.042Z"}},
                         {{"account", me},
                          {"jid", sally},
                          {"notice", "started"},
                          {"text", "It begins."},
                          {"time", "2023-11-14T22:13:20.042Z"}}}));
  EXPECT_TRUE(
      to_json(filled(), show{shown::chat, me, "bob@there"}).at("chat").empty());
}

TEST(ShowJson, ListsOwnAndKnownKeys) {
  const auto all = to_json(filled(), show{shown::keys, me, ""}).at("keys");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(
      all[0],
      (json{{"account", me}, {"own", true}, {"fingerprint", print_text}}));
  EXPECT_EQ(all[1], (json{{"account", me},
                          {"jid", sally},
                          {"own", false},
                          {"fingerprint", print_text},
                          {"verified", false},
                          {"accepted", true},
                          {"first_seen", "2023-11-14T22:13:20.042Z"},
                          {"last_seen", "2023-11-14T22:13:20.042Z"}}));
  const auto one = to_json(filled(), show{shown::keys, me, sally}).at("keys");
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].at("own"), false);
}

TEST(ShowJson, ListsSessions) {
  const auto rows =
      to_json(filled(), show{shown::sessions, "", ""}).at("sessions");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_THAT(keys_of(rows[0]),
              IsSupersetOf({"account", "jid", "state", "fingerprint", "version",
                            "instance", "policy", "queued"}));
}

TEST(ShowJson, ListsTheTraceOldestFirst) {
  const auto rows = to_json(filled(), show{shown::trace, "", ""}).at("trace");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].at("what"), "first");
  EXPECT_EQ(rows[1].at("what"), "second");
  EXPECT_EQ(to_json(filled(), show{shown::trace, me, sally}).at("trace").size(),
            1u);
}

TEST(ShowJson, TellsTheStatusOfEveryAccount) {
  EXPECT_EQ(status_json(filled()), (json{{"event", "status"},
                                         {"accounts",
                                          {{{"account", me},
                                            {"state", "online"},
                                            {"error", ""},
                                            {"fingerprint", print_text},
                                            {"policy", "required"}},
                                           {{"account", "other@here"},
                                            {"state", "offline"},
                                            {"error", "no route"},
                                            {"fingerprint", ""},
                                            {"policy", "opportunistic"}}}}}));
}

// -- lines -------------------------------------------------------------------

TEST(JsonLine, WritesTimesInUtcWithMilliseconds) {
  EXPECT_EQ(utc(noon()), "2023-11-14T22:13:20.042Z");
  EXPECT_EQ(utc(system_clock::time_point{}), "1970-01-01T00:00:00.000Z");
}

TEST(JsonLine, IsOneLineWhateverTheTextHolds) {
  auto row = message();
  row.text = "two\nlines\r\n\t\"quoted\" \\ \x01 \xE2\x80\xA8";
  const auto line = to_line(told(message_changed{me, sally, row}));
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(line.find('\r'), std::string::npos);
  EXPECT_EQ(json::parse(line).at("text"), row.text);
}

TEST(JsonLine, ReplacesBytesThatAreNoUtf8) {
  auto row = message();
  for (const char* text : {"\xFF", "a\xC0\x80z", "\xED\xA0\x80", "end \xE2"}) {
    row.text = text;
    const auto line = to_line(told(message_changed{me, sally, row}));
    EXPECT_FALSE(json::parse(line, nullptr, false).is_discarded()) << line;
  }
}

}  // namespace
}  // namespace sotto::cli
