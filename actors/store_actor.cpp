#include "actors/store_actor.hpp"

#include <map>

#include "actors/snapshot_actor.hpp"

namespace sotto {

namespace {

using saved_promise = caf::typed_response_promise<rows_saved>;

struct store_state {
  static inline const char* name = "store";
  std::shared_ptr<vault> storage;
  job_runner runner;
  snapshot_handle snapshots;
  std::map<std::uint64_t, saved_promise> waiting;
  std::uint64_t last_ticket = 0;
  bool stopping = false;
};

using self_ptr = actor_self<store_state, store_handle>;

using vault_job = std::function<result<void>(vault&)>;

/// Has `job` done by the runner; the promise is kept when it says so.
saved_promise run(self_ptr self, vault_job job) {
  auto& state = self->state;
  const auto ticket = ++state.last_ticket;
  auto promise = self->make_response_promise<rows_saved>();
  state.waiting.emplace(ticket, promise);
  auto me = caf::actor_cast<store_handle>(self);
  state.runner([storage = state.storage, job = std::move(job), ticket, me] {
    const auto outcome = job(*storage);
    caf::anon_send(
        me, write_finished{ticket, outcome ? "" : outcome.failure().message});
  });
  return promise;
}

store_handle::behavior_type store_behavior(self_ptr self,
                                           std::shared_ptr<vault> storage,
                                           job_runner runner,
                                           snapshot_handle snapshots) {
  auto& state = self->state;
  state.storage = std::move(storage);
  state.runner = std::move(runner);
  state.snapshots = std::move(snapshots);
  return {
      [self](const save_rows& order) {
        return run(self, [rows = order.rows](vault& target) {
          return target.apply(*rows);
        });
      },
      [self](const erase_account_rows& order) {
        return run(self, [account = order.account](vault& target) {
          return erase_account(target, account);
        });
      },
      [self](const write_finished& done) {
        auto& own = self->state;
        if (!done.failure.empty())
          tell(own.snapshots, engine_failed{{}, done.failure});
        const auto found = own.waiting.find(done.ticket);
        if (found != own.waiting.end()) {
          found->second.deliver(rows_saved{done.failure});
          own.waiting.erase(found);
        }
        if (own.stopping && own.waiting.empty()) self->quit();
      },
      [self](const stop_actor&) {
        self->state.stopping = true;
        if (self->state.waiting.empty()) self->quit();
      },
  };
}

}  // namespace

store_handle spawn_store(caf::actor_system& system,
                         std::shared_ptr<vault> storage, job_runner runner,
                         snapshot_handle snapshots) {
  return system.spawn(store_behavior, std::move(storage), std::move(runner),
                      std::move(snapshots));
}

row_changes make_rows(std::vector<vault_change> changes) {
  return std::make_shared<std::vector<vault_change>>(std::move(changes));
}

void save(const store_handle& store, std::vector<vault_change> changes) {
  if (!changes.empty())
    caf::anon_send(store, save_rows{make_rows(std::move(changes))});
}

void save(const store_handle& store, vault_change change) {
  std::vector<vault_change> changes;
  changes.push_back(std::move(change));
  save(store, std::move(changes));
}

}  // namespace sotto
