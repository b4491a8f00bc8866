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

/// Tells the snapshot what was stored, as it is with no link: before the actor
/// runs, so that a front end finds it all at the start.
void show_stored(const snapshot_handle& snapshots, const std::string& account,
                 const std::vector<contact>& contacts,
                 const std::vector<subscription_request>& requests);

}  // namespace sotto
