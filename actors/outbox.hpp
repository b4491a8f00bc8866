#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "actors/api/views.hpp"

namespace sotto {

/// The messages of one conversation that are not yet on their way, oldest
/// first. One at a time is under way, so that the order holds whatever
/// happens to it. Pure.
class outbox {
 public:
  struct entry {
    message_view message;
    /// Written for a private conversation: never to go in the clear.
    bool must_be_private = false;
  };

  bool empty() const noexcept { return entries_.empty(); }
  std::size_t size() const noexcept { return entries_.size(); }

  void push(entry added) { entries_.push_back(std::move(added)); }

  /// The oldest message, if none is under way; it is then.
  std::optional<entry> next();
  /// The one under way could not go: it is the oldest that waits, with a note
  /// why, and must be private from now on if `must_be_private`. The changed
  /// message, for the snapshot; nothing if the id is not under way.
  std::optional<message_view> defer(const std::string& id, std::string note,
                                    bool must_be_private);
  /// The one under way is encrypted (or clear), and on its way to the server.
  std::optional<message_view> secured(const std::string& id,
                                      message_security security);
  /// The oldest has left, or never will: it is taken out. It need not be
  /// under way any more: word of it may come after `interrupted`.
  std::optional<message_view> done(const std::string& id, message_state state,
                                   std::string note = {});
  /// Whatever was under way is lost (an actor was restarted): it waits again.
  void interrupted() { under_way_ = false; }
  /// Takes out everything that waits, as failed; not what is under way.
  std::vector<message_view> fail_waiting(const std::string& note);
  /// Likewise, but only what must be private.
  std::vector<message_view> fail_private(const std::string& note);
  /// None of those that are here may go in the clear from now on.
  void make_private() {
    for (auto& each : entries_) each.must_be_private = true;
  }

 private:
  std::vector<message_view> fail_where(const std::string& note,
                                       bool (*wanted)(const entry&));
  bool is_under_way(const std::string& id) const {
    return under_way_ && !entries_.empty() && entries_.front().message.id == id;
  }

  std::deque<entry> entries_;
  bool under_way_ = false;  ///< the front entry is
};

}  // namespace sotto
