#pragma once

#include <functional>

#include "actors/handles.hpp"
#include "actors/store_actor.hpp"

namespace sotto {

/// What the supervisor starts from.
struct supervisor_config {
  stored_state stored;
  std::shared_ptr<transport_factory> transports;
  job_runner key_runner;  ///< where OTR keys are made
  store_handle store;
  snapshot_handle snapshots;
  std::function<void()> on_stopped;  ///< all its children are gone
};

/// Parses what the user asks for and hands it to whom it concerns; starts
/// accounts, conversations and the keyring, and starts again whichever fails,
/// for that account or conversation alone (R15).
supervisor_handle spawn_supervisor(caf::actor_system& system,
                                   supervisor_config config);

}  // namespace sotto
