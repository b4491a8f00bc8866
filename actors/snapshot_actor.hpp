#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "actors/handles.hpp"
#include "actors/snapshot_builder.hpp"

namespace sotto {

/// What the snapshot actor hands out.
struct snapshot_sink {
  std::shared_ptr<snapshot_cell> cell;
  std::function<void(const event&)> on_event;
  std::function<void()> on_published;
};

/// Folds deltas; the first one arms a tick of 33 ms that publishes. Its last
/// act is to publish what is left.
snapshot_handle spawn_snapshot(caf::actor_system& system, snapshot_sink sink);

// Shorthands for those who report.

void tell(const snapshot_handle& snapshots, event what);
/// A command is done, or was refused.
void finish(const snapshot_handle& snapshots, command_id id,
            std::optional<error> failure = std::nullopt);
void trace(const snapshot_handle& snapshots, const char* actor,
           const std::string& account, const std::string& contact,
           std::string what);
/// A system line for a conversation.
void notice(const snapshot_handle& snapshots, const contact_key& key,
            std::string kind, std::string text);

}  // namespace sotto
