#include "actors/snapshot_actor.hpp"

namespace sotto {

namespace {

/// Two frames of a 60 Hz screen: newer than that nobody sees.
constexpr std::chrono::milliseconds publish_period{33};

struct snapshot_state {
  static inline const char* name = "snapshot";
  snapshot_sink sink;
  snapshot_builder builder;
  bool armed = false;

  void publish() {
    armed = false;
    sink.cell->publish(builder.freeze());
    if (sink.on_published) sink.on_published();
  }
};

using self_ptr = actor_self<snapshot_state, snapshot_handle>;

snapshot_handle::behavior_type snapshot_behavior(self_ptr self,
                                                 snapshot_sink sink) {
  self->state.sink = std::move(sink);
  return {
      [self](const delta& change) {
        auto& state = self->state;
        state.builder.fold(change.what);
        if (state.sink.on_event) state.sink.on_event(change.what);
        // Whoever starts the engine waits for this one.
        if (std::holds_alternative<engine_started>(change.what))
          return state.publish();
        if (state.armed) return;
        state.armed = true;
        self->delayed_send(self, publish_period, publish_due{});
      },
      [self](const publish_due&) { self->state.publish(); },
      [self](const stop_actor&) {
        self->state.publish();
        self->quit();
      },
  };
}

}  // namespace

snapshot_handle spawn_snapshot(caf::actor_system& system, snapshot_sink sink) {
  return system.spawn(snapshot_behavior, std::move(sink));
}

void tell(const snapshot_handle& snapshots, event what) {
  caf::anon_send(snapshots, delta{std::move(what)});
}

void finish(const snapshot_handle& snapshots, command_id id,
            std::optional<error> failure) {
  if (id != 0) tell(snapshots, command_finished{id, std::move(failure)});
}

void trace(const snapshot_handle& snapshots, const char* actor,
           const std::string& account, const std::string& contact,
           std::string what) {
  tell(snapshots, trace_added{{0, std::chrono::system_clock::now(), actor,
                               account, contact, std::move(what)}});
}

void notice(const snapshot_handle& snapshots, const contact_key& key,
            std::string kind, std::string text) {
  tell(snapshots, notice_added{key.first,
                               key.second,
                               {std::move(kind), std::move(text),
                                std::chrono::system_clock::now()}});
}

}  // namespace sotto
