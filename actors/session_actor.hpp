#pragma once

#include "actors/handles.hpp"
#include "actors/otr_actor.hpp"

namespace sotto {

/// One conversation with a contact: keeps the messages that wait, in order,
/// and tells the snapshot about everything that is said. Starts its own OTR
/// actor, and starts it again where it fails, which the chat is told.
/// `online`: the account is at this moment.
session_handle spawn_session(caf::actor_system& system,
                             conversation_config config, bool online);

}  // namespace sotto
