#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/api/event.hpp"

namespace sotto::cli {

/// Everything that was told since the start: writes each event as a line, and
/// lets the reader of commands wait for one. Thread-safe.
class journal {
 public:
  explicit journal(std::FILE* out) : out_(out) {}

  /// Stamps, writes and keeps an object.
  void tell(nlohmann::json object);
  /// From the engine: tells what is to be told, notes finished commands.
  void on_event(const event& what);
  /// From the engine: the snapshot holds all events so far.
  void on_published();

  /// An event with this name and all these values, now or within `timeout`.
  bool wait_for(const std::string& name,
                const std::map<std::string, std::string>& values,
                std::chrono::milliseconds timeout);
  /// How a command ended: nothing if it has not within `timeout`.
  std::optional<command_finished> wait_finished(
      command_id id, std::chrono::milliseconds timeout);
  /// Until a snapshot holds all that was told, a second at most.
  void wait_published();

  /// A command or a wait has failed.
  bool has_failed() const;
  /// The program ends: nobody waits any longer.
  void interrupt();

 private:
  void write(nlohmann::json object);

  std::FILE* out_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<nlohmann::json> told_;
  std::unordered_map<command_id, command_finished> finished_;
  bool failed_ = false;
  bool unpublished_ = true;  ///< the first snapshot is still to come
  bool interrupted_ = false;
};

}  // namespace sotto::cli
