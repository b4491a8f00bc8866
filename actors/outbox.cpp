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
  return fail_where(note, [](const entry&) { return true; });
}

std::vector<message_view> outbox::fail_private(const std::string& note) {
  return fail_where(note,
                    [](const entry& each) { return each.must_be_private; });
}

std::vector<message_view> outbox::fail_where(const std::string& note,
                                             bool (*wanted)(const entry&)) {
  std::vector<message_view> failed;
  std::deque<entry> kept;
  for (auto& each : entries_) {
    const bool goes_on = under_way_ && &each == &entries_.front();
    if (goes_on || !wanted(each)) {
      kept.push_back(std::move(each));
      continue;
    }
    each.message.state = message_state::failed;
    each.message.note = note;
    failed.push_back(std::move(each.message));
  }
  entries_ = std::move(kept);
  return failed;
}

}  // namespace sotto
