#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "actors/api/engine.hpp"
#include "bench/ledger.hpp"
#include "bench/process.hpp"
#include "bench/report.hpp"
#include "bench/scenario.hpp"
#include "protocol/loopback_transport.hpp"

namespace sotto::bench {

/// What an event says to a scenario.
struct happening {
  enum class kind : std::uint8_t {
    finished,    ///< a command was carried out
    refused,     ///< or not; `text` says why
    online,      ///< an account
    asked,       ///< a contact wants to be authorized
    subscribed,  ///< a contact is seen (left) or sees us (right)
    secured,     ///< a conversation became private
    received,    ///< a message; `text` is its text
    failed       ///< something went wrong; `text` says what
  };
  kind what = kind::finished;
  bool at_left = false;
  bool in_private = false;
  std::size_t pair = 0;
  std::string text;
};

/// What happens, handed from the engines' threads to the scenario's.
class inbox {
 public:
  void put(happening news);
  /// The next one; nothing if none comes within `patience`.
  std::optional<happening> take(std::chrono::seconds patience);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<happening> waiting_;
};

/// Two whole engines over the in-process hub, as two programs would be: the
/// accounts of the left one each have their contact in the right one. Driven
/// by commands and events only, as a front end drives it.
class engine_pairs {
 public:
  /// With all accounts online, keys made and contacts authorized.
  static result<std::unique_ptr<engine_pairs>> open(
      const bench_settings& settings);
  ~engine_pairs();
  engine_pairs(const engine_pairs&) = delete;
  engine_pairs& operator=(const engine_pairs&) = delete;

  figures handshakes();
  figures exchange(traffic kind);

  double setup_seconds() const { return setup_seconds_; }
  double resident_bytes_per_account() const {
    return resident_bytes_per_account_;
  }

 private:
  engine_pairs(const bench_settings& settings, temporary_folder left,
               temporary_folder right);
  result<void> open_engines();
  result<void> set_up();
  result<void> add_accounts();
  result<void> make_contacts();
  void submit(bool at_left, command order);
  /// Waits until every command is carried out.
  result<void> await_finished();
  /// Waits until so many accounts have said so.
  result<void> await(happening::kind what, std::size_t wanted);
  /// Waits for one thing during the set-up, and notes it.
  result<void> step();
  std::function<void(const event&)> listener(bool at_left);
  void send(ledger& book, std::size_t pair, std::size_t number);
  void stop();

  bench_settings settings_;
  inbox inbox_;
  loopback_hub hub_;
  std::atomic<std::size_t> lines_{0};
  temporary_folder left_folder_;
  temporary_folder right_folder_;
  std::unique_ptr<engine> left_;
  std::unique_ptr<engine> right_;
  std::size_t submitted_ = 0;
  std::size_t finished_ = 0;
  std::set<std::pair<happening::kind, std::size_t>> seen_;
  double setup_seconds_ = 0;
  double resident_bytes_per_account_ = 0;
};

}  // namespace sotto::bench
