#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "crypto/unique_fd.hpp"

namespace sotto {

/// What a link's users have for its thread: stanzas to send, and the wish to
/// close. Thread-safe; wakes the thread through a descriptor.
class link_mailbox {
 public:
  /// What may wait to be sent (R14).
  static constexpr std::size_t max_stanzas = 4'096;
  static constexpr std::size_t max_bytes = 8UL * 1024 * 1024;

  link_mailbox();

  // For the users.

  /// Queues the text of a stanza; false if the link is not online or the
  /// queue is full.
  bool put(std::string xml);
  bool accepts() const;
  bool online() const;
  /// Wants the link closed in good order.
  void request_close();
  /// Wants the link gone at once and without a word.
  void request_stop();

  // For the link's thread.

  /// Readable when there is something new; -1 if no descriptor was left.
  int wake_fd() const noexcept { return wake_.get(); }
  /// Makes `wake_fd` unreadable until there is something new again.
  void settle();
  void set_online(bool online);
  bool closing() const;
  bool stopping() const;
  bool empty() const;
  /// The next stanzas, up to `bytes` of them, but at least one if any waits.
  std::vector<std::string> take(std::size_t bytes);

 private:
  void wake() const;

  mutable std::mutex mutex_;
  unique_fd wake_;
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool online_ = false;
  bool closing_ = false;
  bool stopping_ = false;
};

}  // namespace sotto
