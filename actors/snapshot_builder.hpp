#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "actors/api/event.hpp"
#include "actors/api/snapshot.hpp"

namespace sotto {

/// Folds events into a draft and freezes it into snapshots. Pure; not
/// thread-safe. The cost of a snapshot follows what changed, not what there
/// is.
class snapshot_builder {
 public:
  /// So many of the newest trace entries are kept.
  static constexpr std::size_t max_trace = 2'048;

  void fold(const event& what);
  std::shared_ptr<const snapshot> freeze();

 private:
  using key = std::pair<std::string, std::string>;
  struct draft {
    conversation_view view;
    std::map<std::string, std::size_t> line_of;  ///< message id to line
    std::size_t row = 0;
  };

  void apply(const account_changed& what);
  void apply(const account_removed& what);
  void apply(const link_changed& what);
  void apply(const contact_changed& what);
  void apply(const contact_removed& what);
  void apply(const request_changed& what);
  void apply(const request_removed& what);
  void apply(const conversation_changed& what);
  void apply(const message_changed& what);
  void apply(const notice_added& what);
  void apply(const conversation_lost& what);
  void apply(const conversation_read& what);
  void apply(const known_keys_changed& what);
  void apply(const trace_added& what);
  // Told to listeners, but nothing that a snapshot shows.
  void apply(const certificate_asked&) {}
  void apply(const key_generated&) {}
  void apply(const command_finished&) {}
  void apply(const engine_started&) {}
  void apply(const engine_failed&) {}

  draft& conversation(const std::string& account, const std::string& contact);
  void drop_contact(const key& name);

  std::uint64_t version_ = 0;
  std::map<std::string, account_view> accounts_;
  /// Their actors may still have a word to say, which counts no more.
  std::set<std::string> removed_;
  cow_rows<contact_view> contacts_;
  std::map<key, std::size_t> contact_row_;
  std::map<key, request_view> requests_;
  std::map<key, draft> conversations_;
  std::set<key> touched_;  ///< conversations to freeze anew
  cow_rows<std::shared_ptr<const conversation_view>> frozen_;
  std::map<key, std::vector<known_key>> keys_;
  cow_rows<trace_view> trace_;
  std::uint64_t traced_ = 0;
};

/// Where the newest snapshot lies: written by the engine, read by a front end.
/// (std::atomic<std::shared_ptr> of libstdc++ 12 races; a mutex does not.)
class snapshot_cell {
 public:
  std::shared_ptr<const snapshot> load() const;
  void publish(std::shared_ptr<const snapshot> next);

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const snapshot> current_ = std::make_shared<const snapshot>();
};

}  // namespace sotto
