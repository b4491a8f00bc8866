#pragma once

#include "actors/handles.hpp"

namespace sotto {

/// What one account's roster actor starts from.
struct roster_config {
  jid account;
  std::vector<contact> contacts;
  std::vector<subscription_request> requests;
  account_handle owner;
  store_handle store;
  snapshot_handle snapshots;
};

/// One account's contacts, subscription requests and presences: tells the
/// snapshot about every row that changes, keeps the cache in the vault, and
/// carries out what the user asks for (S1 to S13).
roster_handle spawn_roster(caf::actor_system& system, roster_config config);

}  // namespace sotto
