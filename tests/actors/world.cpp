#include "tests/actors/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "actors/snapshot_actor.hpp"
#include "actors/store_actor.hpp"
#include "actors/supervisor_actor.hpp"
#include "tests/support/otr_pair.hpp"

namespace sotto::test {

namespace {

/// Where nothing waits for a thread.
void run_at_once(const std::function<void()>& job) { job(); }

}  // namespace

world::world() {
  hub.set_tap([this](const message_stanza& seen) { tapped.push_back(seen); });
}

world::~world() {
  settle();
  if (system.registry().running() == 0) return;
  std::fprintf(stderr, "%zu actors are left over\n",
               system.registry().running());
  std::abort();
}

caf::scheduler::test_coordinator& world::scheduler() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
}

void world::settle() { scheduler().run(); }

void world::pass(std::chrono::milliseconds time) {
  constexpr std::chrono::milliseconds step{100};
  settle();
  for (; time.count() > 0; time -= step) {
    scheduler().advance_time(step);
    settle();
  }
}

bool world::pass_until(const std::function<bool()>& so,
                       std::chrono::seconds most) {
  settle();
  for (std::chrono::milliseconds passed{0}; !so();
       passed += std::chrono::milliseconds{100}) {
    if (passed > most) return false;
    pass(std::chrono::milliseconds{100});
  }
  return true;
}

bool world::saw(const std::string& text) const {
  return std::any_of(tapped.begin(), tapped.end(), [&](const auto& message) {
    return message.body && message.body->find(text) != std::string::npos;
  });
}

person::person(world& place, const std::string& account, int key,
               const std::string& resource)
    : person(place, account, key < 0 ? nullptr : identity_of(account, key),
             resource) {}

person::person(world& place, const std::string& account,
               const std::shared_ptr<const otr_identity>& identity,
               const std::string& resource)
    : place_(place), account_(account), data_(std::make_shared<memory_rows>()) {
  account_settings settings;
  settings.account = address();
  settings.password =
      std::make_shared<const secret>(secret::copy_of(std::string_view{"pw"}));
  settings.resource = resource;
  std::vector<vault_change> rows;
  rows.push_back(account_row(settings));
  rows.push_back(password_row(settings));
  if (identity) rows.push_back(identity_row(*identity));
  EXPECT_TRUE(memory_vault{data_}.apply(rows));
  start();
}

person::~person() {
  if (!stopped_) stop();
}

void person::start() {
  auto storage = std::make_shared<memory_vault>(data_);
  auto stored = load_state(*storage);
  ASSERT_TRUE(stored) << stored.failure().message;
  contacts_.clear();
  requests_.clear();
  conversations_.clear();
  link_ = link_phase::offline;
  stopped_ = false;
  cell_ = std::make_shared<snapshot_cell>();
  snapshots_ = spawn_snapshot(
      place_.system,
      {cell_, [this](const event& what) { note(what); }, nullptr});
  store_ = spawn_store(place_.system, storage, run_at_once, snapshots_);
  supervisor_config children;
  children.stored = *std::move(stored);
  children.transports = transports ? transports : place_.hub.factory();
  children.key_runner = [this](std::function<void()> job) {
    key_runner ? key_runner(std::move(job)) : job();
  };
  children.store = store_;
  children.snapshots = snapshots_;
  children.on_stopped = [this] { stopped_ = true; };
  supervisor_ = spawn_supervisor(place_.system, std::move(children));
  place_.settle();
}

void person::stop() {
  stop_while([] {});
}

void person::stop_while(const std::function<void()>& meanwhile) {
  caf::anon_send(supervisor_, stop_actor{});
  meanwhile();
  EXPECT_TRUE(place_.pass_until([this] { return stopped_; }));
  release();
}

void person::crash() {
  caf::anon_send_exit(supervisor_, caf::exit_reason::kill);
  place_.settle();
  stopped_ = true;
  release();
}

/// What is left when the supervisor is gone.
void person::release() {
  caf::anon_send(store_, stop_actor{});
  caf::anon_send(snapshots_, stop_actor{});
  place_.settle();
  supervisor_ = supervisor_handle{};
  store_ = store_handle{};
  snapshots_ = snapshot_handle{};
}

command_id person::submit(command wanted) {
  const auto id = ++last_id_;
  caf::anon_send(supervisor_, ui_command{id, std::move(wanted)});
  return id;
}

std::optional<error> person::order(command wanted) {
  const auto id = submit(std::move(wanted));
  place_.settle();
  const auto done = finished_.find(id);
  if (done == finished_.end())
    return error{errc::timeout, "the command did not finish"};
  return done->second;
}

std::optional<error> person::connect() {
  if (auto failure = order(connect_account{account_})) return failure;
  if (!place_.pass_until([this] { return link_ == link_phase::online; }))
    return error{errc::timeout, account_ + " did not come online"};
  return std::nullopt;
}

std::optional<error> person::say(const person& to, const std::string& text) {
  return order(send_text{account_, to.account_, text});
}

std::optional<error> person::otr(const person& with, otr_action action) {
  return order(control_otr{account_, with.account_, action});
}

std::optional<error> person::policy(const person& with, otr_policy wanted) {
  return order(set_policy{account_, with.account_, wanted});
}

std::optional<error> person::verify(const person& whom) {
  return order(verify_fingerprint{account_, whom.account_, whom.fingerprint()});
}

std::string person::fingerprint() const { return fingerprint_; }

const contact_view* person::contact(const std::string& name) const {
  const auto found = contacts_.find(name);
  return found == contacts_.end() ? nullptr : &found->second;
}

const request_view* person::request(const std::string& name) const {
  const auto found = requests_.find(name);
  return found == requests_.end() ? nullptr : &found->second;
}

conversation_state person::conversation(const person& with) const {
  const auto found = conversations_.find(with.account_);
  return found == conversations_.end() ? conversation_state{} : found->second;
}

std::vector<std::string> person::heard(const person& from) const {
  std::vector<std::string> list;
  for (const auto& [contact, message] : messages_)
    if (contact == from.account_ && !message.outgoing)
      list.push_back(message.text);
  return list;
}

std::optional<message_view> person::message(const std::string& text) const {
  for (const auto& [contact, message] : messages_)
    if (message.text == text) return message;
  return std::nullopt;
}

bool person::noticed(const std::string& kind) const {
  return std::find(notices_.begin(), notices_.end(), kind) != notices_.end();
}

session_actors person::actors_of(const person& contact) {
  session_actors found;
  caf::scoped_actor self{place_.system};
  auto asked = self->request(supervisor_, caf::infinite,
                             find_session{account_, contact.account_});
  place_.settle();
  asked.receive([&](const session_actors& actors) { found = actors; },
                [](const caf::error&) {});
  return found;
}

void person::note(const event& what) {
  if (const auto* done = std::get_if<command_finished>(&what)) {
    finished_[done->id] = done->failure;
  } else if (const auto* own = std::get_if<account_changed>(&what)) {
    fingerprint_ = own->account.fingerprint;
  } else if (const auto* moved = std::get_if<link_changed>(&what)) {
    link_ = moved->phase;
  } else if (const auto* row = std::get_if<contact_changed>(&what)) {
    contacts_[row->contact.contact] = row->contact;
  } else if (const auto* gone = std::get_if<contact_removed>(&what)) {
    contacts_.erase(gone->contact);
  } else if (const auto* asks = std::get_if<request_changed>(&what)) {
    requests_[asks->request.contact] = asks->request;
  } else if (const auto* over = std::get_if<request_removed>(&what)) {
    requests_.erase(over->contact);
  } else if (const auto* talk = std::get_if<conversation_changed>(&what)) {
    conversations_[talk->conversation.contact] = talk->conversation;
    otr_changes += talk->otr_changed ? 1 : 0;
  } else if (const auto* said = std::get_if<message_changed>(&what)) {
    for (auto& [contact, message] : messages_)
      if (message.id == said->message.id) {
        message = said->message;
        return;
      }
    messages_.emplace_back(said->contact, said->message);
  } else if (const auto* line = std::get_if<notice_added>(&what)) {
    notices_.push_back(line->notice.kind);
  } else if (const auto* failed = std::get_if<engine_failed>(&what)) {
    alarms.push_back(failed->reason);
  }
}

void befriend(world& place, person& one, person& other) {
  ASSERT_FALSE(one.connect());
  ASSERT_FALSE(other.connect());
  ASSERT_FALSE(one.order(add_contact{one.account(), other.account(), "", ""}));
  ASSERT_FALSE(
      other.order(add_contact{other.account(), one.account(), "", ""}));
  ASSERT_FALSE(one.order(answer_request{one.account(), other.account(),
                                        request_answer::authorize}));
  ASSERT_FALSE(other.order(answer_request{other.account(), one.account(),
                                          request_answer::authorize}));
  place.settle();
}

std::vector<std::string> texts(const std::string& mark, int count) {
  std::vector<std::string> list;
  list.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    list.push_back(mark + " " + std::to_string(i));
  return list;
}

}  // namespace sotto::test
