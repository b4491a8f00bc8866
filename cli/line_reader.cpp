#include "cli/line_reader.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "crypto/secret.hpp"

namespace sotto::cli {

namespace {

// The signal handler may only write to a pipe; the reader polls it.
std::array<int, 2> stop_pipe{-1, -1};

void on_stop_signal(int) {
  const int saved = errno;
  const char byte = 1;
  [[maybe_unused]] const auto written = write(stop_pipe[1], &byte, 1);
  errno = saved;
}

bool stop_was_asked() {
  pollfd source{stop_pipe[0], POLLIN, 0};
  return stop_pipe[0] >= 0 && poll(&source, 1, 0) > 0;
}

}  // namespace

void catch_stop_signals() {
  if (pipe2(stop_pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) return;
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGHUP, &action, nullptr);
}

void wait_for_stop_signal() {
  if (stop_pipe[0] < 0) return;
  pollfd source{stop_pipe[0], POLLIN, 0};
  while (poll(&source, 1, -1) < 0 && errno == EINTR) {
  }
}

void release_stop_signal() { on_stop_signal(0); }

line_reader::~line_reader() { wipe(buffer_.data(), buffer_.size()); }

bool line_reader::fill() {
  std::array<pollfd, 2> sources{pollfd{fd_, POLLIN, 0},
                                pollfd{stop_pipe[0], POLLIN, 0}};
  while (poll(sources.data(), sources.size(), -1) < 0)
    if (errno != EINTR) return false;
  if ((sources[1].revents & POLLIN) != 0) return false;
  std::array<char, 4'096> chunk{};
  const auto count = read(fd_, chunk.data(), chunk.size());
  if (count <= 0) return count < 0 && errno == EINTR;
  buffer_.append(chunk.data(), static_cast<std::size_t>(count));
  wipe(chunk.data(), chunk.size());
  return true;
}

std::optional<std::string> line_reader::next() {
  if (stop_was_asked()) return std::nullopt;
  std::string line;
  std::size_t end = std::string::npos;
  do {
    end = buffer_.find('\n');
    const auto length = std::min(end, buffer_.size());
    // Of a line that is too long no more is kept than shows that it is.
    line.append(buffer_, 0, std::min(length, max_line + 1 - line.size()));
    drop(end == std::string::npos ? length : length + 1);
    if (end == std::string::npos && !ended_) ended_ = !fill();
  } while (end == std::string::npos && !(ended_ && buffer_.empty()));
  if (end == std::string::npos && line.empty()) return std::nullopt;
  return line;
}

/// Forgets the first bytes for good.
void line_reader::drop(std::size_t count) {
  std::string rest = buffer_.substr(count);
  wipe(buffer_.data(), buffer_.size());
  buffer_ = std::move(rest);
}

}  // namespace sotto::cli
