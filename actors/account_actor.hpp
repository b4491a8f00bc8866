#pragma once

#include "actors/handles.hpp"

namespace sotto {

/// What an account's actor starts from.
struct account_config {
  account_settings settings;
  std::vector<contact> contacts;
  std::vector<subscription_request> requests;
  std::shared_ptr<transport_factory> transports;
  supervisor_handle supervisor;
  store_handle store;
  snapshot_handle snapshots;
};

/// One account: its link (connecting again where that may help), its IQ
/// requests, and the way of every stanza to the actor that it concerns. Starts
/// its own roster actor.
account_handle spawn_account(caf::actor_system& system, account_config config);

}  // namespace sotto
