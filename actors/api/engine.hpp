#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "actors/api/command.hpp"
#include "actors/api/event.hpp"
#include "actors/api/snapshot.hpp"
#include "crypto/result.hpp"
#include "protocol/transport.hpp"

namespace sotto {

/// Must be called once, first thing in `main`: hardens the process, starts
/// the libraries, ignores SIGPIPE, and refuses to go on if the XML guard is
/// inert (R1, R28).
result<void> init_sotto();

struct engine_options {
  std::filesystem::path folder;  ///< the data folder; made if missing
  /// Nothing: the folder has, or gets, no passphrase.
  std::shared_ptr<const secret> passphrase;
  /// Where links come from; nothing: the real network.
  std::shared_ptr<transport_factory> transports;
  /// Called for every event, in order, on a thread of the engine: hand it on
  /// and return.
  std::function<void(const event&)> on_event;
  /// Called after a snapshot was published, likewise.
  std::function<void()> on_published;
  unsigned threads = 0;  ///< of the actor scheduler; 0: one a core
};

/// The whole program without its window: accounts, roster, conversations.
/// Its members may be called from any one thread at a time.
class engine {
 public:
  /// Opens the data folder (see `vault::open` for what may be wrong with it)
  /// and starts the actors; the snapshot holds all that was stored when it
  /// returns. Takes about as long as the passphrase's key
  /// derivation.
  static result<std::unique_ptr<engine>> open(engine_options options);
  /// Stops if `stop` was not called.
  ~engine();
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  /// Hands over a command; a `command_finished` with its id will follow.
  command_id submit(command order);
  /// The newest snapshot; never null.
  std::shared_ptr<const snapshot> load() const;
  /// Ends private conversations and links in good order, writes what is
  /// pending, and stops every actor; a few seconds at most.
  void stop();

 private:
  class impl;
  explicit engine(std::unique_ptr<impl> implementation);
  std::unique_ptr<impl> impl_;
};

}  // namespace sotto
