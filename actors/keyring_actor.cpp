#include "actors/keyring_actor.hpp"

#include "actors/snapshot_actor.hpp"

namespace sotto {

namespace {

struct keyring_state {
  static inline const char* name = "keyring";
  keyring_config config;
  std::set<std::string> making;  ///< accounts whose key is being made
};

using self_ptr = actor_self<keyring_state, keyring_handle>;

void refuse(self_ptr self, command_id id, errc code, std::string reason) {
  finish(self->state.config.snapshots, id, error{code, std::move(reason)});
}

void start_making(self_ptr self, const make_key& order) {
  auto& state = self->state;
  if (state.config.identities.contains(order.account) && !order.replace)
    return refuse(self, order.id, errc::already_exists,
                  "The account " + order.account +
                      " has a key already. A new one makes every contact "
                      "verify again; add replace=yes if you want that.");
  if (!state.making.insert(order.account).second)
    return refuse(self, order.id, errc::already_exists,
                  "A key for " + order.account + " is being made already.");
  auto me = caf::actor_cast<keyring_handle>(self);
  state.config.runner([me, order] {
    auto identity = otr_identity::generate(order.account);
    key_made done{order.id, order.account, nullptr, {}};
    if (identity)
      done.identity = *identity;
    else
      done.failure = identity.failure().message;
    caf::anon_send(me, std::move(done));
  });
}

void store_key(self_ptr self, const key_made& done) {
  auto& state = self->state;
  if (state.making.erase(done.account) == 0)
    return refuse(self, done.id, errc::not_found,
                  "The account " + done.account + " was removed meanwhile.");
  if (!done.identity) return refuse(self, done.id, errc::crypto, done.failure);
  std::vector<vault_change> rows;
  rows.push_back(identity_row(*done.identity));
  self->request(state.config.store, ask_timeout,
                save_rows{make_rows(std::move(rows))})
      .then(
          [self, done](const rows_saved& saved) {
            if (!saved.failure.empty())
              return refuse(self, done.id, errc::io, saved.failure);
            auto& own = self->state.config;
            own.identities[done.account] = done.identity;
            own.on_identity(identity_ready{done.account, done.identity});
            tell(own.snapshots,
                 key_generated{done.account, done.identity->print().hex()});
            finish(own.snapshots, done.id);
          },
          [self, done](const caf::error&) {
            refuse(self, done.id, errc::timeout,
                   "The new key of " + done.account +
                       " was not stored in time. Try again.");
          });
}

void store_keys(self_ptr self, const keys_updated& update) {
  auto& config = self->state.config;
  config.trust.put(update.key.first, update.key.second, update.keys);
  tell(config.snapshots, known_keys_changed{update.key.first, update.key.second,
                                            update.keys.list()});
  std::vector<vault_change> rows;
  rows.push_back(trust_row(update.key, update.keys));
  self->request(config.store, ask_timeout,
                save_rows{make_rows(std::move(rows))})
      .then(
          [self, id = update.id](const rows_saved& saved) {
            if (saved.failure.empty())
              finish(self->state.config.snapshots, id);
            else
              refuse(self, id, errc::io, saved.failure);
          },
          [self, id = update.id](const caf::error&) {
            refuse(self, id, errc::timeout,
                   "What is known of the contact's key was not stored in "
                   "time. Try again.");
          });
}

void store_latch(self_ptr self, const latch_updated& update) {
  auto& config = self->state.config;
  if (update.latched)
    config.latched.insert(update.key);
  else
    config.latched.erase(update.key);
  save(config.store, latch_row(update.key, update.latched));
}

void forget(keyring_config& config, const std::string& account) {
  config.identities.erase(account);
  config.trust.erase_account(account);
  std::erase_if(config.latched,
                [&](const auto& key) { return key.first == account; });
}

conversation_secrets secrets_of(const keyring_config& config,
                                const contact_key& key) {
  conversation_secrets found;
  const auto identity = config.identities.find(key.first);
  if (identity != config.identities.end()) found.identity = identity->second;
  if (const auto* keys = config.trust.find(key.first, key.second))
    found.keys = *keys;
  found.latched = config.latched.contains(key);
  return found;
}

keyring_handle::behavior_type keyring_behavior(self_ptr self,
                                               keyring_config config) {
  self->state.config = std::move(config);
  return {
      [self](const make_key& order) { start_making(self, order); },
      [self](const key_made& done) { store_key(self, done); },
      [self](const conversation_request& request) {
        return secrets_of(self->state.config, request.key);
      },
      [self](const keys_updated& update) { store_keys(self, update); },
      [self](const latch_updated& update) { store_latch(self, update); },
      [self](const forget_account& gone) {
        self->state.making.erase(gone.account);
        forget(self->state.config, gone.account);
      },
      [self](const stop_actor&) { self->quit(); },
  };
}

}  // namespace

keyring_handle spawn_keyring(caf::actor_system& system, keyring_config config) {
  return system.spawn(keyring_behavior, std::move(config));
}

}  // namespace sotto
