#pragma once

#include <functional>

#include "actors/handles.hpp"
#include "actors/store_actor.hpp"

namespace sotto {

/// What the keyring starts from.
struct keyring_config {
  std::map<std::string, std::shared_ptr<const otr_identity>> identities;
  trust_store trust;
  std::set<contact_key> latched;
  job_runner runner;  ///< where keys are made
  store_handle store;
  snapshot_handle snapshots;
  /// Told of each new key.
  std::function<void(const identity_ready&)> on_identity;
};

/// Holds every account's OTR identity, the trust in contacts' keys, and which
/// conversations are latched. Stores first, then says so.
keyring_handle spawn_keyring(caf::actor_system& system, keyring_config config);

}  // namespace sotto
