#pragma once

#include <atomic>
#include <optional>
#include <string>

namespace sotto::cli {

/// Lines from a file descriptor, until its end or until the program is asked
/// to stop (SIGINT, SIGTERM, SIGHUP).
class line_reader {
 public:
  /// The longest line, in bytes. Of a longer one `next` gives one byte more
  /// than this and drops the rest: `parse_line` refuses it as a whole.
  static constexpr std::size_t max_line = 1'048'576;

  explicit line_reader(int fd) : fd_(fd) {}
  ~line_reader();
  line_reader(const line_reader&) = delete;
  line_reader& operator=(const line_reader&) = delete;

  /// The next line without its end; nothing when there is none. What was read
  /// before is wiped: lines may hold passwords.
  std::optional<std::string> next();

 private:
  bool fill();
  void drop(std::size_t count);

  int fd_;
  std::string buffer_;
  bool ended_ = false;
};

/// Makes SIGINT, SIGTERM and SIGHUP end `line_reader::next` instead of the
/// process.
void catch_stop_signals();
/// Until such a signal has come, or `release_stop_signal` was called.
void wait_for_stop_signal();
void release_stop_signal();

}  // namespace sotto::cli
