#include "cli/request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "cli/line_reader.hpp"

namespace sotto::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string pin =
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// The request of a line that has to be understood.
template <class Wanted>
Wanted understood(const std::string& line) {
  const auto made = parse_line(line);
  if (!made) {
    ADD_FAILURE() << line << ": " << made.failure().message;
    return {};
  }
  const auto* wanted = std::get_if<Wanted>(&*made);
  if (wanted == nullptr) {
    ADD_FAILURE() << line << " is something else";
    return {};
  }
  return *wanted;
}

/// The engine's command of a line that has to be one.
template <class Order>
Order ordered(const std::string& line) {
  const auto made = understood<command>(line);
  const auto* order = std::get_if<Order>(&made);
  if (order == nullptr) {
    ADD_FAILURE() << line << " is another command";
    return {};
  }
  return *order;
}

std::string refusal(const std::string& line) {
  const auto made = parse_line(line);
  if (made) {
    ADD_FAILURE() << "understood: " << line;
    return {};
  }
  return made.failure().message;
}

// -- every form --------------------------------------------------------------

TEST(Request, IsNothingForAnEmptyLineOrAComment) {
  for (const char* line : {"", "   ", "\t\r\n", "# a comment", "#send a b c"})
    understood<std::monostate>(line);
}

TEST(Request, AddsAnAccount) {
  const auto order = ordered<add_account>(
      "account add me@here password=pw host=::1 port=5223 ca=/a/b.pem pin=" +
      pin + " plain=yes");
  EXPECT_EQ(order.account, "me@here");
  ASSERT_TRUE(order.password);
  EXPECT_EQ(order.password->view(), "pw");
  EXPECT_EQ(order.host, "::1");
  EXPECT_EQ(order.port, 5223);
  EXPECT_EQ(order.ca_file, "/a/b.pem");
  EXPECT_EQ(order.pin, pin);
  EXPECT_TRUE(order.allow_plain);
}

TEST(Request, AddsAnAccountWithNothingButAPassword) {
  const auto order =
      ordered<add_account>(R"(account add me@here password="a b=c \" d")");
  ASSERT_TRUE(order.password);
  EXPECT_EQ(order.password->view(), "a b=c \" d");
  EXPECT_EQ(order.host, "");
  EXPECT_EQ(order.port, 0);
  EXPECT_EQ(order.pin, "");
  EXPECT_FALSE(order.allow_plain);
}

TEST(Request, WantsAPasswordForAnAccount) {
  EXPECT_THAT(refusal("account add me@here host=h"), HasSubstr("password"));
}

TEST(Request, TakesAPinWithColonsAndInAnyCase) {
  std::string colons;
  for (std::size_t i = 0; i < pin.size(); i += 2)
    colons += (colons.empty() ? "" : ":") + pin.substr(i, 2);
  std::string upper = colons;
  for (auto& c : upper)
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  const std::string begin = "account add me@here password=x ";
  for (const auto& written :
       {"pin=" + pin, "pin=" + colons, "pin=" + upper,
        "\"pin=" + pin.substr(0, 32) + ' ' + pin.substr(32) + '"'})
    EXPECT_EQ(ordered<add_account>(begin + written).pin, pin) << written;
  EXPECT_EQ(ordered<add_account>(begin + "pin=").pin, "");
}

TEST(Request, RefusesAPinThatIsNone) {
  const std::string begin = "account add me@here password=x pin=";
  for (const auto& written : {pin.substr(1), pin + "0", "g" + pin.substr(1),
                              std::string{"abc"}, "0x" + pin.substr(2)})
    EXPECT_THAT(refusal(begin + written), HasSubstr("64 hex digits"))
        << written;
}

TEST(Request, RefusesAPortThatIsNone) {
  for (const char* port : {"0", "65536", "-1", "x", "52x", "", " 52", "5.2"})
    EXPECT_THAT(refusal("account add me@here password=x \"port=" +
                        std::string{port} + '"'),
                HasSubstr("1 to 65535"))
        << port;
  EXPECT_EQ(ordered<add_account>("account add m@h password=x port=65535").port,
            65535);
}

TEST(Request, PermitsPlainByYesOnly) {
  const std::string begin = "account add me@here password=x plain=";
  EXPECT_FALSE(ordered<add_account>(begin + "no").allow_plain);
  for (const char* value : {"", "true", "1", "YES", "maybe"})
    EXPECT_THAT(refusal(begin + value), HasSubstr("yes or no")) << value;
}

TEST(Request, NamesAccountsInCommandsOfOneWord) {
  EXPECT_EQ(ordered<remove_account>("account remove me@here").account,
            "me@here");
  EXPECT_EQ(ordered<connect_account>("connect me@here").account, "me@here");
  EXPECT_EQ(ordered<disconnect_account>("disconnect me@here").account,
            "me@here");
  EXPECT_EQ(understood<show_key>("key show me@here").account, "me@here");
}

TEST(Request, AddsAContact) {
  const auto bare = ordered<add_contact>("contact add me@here sally");
  EXPECT_EQ(bare.account, "me@here");
  EXPECT_EQ(bare.contact, "sally");
  EXPECT_EQ(bare.group, "");
  EXPECT_EQ(bare.name, "");
  const auto full = ordered<add_contact>(
      R"(contact add me@here sally name="Sally the Doer" group=Friends)");
  EXPECT_EQ(full.group, "Friends");
  EXPECT_EQ(full.name, "Sally the Doer");
}

TEST(Request, RemovesAndAnswersContacts) {
  const auto gone = ordered<remove_contact>("contact remove me@here s@there");
  EXPECT_EQ(gone.account, "me@here");
  EXPECT_EQ(gone.contact, "s@there");
  const std::map<std::string, request_answer> answers{
      {"authorize", request_answer::authorize},
      {"deny", request_answer::deny},
      {"ignore", request_answer::ignore}};
  for (const auto& [word, answer] : answers) {
    const auto order =
        ordered<answer_request>("contact " + word + " me@here s@there");
    EXPECT_EQ(order.account, "me@here");
    EXPECT_EQ(order.contact, "s@there");
    EXPECT_EQ(order.answer, answer) << word;
  }
}

TEST(Request, MakesAKeyAndReplacesOneOnlyWhereAsked) {
  EXPECT_FALSE(ordered<generate_key>("key generate me@here").replace);
  EXPECT_FALSE(
      ordered<generate_key>("key generate me@here replace=no").replace);
  EXPECT_TRUE(
      ordered<generate_key>("key generate me@here replace=yes").replace);
  EXPECT_THAT(refusal("key generate me@here replace=1"),
              HasSubstr("yes or no"));
}

TEST(Request, ControlsOtr) {
  const std::map<std::string, otr_action> actions{
      {"start", otr_action::start},
      {"end", otr_action::end},
      {"refresh", otr_action::refresh}};
  for (const auto& [word, action] : actions) {
    const auto order = ordered<control_otr>("otr " + word + " me@here s@there");
    EXPECT_EQ(order.account, "me@here");
    EXPECT_EQ(order.contact, "s@there");
    EXPECT_EQ(order.action, action) << word;
  }
}

TEST(Request, SetsAPolicyForAnAccountOrAContact) {
  const std::map<std::string, otr_policy> policies{
      {"opportunistic", otr_policy::opportunistic},
      {"automatic", otr_policy::automatic},
      {"required", otr_policy::required},
      {"never", otr_policy::never}};
  for (const auto& [word, policy] : policies) {
    const auto account = ordered<set_policy>("policy me@here " + word);
    EXPECT_EQ(account.contact, "");
    EXPECT_EQ(account.policy, policy) << word;
    const auto contact = ordered<set_policy>("policy me@here s@there " + word);
    EXPECT_EQ(contact.account, "me@here");
    EXPECT_EQ(contact.contact, "s@there");
    EXPECT_EQ(contact.policy, policy) << word;
  }
  EXPECT_THAT(refusal("policy me@here sometimes"), HasSubstr("no policy"));
  EXPECT_THAT(refusal("policy me@here s@there Required"),
              HasSubstr("no policy"));
}

TEST(Request, VerifiesAFingerprintTypedInGroups) {
  const auto order = ordered<verify_fingerprint>(
      "verify fingerprint me@here s@there 8A3F12C0 0011 2233");
  EXPECT_EQ(order.account, "me@here");
  EXPECT_EQ(order.contact, "s@there");
  EXPECT_EQ(order.typed, "8A3F12C0 0011 2233 ");
  EXPECT_EQ(ordered<distrust_contact>("distrust me@here s@there").contact,
            "s@there");
}

TEST(Request, SaysThatSmpIsNotThere) {
  for (const char* line :
       {"verify question me@here s@there question=q answer=a",
        "verify secret me@here s@there secret=s",
        "verify answer me@here s@there secret=s",
        "verify abort me@here s@there"})
    EXPECT_THAT(refusal(line), AllOf(HasSubstr("not part of this version"),
                                     HasSubstr("verify fingerprint")));
}

TEST(Request, SetsTheHandshakeTimeout) {
  EXPECT_EQ(ordered<set_handshake_timeout>("set handshake-timeout=7").timeout,
            std::chrono::seconds{7});
  for (const char* line :
       {"set handshake-timeout=", "set handshake-timeout=x",
        "set handshake-timeout=-1", "set handshake-timeout=99999999999"})
    EXPECT_THAT(refusal(line), HasSubstr("number of seconds")) << line;
  EXPECT_THAT(refusal("set colour=red"), HasSubstr("no option 'colour'"));
}

TEST(Request, Shows) {
  const std::map<std::string, shown> kinds{{"roster", shown::roster},
                                           {"chat", shown::chat},
                                           {"keys", shown::keys},
                                           {"sessions", shown::sessions},
                                           {"trace", shown::trace}};
  for (const auto& [word, kind] : kinds) {
    EXPECT_EQ(understood<show>("show " + word).what, kind);
    EXPECT_EQ(understood<show>("show " + word + " me@here").account, "me@here");
    const auto one = understood<show>("show " + word + " me@here s@there");
    EXPECT_EQ(one.what, kind);
    EXPECT_EQ(one.contact, "s@there");
  }
  EXPECT_THAT(refusal("show weather"), HasSubstr("cannot be shown"));
  understood<show_status>("status");
  understood<show_help>("help");
  understood<quit>("quit");
}

TEST(Request, Waits) {
  const auto bare = understood<wait_for>("wait link");
  EXPECT_EQ(bare.event, "link");
  EXPECT_TRUE(bare.values.empty());
  EXPECT_EQ(bare.timeout, std::chrono::seconds{30});
  const auto full = understood<wait_for>(
      R"(wait message jid=s@there "text=a = b" timeout=0.25 state=sent)");
  EXPECT_EQ(full.event, "message");
  EXPECT_EQ(full.values,
            (std::map<std::string, std::string>{
                {"jid", "s@there"}, {"text", "a = b"}, {"state", "sent"}}));
  EXPECT_EQ(full.timeout, std::chrono::milliseconds{250});
}

TEST(Request, RefusesATimeoutThatIsNone) {
  for (const char* timeout : {"", "x", "-1", "nan", "inf", "86401", "1s"})
    EXPECT_THAT(refusal("wait link timeout=" + std::string{timeout}),
                HasSubstr("number of seconds"))
        << timeout;
  EXPECT_EQ(understood<wait_for>("wait link timeout=86400").timeout,
            std::chrono::hours{24});
  EXPECT_EQ(understood<wait_for>("wait link timeout=0").timeout.count(), 0);
}

// -- the text of a message ---------------------------------------------------

TEST(Send, TakesTheRestOfTheLineAsItWasTyped) {
  const std::map<std::string, std::string> texts{
      {"Hello", "Hello"},
      {"two  spaces", "two  spaces"},
      {R"(say "x" twice)", R"(say "x" twice)"},
      {"don't", "don't"},
      {"I don't say don't", "I don't say don't"},
      {R"(an open " quote)", R"(an open " quote)"},
      {R"(C:\new\table)", R"(C:\new\table)"},
      {"key=value # no comment", "key=value # no comment"},
      {"?OTRv23?", "?OTRv23?"},
      {"漢字 😀", "漢字 😀"}};
  for (const auto& [typed, text] : texts) {
    const auto order = ordered<send_text>("send me@here s@there " + typed);
    EXPECT_EQ(order.account, "me@here");
    EXPECT_EQ(order.contact, "s@there");
    EXPECT_EQ(order.text, text);
  }
}

TEST(Send, TakesTheWordsOfAQuotedText) {
  EXPECT_EQ(ordered<send_text>(R"(send a b "one  two")").text, "one  two");
  EXPECT_EQ(ordered<send_text>(R"(send a b 'say "x"')").text, R"(say "x")");
  EXPECT_EQ(ordered<send_text>(R"(send a b "a \"b\" c")").text, R"(a "b" c)");
  EXPECT_EQ(ordered<send_text>(R"(send a b "  led by spaces")").text,
            "  led by spaces");
}

TEST(Send, ReadsItsAddressesFromQuotes) {
  const auto order = ordered<send_text>(R"(send "me@here" 's@there' hello)");
  EXPECT_EQ(order.account, "me@here");
  EXPECT_EQ(order.contact, "s@there");
  EXPECT_EQ(order.text, "hello");
}

TEST(Send, RefusesATextWhoseFirstQuoteIsNotClosed) {
  EXPECT_THAT(refusal(R"(send a b "one two)"), HasSubstr("quote"));
  EXPECT_THAT(refusal("send a b 'tis the season"), HasSubstr("quote"));
}

TEST(Send, RefusesToSendNothing) {
  EXPECT_THAT(refusal("send a b"), HasSubstr("send ACCOUNT JID TEXT"));
  EXPECT_THAT(refusal("send a b   "), HasSubstr("send ACCOUNT JID TEXT"));
}

TEST(Send, DropsTheEndOfTheLine) {
  EXPECT_EQ(ordered<send_text>("send a b hello\r\n").text, "hello");
}

// -- what is wrong with a line -----------------------------------------------

TEST(Request, NamesTheFormsOfACommandThatIsWrittenWrong) {
  EXPECT_THAT(refusal("account"), AllOf(HasSubstr("account add JID"),
                                        HasSubstr("account remove JID")));
  EXPECT_THAT(refusal("otr begin a b"), HasSubstr("otr start ACCOUNT JID"));
  EXPECT_THAT(refusal("otr start a"), HasSubstr("otr start ACCOUNT JID"));
  EXPECT_THAT(refusal("dance"), HasSubstr("There is no command 'dance'"));
  EXPECT_THAT(refusal("Connect a"), HasSubstr("There is no command"));
}

TEST(Request, RefusesWordsTooMany) {
  for (const char* line :
       {"status now", "help me", "quit please", "connect a b", "disconnect a b",
        "account remove a b", "contact remove a b c", "contact deny a b c",
        "contact add a b group=c name=d e=f", "key show a b",
        "key generate a replace=yes b", "otr start a b c", "distrust a b c",
        "policy a b never c", "show chat a b c", "verify abort a b c",
        "set handshake-timeout=1 2"})
    EXPECT_THAT(refusal(line), HasSubstr("Write: ")) << line;
}

TEST(Request, RefusesWordsTooFew) {
  for (const char* line :
       {"account add", "account remove", "connect", "disconnect",
        "contact add a", "contact remove a", "contact authorize a",
        "key generate", "key show", "send a", "otr end a", "policy a",
        "verify fingerprint a b", "distrust a", "show", "wait", "set"})
    EXPECT_THAT(refusal(line), HasSubstr("Write: ")) << line;
}

TEST(Request, RefusesOptionsUnknownOrGivenTwice) {
  EXPECT_THAT(refusal("account add a password=x colour=red"),
              HasSubstr("no option 'colour'"));
  EXPECT_THAT(refusal("contact add a b group=x group=y"),
              HasSubstr("given twice"));
  EXPECT_THAT(refusal("wait link state=a state=b"), HasSubstr("given twice"));
  EXPECT_THAT(refusal("contact add a b Friends"), HasSubstr("key=value"));
  EXPECT_THAT(refusal("wait link =online"), HasSubstr("key=value"));
}

TEST(Request, RefusesAZeroByte) {
  using namespace std::string_literals;
  EXPECT_THAT(refusal("send a b x\0y"s), HasSubstr("zero byte"));
}

TEST(Request, RefusesALineThatIsTooLong) {
  EXPECT_THAT(refusal("send a b " + std::string(line_reader::max_line, 'x')),
              HasSubstr("1 MiB"));
}

TEST(Request, StandsAnyLine) {
  const auto seed = std::random_device{}();
  std::mt19937 random{seed};
  const auto& forms = grammar();
  std::uniform_int_distribution<std::size_t> form{0, forms.size() - 1};
  std::uniform_int_distribution<int> byte{0, 255};
  constexpr int lines = 20'000;
  int refused = 0;
  for (int i = 0; i < lines; ++i) {
    auto line = forms[form(random)];
    for (int change = 0; change < 3; ++change)
      line[random() % line.size()] = static_cast<char>(byte(random));
    if (!parse_line(line)) ++refused;
    without_secrets(line);
  }
  EXPECT_GT(refused, 0) << "seed " << seed;
  EXPECT_LT(refused, lines) << "seed " << seed;
  std::printf("seed %u: %d lines tried, %d refused\n", seed, lines, refused);
}

TEST(Grammar, HasALineForEveryCommand) {
  std::set<std::string> first_words;
  for (const auto& line : grammar())
    first_words.insert(line.substr(0, line.find(' ')));
  EXPECT_EQ(first_words,
            (std::set<std::string>{"account", "connect", "disconnect", "status",
                                   "contact", "key", "send", "otr", "policy",
                                   "verify", "distrust", "show", "wait", "set",
                                   "help", "quit"}));
}

// -- secrets -----------------------------------------------------------------

TEST(WithoutSecrets, LeavesOutWhatIsSecret) {
  for (const char* line :
       {"account add me@here password=hunter2 host=h",
        R"(account add me@here "password=hunter2")",
        R"(account add me@here password="x hunter2 y")",
        "verify secret me@here s@there secret=hunter2",
        "verify answer me@here s@there secret=hunter2",
        "verify question me@here s@there question=hunter2 answer=hunter2",
        "send me@here s@there hunter2", "send me@here s@there don't hunter2",
        R"(send me@here s@there "hunter2")", R"(send me@here s@there 'hunter2)",
        R"(account add me@here password="hunter2)",
        R"(  account add me@here password='hunter2)"})
    EXPECT_THAT(without_secrets(line), Not(HasSubstr("hunter2"))) << line;
}

TEST(WithoutSecrets, LeavesOutAPasswordThatWasWrittenWrong) {
  for (const char* line :
       {"account add me@here password=my hunter2",
        "account add me@here password= hunter2",
        "account add me@here password hunter2", "account add me@here hunter2",
        "account add me@here PASSWORD=hunter2",
        "account add me@here passwort=hunter2",
        "verify secret me@here s@there hunter2",
        "verify answer me@here s@there the hunter2"}) {
    EXPECT_THAT(without_secrets(line), Not(HasSubstr("hunter2"))) << line;
    EXPECT_THAT(refusal(line), Not(HasSubstr("hunter2"))) << line;
  }
}

TEST(WithoutSecrets, LeavesOutTheTextThatIsWaitedFor) {
  EXPECT_THAT(without_secrets("wait message text=hunter2 state=sent"),
              AllOf(Not(HasSubstr("hunter2")), HasSubstr("state=sent")));
}

TEST(WithoutSecrets, KeepsWhatTellsTheCommand) {
  EXPECT_EQ(without_secrets("otr  start me@here s@there"),
            "otr start me@here s@there");
  EXPECT_EQ(without_secrets("send me@here s@there hello"),
            "send me@here s@there");
  EXPECT_EQ(without_secrets("account add me@here password=x host=h"),
            "account add me@here password=… host=h");
  EXPECT_EQ(without_secrets("wait link state=online timeout=3"),
            "wait link state=online timeout=3");
}

TEST(WithoutSecrets, IsShort) {
  EXPECT_LE(without_secrets("connect " + std::string(10'000, 'x')).size(),
            210u);
}

}  // namespace
}  // namespace sotto::cli
