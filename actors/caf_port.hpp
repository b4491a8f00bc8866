#pragma once

// All that depends on CAF's version (0.17.6) stands here, so that a move to
// another one is a change of this file.

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/replies_to.hpp>
#include <caf/response_promise.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/system_messages.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <string>

/// Allows a local-only message type: it has no `inspect`, so that CAF can
/// neither print nor serialise it. Use at global scope, right after the type.
#define SOTTO_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)

namespace sotto {

/// The `self` of a typed actor with a state.
template <class State, class Handle>
using actor_self = typename Handle::template stateful_pointer<State>;

/// Every ask has an end.
inline constexpr std::chrono::seconds ask_timeout{30};

/// A configuration made in code only: no file and no command line is read.
/// The scheduler is `sharing` (it idles without CPU), or the deterministic
/// one for tests.
class actor_config : public caf::actor_system_config {
 public:
  explicit actor_config(unsigned threads, bool deterministic = false) {
    set("scheduler.policy",
        deterministic ? caf::atom("testing") : caf::atom("sharing"));
    if (threads != 0)
      set("scheduler.max-threads", static_cast<std::size_t>(threads));
  }
};

}  // namespace sotto
