#include "actors/outbox.hpp"

namespace sotto {

std::optional<outbox::entry> outbox::next() {
  if (under_way_ || entries_.empty()) return std::nullopt;
  under_way_ = true;
  return entries_.front();
}

std::optional<message_view> outbox::defer(const std::string& id,
                                          std::string note,
                                          bool must_be_private) {
  if (!is_under_way(id)) return std::nullopt;
  under_way_ = false;
  auto& front = entries_.front();
  front.message.note = std::move(note);
  if (must_be_private) front.must_be_private = true;
  return front.message;
}

std::optional<message_view> outbox::secured(const std::string& id,
                                            message_security security) {
  if (!is_under_way(id)) return std::nullopt;
  entries_.front().message.security = security;
  return entries_.front().message;
}

std::optional<message_view> outbox::done(const std::string& id,
                                         message_state state,
                                         std::string note) {
  if (entries_.empty() || entries_.front().message.id != id)
    return std::nullopt;
  under_way_ = false;
  auto message = std::move(entries_.front().message);
  entries_.pop_front();
  message.state = state;
  message.note = std::move(note);
  return message;
}

std::vector<message_view> outbox::fail_waiting(const std::string& note) {
  std::vector<message_view> failed;
  const std::size_t keep = under_way_ ? 1 : 0;
  while (entries_.size() > keep) {
    auto message = std::move(entries_[keep].message);
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(keep));
    message.state = message_state::failed;
    message.note = note;
    failed.push_back(std::move(message));
  }
  return failed;
}

std::vector<message_view> outbox::fail_private(const std::string& note) {
  std::vector<message_view> failed;
  for (std::size_t i = under_way_ ? 1 : 0; i < entries_.size();) {
    if (!entries_[i].must_be_private) {
      ++i;
      continue;
    }
    auto message = std::move(entries_[i].message);
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(i));
    message.state = message_state::failed;
    message.note = note;
    failed.push_back(std::move(message));
  }
  return failed;
}

}  // namespace sotto
