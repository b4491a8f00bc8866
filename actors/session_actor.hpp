#pragma once

#include "actors/handles.hpp"
#include "actors/otr_actor.hpp"

namespace sotto {

/// One conversation with a contact: keeps the messages that wait, in order,
/// and tells the snapshot about everything that is said. Starts its own OTR
/// actor, and starts it again where it fails, which the chat is told.
/// `restarted`: in the place of one that failed.
session_handle spawn_session(caf::actor_system& system,
                             conversation_config config, bool restarted);

}  // namespace sotto
