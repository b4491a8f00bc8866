#include "actors/supervisor_actor.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "actors/account_actor.hpp"
#include "actors/keyring_actor.hpp"
#include "actors/roster_actor.hpp"
#include "actors/session_actor.hpp"
#include "actors/snapshot_actor.hpp"
#include "protocol/ids.hpp"

namespace sotto {

namespace {

struct account_entry {
  account_settings settings;
  account_handle actor;
  std::string fingerprint;  ///< of the own key; empty: none yet
  bool wanted = false;      ///< the user has connected it
};

struct supervisor_state {
  static inline const char* name = "supervisor";
  supervisor_config config;
  keyring_handle keyring;
  std::map<std::string, account_entry> accounts;
  std::map<contact_key, session_handle> sessions;
  /// Sessions of removed accounts that still say goodbye, and the account.
  std::map<caf::actor_addr, account_handle> leaving;
  std::map<std::string, otr_policy> account_policies;
  std::map<contact_key, otr_policy> contact_policies;
  std::chrono::milliseconds handshake_timeout{30'000};
  bool stopping = false;
  bool stop_asked = false;  ///< by the engine, not by a failure
  bool keyring_gone = false;
  bool accounts_told = false;  ///< to stop; a second word would not wait

  /// Whatever is left goes too: should the supervisor fail, nobody else would
  /// tell them, and the process could not end.
  ~supervisor_state() {
    for (const auto& [key, session] : sessions)
      caf::anon_send(session, stop_actor{});
    for (const auto& [account, entry] : accounts)
      caf::anon_send(entry.actor, stop_actor{});
    for (const auto& [session, account] : leaving)
      caf::anon_send(account, stop_actor{});
    if (keyring) caf::anon_send(keyring, stop_actor{});
  }

  const snapshot_handle& snapshots() const { return config.snapshots; }
  otr_policy policy_of(const contact_key& key) const;
  account_view view_of(const account_entry& entry) const;
  void show_account(const account_entry& entry) const {
    tell(snapshots(), account_changed{view_of(entry)});
  }
};

using self_ptr = actor_self<supervisor_state, supervisor_handle>;

otr_policy supervisor_state::policy_of(const contact_key& key) const {
  const auto own = contact_policies.find(key);
  if (own != contact_policies.end()) return own->second;
  const auto usual = account_policies.find(key.first);
  return usual != account_policies.end() ? usual->second
                                         : otr_policy::opportunistic;
}

account_view supervisor_state::view_of(const account_entry& entry) const {
  account_view view;
  view.account = entry.settings.account.str();
  view.fingerprint = entry.fingerprint;
  view.policy = policy_of({view.account, {}});
  return view;
}

// -- children ----------------------------------------------------------------

account_handle start_account(self_ptr self, const account_settings& settings) {
  auto& state = self->state;
  const auto account = settings.account.str();
  account_config config;
  config.settings = settings;
  // Copied: an account that is started again begins from them too.
  config.contacts = state.config.stored.contacts[account];
  config.requests = state.config.stored.requests[account];
  show_stored(state.snapshots(), account, config.contacts, config.requests);
  config.transports = state.config.transports;
  config.supervisor = caf::actor_cast<supervisor_handle>(self);
  config.store = state.config.store;
  config.snapshots = state.snapshots();
  auto actor = spawn_account(self->system(), std::move(config));
  self->monitor(actor);
  return actor;
}

conversation_config config_for(const supervisor_state& state,
                               const account_entry& entry, const jid& contact) {
  conversation_config config;
  config.account = entry.settings.account;
  config.contact = contact;
  config.options.policy = state.policy_of(config.key());
  config.options.handshake_timeout = state.handshake_timeout;
  config.owner = entry.actor;
  config.keyring = state.keyring;
  config.snapshots = state.snapshots();
  return config;
}

/// The conversation's session; started where there is none.
session_handle session_for(self_ptr self, const account_entry& entry,
                           const jid& contact, bool restarted = false) {
  auto& state = self->state;
  const contact_key key{entry.settings.account.str(), contact.str()};
  const auto found = state.sessions.find(key);
  if (found != state.sessions.end()) return found->second;
  // The account tells it whether it is online.
  auto session = spawn_session(self->system(),
                               config_for(state, entry, contact), restarted);
  self->monitor(session);
  state.sessions.emplace(key, session);
  return session;
}

void restart_account(self_ptr self, const std::string& account,
                     account_entry& entry) {
  auto& state = self->state;
  entry.actor = start_account(self, entry.settings);
  for (const auto& [key, session] : state.sessions)
    if (key.first == account)
      caf::anon_send(session, account_replaced{entry.actor});
  tell(state.snapshots(),
       link_changed{account, link_phase::offline, "restarted"});
  tell(state.snapshots(),
       engine_failed{account, "The account " + account +
                                  " failed and was started again. Its "
                                  "contacts are read anew from the server."});
  if (entry.wanted) caf::anon_send(entry.actor, connect_link{});
}

void restart_session(self_ptr self, const contact_key& key) {
  auto& state = self->state;
  const auto account = state.accounts.find(key.first);
  if (account == state.accounts.end()) return;
  const auto contact = jid::parse(key.second);
  if (!contact) return;
  session_for(self, account->second, *contact, true);
  tell(state.snapshots(), conversation_lost{key.first, key.second});
  notice(state.snapshots(), key, "restarted",
         "This conversation failed and was started again. Messages that "
         "waited were not sent.");
}

void child_went(self_ptr self, const caf::down_msg& down);
void keyring_went(self_ptr self);
void stop(self_ptr self);
void stop_next(self_ptr self);

// -- commands ----------------------------------------------------------------

/// Carries out one command; each `operator()` is one of them.
class command_handler {
 public:
  command_handler(self_ptr self, command_id id) : self_(self), id_(id) {}

  void operator()(const add_account& order);
  void operator()(const remove_account& order);
  void operator()(const connect_account& order) {
    if (auto* entry = find(order.account)) {
      entry->wanted = true;
      caf::anon_send(entry->actor, connect_link{id_});
    }
  }
  void operator()(const disconnect_account& order) {
    if (auto* entry = find(order.account)) {
      entry->wanted = false;
      caf::anon_send(entry->actor, disconnect_link{id_});
    }
  }
  void operator()(const add_contact& order) { change_contact(order); }
  void operator()(const remove_contact& order) { change_contact(order); }
  void operator()(const answer_request& order);
  void operator()(const generate_key& order) {
    if (const auto* entry = find(order.account))
      caf::anon_send(
          state().keyring,
          make_key{id_, entry->settings.account.str(), order.replace});
  }
  void operator()(const send_text& order) { converse(order); }
  void operator()(const control_otr& order) { converse(order); }
  void operator()(const verify_fingerprint& order) { converse(order); }
  void operator()(const distrust_contact& order) { converse(order); }
  void operator()(const mark_read& order) { converse(order); }
  void operator()(const set_policy& order);
  void operator()(const set_handshake_timeout& order);

 private:
  supervisor_state& state() { return self_->state; }
  void refuse(errc code, std::string reason) {
    finish(state().snapshots(), id_, error{code, std::move(reason)});
  }
  account_entry* find(const std::string& account);
  std::optional<jid> contact_of(const account_entry& entry,
                                const std::string& text);
  template <class Order>
  void change_contact(const Order& order);
  template <class Order>
  void converse(const Order& order);
  /// Finishes the command when the store has done what is wanted; `then`
  /// comes right before.
  template <class Request>
  void finish_after(Request wanted, const std::function<void()>& then = {});
  void update_policy(const contact_key& key, otr_policy policy);

  self_ptr self_;
  command_id id_;
};

account_entry* command_handler::find(const std::string& account) {
  const auto address = jid::parse(account);
  const auto found = address ? state().accounts.find(address->bare().str())
                             : state().accounts.end();
  if (found != state().accounts.end()) return &found->second;
  refuse(errc::not_found, "There is no account '" + account +
                              "'. 'account add' makes one; 'status' lists "
                              "them.");
  return nullptr;
}

std::optional<jid> command_handler::contact_of(const account_entry& entry,
                                               const std::string& text) {
  const auto& own = entry.settings.account;
  const auto address = jid::parse_with_default(text, own.domain());
  if (!address) {
    refuse(errc::invalid_argument, address.failure().message);
    return std::nullopt;
  }
  if (address->bare() == own) {
    refuse(errc::invalid_argument,
           "'" + text + "' is this account's own address; name a contact.");
    return std::nullopt;
  }
  return address->bare();
}

template <class Order>
void command_handler::change_contact(const Order& order) {
  const auto* entry = find(order.account);
  if (entry == nullptr) return;
  if (const auto contact = contact_of(*entry, order.contact))
    caf::anon_send(entry->actor, contact_order{id_, *contact, order});
}

template <class Order>
void command_handler::converse(const Order& order) {
  const auto* entry = find(order.account);
  if (entry == nullptr) return;
  if (const auto contact = contact_of(*entry, order.contact))
    caf::anon_send(session_for(self_, *entry, *contact),
                   ui_command{id_, order});
}

void command_handler::operator()(const answer_request& order) {
  const auto* entry = find(order.account);
  if (entry == nullptr) return;
  const auto contact = contact_of(*entry, order.contact);
  if (!contact) return;
  // Should the account be started again, it must not ask anew.
  if (order.answer != request_answer::ignore)
    std::erase_if(state().config.stored.requests[entry->settings.account.str()],
                  [&](const auto& asked) { return asked.from == *contact; });
  caf::anon_send(entry->actor, contact_order{id_, *contact, order});
}

template <class Request>
void command_handler::finish_after(Request wanted,
                                   const std::function<void()>& then) {
  const auto snapshots = state().snapshots();
  self_->request(state().config.store, ask_timeout, std::move(wanted))
      .then(
          [snapshots, id = id_, then](const rows_saved& saved) {
            if (then) then();
            finish(snapshots, id,
                   saved.failure.empty()
                       ? std::nullopt
                       : std::optional{error{errc::io, saved.failure}});
          },
          [snapshots, id = id_](const caf::error&) {
            finish(snapshots, id,
                   error{errc::timeout,
                         "The data folder did not answer in time. Try again."});
          });
}

void command_handler::operator()(const add_account& order) {
  const auto address = jid::parse(order.account);
  if (!address || address->local().empty())
    return refuse(errc::invalid_argument,
                  "'" + order.account + "' is no account: write name@server." +
                      (address ? "" : " " + address.failure().message));
  const auto account = address->bare().str();
  if (!order.password && !state().accounts.contains(account))
    return refuse(errc::invalid_argument,
                  "The new account " + account + " needs a password.");
  auto& entry = state().accounts[account];
  auto& settings = entry.settings;
  settings.account = address->bare();
  if (order.password) settings.password = order.password;
  // A pin that stays the same keeps the problems that it is bound to.
  // What is not given stays as it was.
  if (!order.pin.empty() &&
      (!settings.pin || settings.pin->sha256 != order.pin))
    settings.pin = certificate_pin{order.pin, {}};
  if (!order.host.empty()) settings.host = order.host;
  if (order.port != 0) settings.port = order.port;
  if (!order.ca_file.empty()) settings.ca_file = order.ca_file;
  settings.allow_plain = order.allow_plain;
  if (settings.resource.empty())
    settings.resource = "sotto." + random_id().substr(0, 8);
  if (!entry.actor)
    entry.actor = start_account(self_, settings);
  else
    caf::anon_send(entry.actor, settings_changed{settings});
  state().show_account(entry);
  std::vector<vault_change> rows;
  rows.push_back(account_row(settings));
  rows.push_back(password_row(settings));
  finish_after(save_rows{make_rows(std::move(rows))});
}

void command_handler::operator()(const remove_account& order) {
  const auto* entry = find(order.account);
  if (entry == nullptr) return;
  const auto account = entry->settings.account.str();
  bool talks = false;
  for (auto& [key, session] : state().sessions)
    if (key.first == account) {
      talks = true;
      state().leaving.emplace(session.address(), entry->actor);
      caf::anon_send(session, stop_actor{});
    }
  std::erase_if(state().sessions,
                [&](const auto& row) { return row.first.first == account; });
  // After its sessions, which say goodbye through it.
  if (!talks) caf::anon_send(entry->actor, stop_actor{});
  state().config.stored.contacts.erase(account);
  state().config.stored.requests.erase(account);
  caf::anon_send(state().keyring, forget_account{account});
  state().accounts.erase(account);
  state().account_policies.erase(account);
  std::erase_if(state().contact_policies,
                [&](const auto& row) { return row.first.first == account; });
  // What its actors still tell after that counts no more.
  finish_after(erase_account_rows{account},
               [account, snapshots = state().snapshots()] {
                 tell(snapshots, account_removed{account});
               });
}

void command_handler::update_policy(const contact_key& key, otr_policy policy) {
  const auto found = state().sessions.find(key);
  if (found != state().sessions.end())
    caf::anon_send(found->second, policy_changed{policy});
}

void command_handler::operator()(const set_policy& order) {
  const auto* entry = find(order.account);
  if (entry == nullptr) return;
  const auto account = entry->settings.account.str();
  std::vector<vault_change> rows;
  if (order.contact.empty()) {
    state().account_policies[account] = order.policy;
    for (const auto& [key, session] : state().sessions)
      if (key.first == account && !state().contact_policies.contains(key))
        update_policy(key, order.policy);
    state().show_account(*entry);
    rows.push_back(policy_row(account, order.policy));
  } else {
    const auto contact = contact_of(*entry, order.contact);
    if (!contact) return;
    const contact_key key{account, contact->str()};
    state().contact_policies[key] = order.policy;
    update_policy(key, order.policy);
    rows.push_back(policy_row(key, order.policy));
  }
  finish_after(save_rows{make_rows(std::move(rows))});
}

void command_handler::operator()(const set_handshake_timeout& order) {
  if (order.timeout.count() < 1 || order.timeout.count() > 600)
    return refuse(errc::invalid_argument,
                  "A handshake may take 1 to 600 seconds.");
  state().handshake_timeout = order.timeout;
  for (const auto& [key, session] : state().sessions)
    caf::anon_send(session, handshake_timeout_changed{order.timeout});
  std::vector<vault_change> rows;
  rows.push_back(timeout_row(order.timeout));
  finish_after(save_rows{make_rows(std::move(rows))});
}

// -- everything else ---------------------------------------------------------

void child_went(self_ptr self, const caf::down_msg& down) {
  auto& state = self->state;
  if (const auto gone = state.leaving.find(down.source);
      gone != state.leaving.end()) {
    const auto account = gone->second;
    state.leaving.erase(gone);
    if (std::none_of(state.leaving.begin(), state.leaving.end(),
                     [&](const auto& row) { return row.second == account; }))
      caf::anon_send(account, stop_actor{});
    return stop_next(self);
  }
  for (const auto& [key, session] : state.sessions)
    if (session.address() == down.source) {
      const auto lost = key;
      state.sessions.erase(lost);
      if (!state.stopping) restart_session(self, lost);
      return stop_next(self);
    }
  for (auto& [account, entry] : state.accounts)
    if (entry.actor.address() == down.source) {
      if (!state.stopping)
        restart_account(self, account, entry);
      else
        state.accounts.erase(std::string{account});
      return stop_next(self);
    }
  if (state.keyring.address() == down.source) keyring_went(self);
}

/// The last child when all stop. If it fails before, nothing can be encrypted
/// any more, and everything stops in good order.
void keyring_went(self_ptr self) {
  auto& state = self->state;
  state.keyring_gone = true;
  if (!state.stopping)
    tell(state.snapshots(),
         engine_failed{{},
                       "The keyring failed, so Sotto has stopped all "
                       "conversations. Start it again; nothing is lost."});
  stop(self);
}

/// Ordered shutdown: sessions first (they end private conversations through
/// their accounts), then accounts, then the keyring and the store.
void stop_next(self_ptr self) {
  auto& state = self->state;
  if (!state.stopping || !state.sessions.empty() || !state.leaving.empty())
    return;
  if (!std::exchange(state.accounts_told, true))
    for (auto& [account, entry] : state.accounts)
      caf::anon_send(entry.actor, stop_actor{});
  if (!state.accounts.empty()) return;
  if (!state.keyring_gone) {
    caf::anon_send(state.keyring, stop_actor{});
    return;
  }
  // After a failure it stays, to refuse what is still asked for.
  if (!state.stop_asked) return;
  if (state.config.on_stopped) state.config.on_stopped();
  self->quit();
}

void stop(self_ptr self) {
  auto& state = self->state;
  if (std::exchange(state.stopping, true)) return stop_next(self);
  for (const auto& [key, session] : state.sessions)
    caf::anon_send(session, stop_actor{});
  stop_next(self);
}

void learn(self_ptr self, const account_settings& settings) {
  auto& state = self->state;
  const auto found = state.accounts.find(settings.account.str());
  if (found == state.accounts.end()) return;
  found->second.settings.best_mechanism = settings.best_mechanism;
  // Only the same pin's problems were learned; the user may have changed it.
  auto& pin = found->second.settings.pin;
  if (pin && settings.pin && pin->sha256 == settings.pin->sha256)
    pin = settings.pin;
  save(state.config.store, account_row(found->second.settings));
}

void new_identity(self_ptr self, const identity_ready& ready) {
  auto& state = self->state;
  const auto found = state.accounts.find(ready.account);
  if (found == state.accounts.end()) return;
  found->second.fingerprint = ready.identity->print().hex();
  state.show_account(found->second);
  for (const auto& [key, session] : state.sessions)
    if (key.first == ready.account)
      caf::anon_send(session, identity_changed{ready.identity});
}

keyring_handle start_keyring(self_ptr self) {
  auto& state = self->state;
  auto me = caf::actor_cast<supervisor_handle>(self);
  keyring_config config;
  config.identities = state.config.stored.identities;
  config.trust = state.config.stored.trust;
  config.latched = state.config.stored.latched;
  config.runner = state.config.key_runner;
  config.store = state.config.store;
  config.snapshots = state.snapshots();
  config.on_identity = [me](const identity_ready& ready) {
    caf::anon_send(me, ready);
  };
  auto keyring = spawn_keyring(self->system(), std::move(config));
  self->monitor(keyring);
  return keyring;
}

void begin(self_ptr self, supervisor_config config) {
  auto& state = self->state;
  state.config = std::move(config);
  auto& stored = state.config.stored;
  state.account_policies = stored.account_policies;
  state.contact_policies = stored.contact_policies;
  state.handshake_timeout = stored.handshake_timeout;
  state.keyring = start_keyring(self);
  for (const auto& [account, settings] : stored.accounts) {
    auto& entry = state.accounts[account];
    entry.settings = settings;
    const auto identity = stored.identities.find(account);
    if (identity != stored.identities.end())
      entry.fingerprint = identity->second->print().hex();
    state.show_account(entry);
    entry.actor = start_account(self, settings);
  }
  for (const auto& [key, keys] : stored.trust.all())
    tell(state.snapshots(),
         known_keys_changed{key.first, key.second, keys.list()});
  trace(state.snapshots(), supervisor_state::name, {}, {}, "started");
  tell(state.snapshots(), engine_started{});
}

supervisor_handle::behavior_type supervisor_behavior(self_ptr self,
                                                     supervisor_config config) {
  self->set_down_handler(
      [self](const caf::down_msg& down) { child_went(self, down); });
  begin(self, std::move(config));
  return {
      [self](const ui_command& wanted) {
        if (self->state.stopping)
          return finish(
              self->state.snapshots(), wanted.id,
              error{errc::unavailable, "Sotto has stopped. Start it again."});
        std::visit(command_handler{self, wanted.id}, wanted.order);
      },
      [self](const session_wanted& wanted) {
        // One that began now would never be told to stop.
        if (self->state.stopping) return;
        const auto found = self->state.accounts.find(wanted.account.str());
        if (found != self->state.accounts.end())
          session_for(self, found->second, wanted.contact);
      },
      [self](const settings_learned& learned) {
        learn(self, learned.settings);
      },
      [self](const identity_ready& ready) { new_identity(self, ready); },
      [self](const find_session& wanted) -> caf::result<session_actors> {
        const auto found =
            self->state.sessions.find({wanted.account, wanted.contact});
        if (found == self->state.sessions.end()) return session_actors{};
        return self->delegate(found->second, wanted);
      },
      [self](const stop_actor&) {
        self->state.stop_asked = true;
        stop(self);
      },
  };
}

}  // namespace

supervisor_handle spawn_supervisor(caf::actor_system& system,
                                   supervisor_config config) {
  return system.spawn(supervisor_behavior, std::move(config));
}

}  // namespace sotto
