#pragma once

#include <functional>
#include <memory>

#include "actors/handles.hpp"

namespace sotto {

/// Runs a job somewhere else, in the order of the calls; tests run it at once.
using job_runner = std::function<void(std::function<void()>)>;

/// Owns the vault; writes on `runner`'s thread, so that no actor waits for a
/// disk. A write that fails is answered with its reason and reported as
/// `engine_failed`.
store_handle spawn_store(caf::actor_system& system,
                         std::shared_ptr<vault> storage, job_runner runner,
                         snapshot_handle snapshots);

/// Writes without waiting; a failure is reported by the store itself.
void save(const store_handle& store, std::vector<vault_change> changes);
void save(const store_handle& store, vault_change change);

/// Ready for `save_rows`.
row_changes make_rows(std::vector<vault_change> changes);

}  // namespace sotto
