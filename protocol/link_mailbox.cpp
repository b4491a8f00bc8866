#include "protocol/link_mailbox.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "protocol/link_watchdog.hpp"

namespace sotto {

link_mailbox::link_mailbox()
    : wake_(out_of_select_range(
          unique_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)))) {}

void link_mailbox::wake() const {
  const std::uint64_t one = 1;
  // It can only fail when it is readable already.
  [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof one);
}

bool link_mailbox::put(std::string xml) {
  const std::lock_guard lock(mutex_);
  if (!online_ || closing_ || waiting_.size() >= max_stanzas ||
      waiting_bytes_ + xml.size() > max_bytes) {
    return false;
  }
  waiting_bytes_ += xml.size();
  waiting_.push_back(std::move(xml));
  wake();
  return true;
}

bool link_mailbox::accepts() const {
  const std::lock_guard lock(mutex_);
  return online_ && !closing_ && waiting_.size() < max_stanzas &&
         waiting_bytes_ < max_bytes;
}

bool link_mailbox::online() const {
  const std::lock_guard lock(mutex_);
  return online_;
}

void link_mailbox::request_close() {
  const std::lock_guard lock(mutex_);
  closing_ = true;
  wake();
}

void link_mailbox::request_stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  wake();
}

void link_mailbox::settle() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = read(wake_.get(), &count, sizeof count);
}

void link_mailbox::set_online(bool online) {
  const std::lock_guard lock(mutex_);
  online_ = online;
}

bool link_mailbox::closing() const {
  const std::lock_guard lock(mutex_);
  return closing_;
}

bool link_mailbox::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

bool link_mailbox::empty() const {
  const std::lock_guard lock(mutex_);
  return waiting_.empty();
}

std::vector<std::string> link_mailbox::take(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> taken;
  std::size_t total = 0;
  while (!waiting_.empty() &&
         (taken.empty() || total + waiting_.front().size() <= bytes)) {
    total += waiting_.front().size();
    taken.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  waiting_bytes_ -= total;
  return taken;
}

}  // namespace sotto
