#pragma once

#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/handles.hpp"
#include "actors/snapshot_builder.hpp"
#include "actors/store_actor.hpp"
#include "protocol/loopback_transport.hpp"
#include "tests/support/memory_vault.hpp"

namespace sotto::test {

/// A server, its eavesdropper and a clock that stands still, for whole
/// engines without threads: nothing happens but in `settle` and `pass`, always
/// in the same order.
class world {
 public:
  world();
  /// Aborts, rather than hangs, where an actor is left over.
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  /// Until no actor has anything to do; timers do not run.
  void settle();
  /// So much time, a tenth of a second at a time.
  void pass(std::chrono::milliseconds time);
  /// Passes time until it is so; false after `most`.
  bool pass_until(const std::function<bool()>& so,
                  std::chrono::seconds most = std::chrono::seconds{60});
  /// A message's body with this text was sent in the clear.
  bool saw(const std::string& text) const;

  actor_config config{0, true};
  caf::actor_system system{config};
  loopback_hub hub;
  std::vector<message_stanza> tapped;

 private:
  caf::scheduler::test_coordinator& scheduler();
};

/// One engine with one account: as `engine`, but with the world's clock and
/// server, a vault in memory, and keys made in advance.
class person {
 public:
  /// Comes with an OTR key, the one of that number, or without any (-1).
  person(world& place, const std::string& account, int key = 0,
         const std::string& resource = "sotto");
  person(world& place, const std::string& account,
         const std::shared_ptr<const otr_identity>& identity,
         const std::string& resource = "sotto");
  ~person();
  person(const person&) = delete;
  person& operator=(const person&) = delete;

  /// Stops in good order. `start` goes on from what was stored.
  void stop();
  void start();
  /// Stops, and does `meanwhile` when only the first word of it is out.
  void stop_while(const std::function<void()>& meanwhile);
  void restart() {
    stop();
    start();
  }
  /// Ends the supervisor as a fault would.
  void crash();
  bool stopped() const { return stopped_; }

  /// Hands over a command and goes on; `finished` tells of its end.
  command_id submit(command wanted);
  bool finished(command_id id) const { return finished_.contains(id); }
  /// Carries out a command to its end; the failure if it was refused.
  std::optional<error> order(command wanted);
  std::optional<error> connect();
  std::optional<error> say(const person& to, const std::string& text);
  std::optional<error> otr(const person& with, otr_action action);
  std::optional<error> policy(const person& with, otr_policy wanted);
  std::optional<error> verify(const person& whom);

  const std::string& account() const { return account_; }
  jid address() const { return *jid::parse(account_); }
  std::string fingerprint() const;
  link_phase link() const { return link_; }

  const contact_view* contact(const std::string& name) const;
  const request_view* request(const std::string& name) const;
  conversation_state conversation(const person& with) const;
  otr_state state(const person& with) const { return conversation(with).state; }
  /// Texts that came from a contact, in order.
  std::vector<std::string> heard(const person& from) const;
  std::optional<message_view> message(const std::string& text) const;
  bool noticed(const std::string& kind) const;
  std::shared_ptr<const snapshot> view() const { return cell_->load(); }

  /// Reasons of `engine_failed`.
  std::vector<std::string> alarms;
  /// How often a conversation's private state was told anew.
  int otr_changes = 0;
  /// Where links come from from the next `start` on; nothing: the hub.
  std::shared_ptr<transport_factory> transports;
  /// Where keys are made; nothing: at once.
  job_runner key_runner;

  session_actors actors_of(const person& contact);
  /// How many rows the vault holds.
  std::size_t rows() const { return data_->size(); }

 private:
  void release();
  void note(const event& what);

  world& place_;
  std::string account_;
  std::shared_ptr<memory_rows> data_;
  std::shared_ptr<snapshot_cell> cell_;
  snapshot_handle snapshots_;
  store_handle store_;
  supervisor_handle supervisor_;
  bool stopped_ = true;
  command_id last_id_ = 0;

  std::map<command_id, std::optional<error>> finished_;
  std::string fingerprint_;
  link_phase link_ = link_phase::offline;
  std::map<std::string, contact_view> contacts_;
  std::map<std::string, request_view> requests_;
  std::map<std::string, conversation_state> conversations_;
  std::vector<std::pair<std::string, message_view>> messages_;
  std::vector<std::string> notices_;
};

/// Both connect, ask for each other's presence and authorize.
void befriend(world& place, person& one, person& other);

/// `count` texts that are told apart.
std::vector<std::string> texts(const std::string& mark, int count);

}  // namespace sotto::test
