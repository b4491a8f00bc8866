#include "actors/api/engine.hpp"

#include <atomic>

#include "actors/one_shot_signal.hpp"
#include "actors/snapshot_actor.hpp"
#include "actors/store_actor.hpp"
#include "actors/supervisor_actor.hpp"
#include "actors/worker_thread.hpp"
#include "crypto/host_hardening.hpp"
#include "protocol/strophe_library.hpp"
#include "protocol/strophe_transport.hpp"

namespace sotto {

namespace {

/// Links have three seconds to close in good order; the rest takes no time.
constexpr std::chrono::seconds stop_timeout{8};
/// For what was stored to be in the first snapshot; it takes milliseconds.
constexpr std::chrono::seconds start_timeout{30};

}  // namespace

result<void> init_sotto() {
  if (auto claimed = claim_standard_descriptors(); !claimed) return claimed;
  if (auto hardened = harden_process(); !hardened) return hardened;
  if (!init_crypto())
    return error{errc::crypto,
                 "The cryptographic libraries could not be started. Reinstall "
                 "libsodium, libgcrypt and libotr."};
  return init_network();
}

/// Declared in the order in which things are needed: actors go first, then
/// the threads that they hand work to, then the vault.
class engine::impl {
 public:
  impl(engine_options options, std::unique_ptr<vault> storage,
       stored_state stored)
      : cell_(std::make_shared<snapshot_cell>()),
        config_(options.threads),
        system_(config_) {
    auto transports =
        options.transports ? options.transports : strophe_transport_factory();
    snapshots_ = spawn_snapshot(system_, watched(std::move(options)));
    store_ = spawn_store(system_, std::move(storage), runner_of(store_worker_),
                         snapshots_);
    supervisor_config children;
    children.stored = std::move(stored);
    children.transports = std::move(transports);
    children.key_runner = runner_of(key_worker_);
    children.store = store_;
    children.snapshots = snapshots_;
    children.on_stopped = [this] { stopped_.raise(); };
    supervisor_ = spawn_supervisor(system_, std::move(children));
    started_.wait_for(start_timeout);
  }

  ~impl() { stop(); }

  command_id submit(command order) {
    const auto id = ++last_id_;
    caf::anon_send(supervisor_, ui_command{id, std::move(order)});
    return id;
  }

  std::shared_ptr<const snapshot> load() const { return cell_->load(); }

  void stop() {
    if (std::exchange(stop_called_, true)) return;
    caf::anon_send(supervisor_, stop_actor{});
    if (!stopped_.wait_for(stop_timeout))
      caf::anon_send_exit(supervisor_, caf::exit_reason::kill);
    supervisor_ = supervisor_handle{};
    // The store answers what it was asked before it goes; then nobody has
    // anything to tell the snapshot any more.
    caf::anon_send(store_, stop_actor{});
    caf::anon_send(snapshots_, stop_actor{});
    store_ = store_handle{};
    snapshots_ = snapshot_handle{};
  }

 private:
  /// What the snapshot actor hands out; raises `started_` on its way.
  snapshot_sink watched(engine_options options) {
    const auto all_told = std::make_shared<bool>(false);
    return {cell_,
            [all_told, next = std::move(options.on_event)](const event& what) {
              if (std::holds_alternative<engine_started>(what))
                *all_told = true;
              if (next) next(what);
            },
            [this, all_told, next = std::move(options.on_published)] {
              if (std::exchange(*all_told, false)) started_.raise();
              if (next) next();
            }};
  }

  static job_runner runner_of(worker_thread& worker) {
    return
        [&worker](std::function<void()> job) { worker.post(std::move(job)); };
  }

  one_shot_signal started_;
  one_shot_signal stopped_;
  std::shared_ptr<snapshot_cell> cell_;
  worker_thread store_worker_;
  worker_thread key_worker_;
  actor_config config_;
  caf::actor_system system_;
  snapshot_handle snapshots_;
  store_handle store_;
  supervisor_handle supervisor_;
  std::atomic<command_id> last_id_{0};
  bool stop_called_ = false;
};

engine::engine(std::unique_ptr<impl> implementation)
    : impl_(std::move(implementation)) {}

engine::~engine() = default;

result<std::unique_ptr<engine>> engine::open(engine_options options) {
  auto storage = vault::open(options.folder, options.passphrase.get());
  if (!storage) return storage.failure();
  auto stored = load_state(**storage);
  if (!stored) return stored.failure();
  return std::unique_ptr<engine>(new engine(std::make_unique<impl>(
      std::move(options), *std::move(storage), *std::move(stored))));
}

command_id engine::submit(command order) {
  return impl_->submit(std::move(order));
}

std::shared_ptr<const snapshot> engine::load() const { return impl_->load(); }

void engine::stop() { impl_->stop(); }

}  // namespace sotto
