#include "protocol/link_watchdog.hpp"

#include <fcntl.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace sotto {

bool link_lifeline::attach(int socket) noexcept {
  unique_fd copy(fcntl(socket, F_DUPFD_CLOEXEC, FD_SETSIZE));
  if (!copy) copy = unique_fd(fcntl(socket, F_DUPFD_CLOEXEC, 0));
  const std::lock_guard lock(mutex_);
  socket_ = std::move(copy);
  return static_cast<bool>(socket_);
}

void link_lifeline::detach() noexcept {
  const std::lock_guard lock(mutex_);
  socket_.reset();
}

void link_lifeline::cut() noexcept {
  const std::lock_guard lock(mutex_);
  if (socket_) shutdown(socket_.get(), SHUT_RDWR);
}

link_watchdog::link_watchdog()
    : thread_([this](const std::stop_token& stop) { run(stop); }) {}

void link_watchdog::watch(const std::shared_ptr<link_lifeline>& lifeline,
                          clock::time_point deadline) {
  const std::lock_guard lock(mutex_);
  watched_[lifeline] = deadline;
  changed_.notify_one();
}

void link_watchdog::forget(const std::shared_ptr<link_lifeline>& lifeline) {
  const std::lock_guard lock(mutex_);
  watched_.erase(lifeline);
}

void link_watchdog::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto next = cut_overdue();
    if (next == clock::time_point::max()) {
      changed_.wait(lock, stop, [this] { return !watched_.empty(); });
    } else {
      // Wakes up for every change; most of them move a deadline.
      changed_.wait_until(lock, stop, next, [this, next] {
        return std::ranges::any_of(
            watched_, [next](const auto& it) { return it.second < next; });
      });
    }
  }
}

// Returns the next deadline.
link_watchdog::clock::time_point link_watchdog::cut_overdue() {
  const auto now = clock::now();
  auto next = clock::time_point::max();
  for (auto it = watched_.begin(); it != watched_.end();) {
    if (it->second <= now) {
      it->first->cut();
      it = watched_.erase(it);
    } else {
      next = std::min(next, it->second);
      ++it;
    }
  }
  return next;
}

unique_fd out_of_select_range(unique_fd fd) noexcept {
  unique_fd high(fcntl(fd.get(), F_DUPFD_CLOEXEC, FD_SETSIZE));
  return high ? std::move(high) : std::move(fd);
}

}  // namespace sotto
