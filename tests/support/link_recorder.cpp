#include "tests/support/link_recorder.hpp"

#include <algorithm>
#include <stdexcept>

#include "crypto/secret.hpp"
#include "protocol/strophe_library.hpp"

namespace sotto::test {

void start_network() {
  static const bool crypto = init_crypto();
  const auto network = init_network();
  if (!crypto) throw std::runtime_error("crypto/ could not be started");
  if (!network) throw std::runtime_error(network.failure().message);
}

void link_recorder::on_link(const link_change& change) {
  const std::lock_guard lock(mutex_);
  changes_.push_back(change);
  changed_.notify_all();
}

void link_recorder::on_stanza(stanza incoming) {
  const std::lock_guard lock(mutex_);
  stanzas_.push_back(std::move(incoming));
  changed_.notify_all();
}

bool link_recorder::ended() const {
  return std::ranges::any_of(changes_, [](const link_change& change) {
    return change.phase == link_phase::offline ||
           change.phase == link_phase::failed;
  });
}

std::optional<link_change> link_recorder::wait_for(
    link_phase phase, std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  const auto find = [&] {
    return std::ranges::find(changes_, phase, &link_change::phase);
  };
  changed_.wait_for(lock, most,
                    [&] { return find() != changes_.end() || ended(); });
  const auto found = find();
  if (found == changes_.end()) return std::nullopt;
  return *found;
}

std::optional<link_change> link_recorder::wait_for_end(
    std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, most, [&] { return ended(); });
  if (!ended()) return std::nullopt;
  return changes_.back();
}

bool link_recorder::wait_for_stanzas(std::size_t count,
                                     std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, most,
                           [&] { return stanzas_.size() >= count; });
}

std::vector<link_change> link_recorder::changes() const {
  const std::lock_guard lock(mutex_);
  return changes_;
}

std::vector<stanza> link_recorder::stanzas() const {
  const std::lock_guard lock(mutex_);
  return stanzas_;
}

std::vector<std::string> link_recorder::bodies() const {
  std::vector<std::string> bodies;
  for (const stanza& each : stanzas()) {
    const auto* message = std::get_if<message_stanza>(&each);
    if (message != nullptr && message->body) bodies.push_back(*message->body);
  }
  return bodies;
}

link_settings settings_for(const std::string& account,
                           const std::string& password, std::uint16_t port) {
  link_settings settings;
  const auto address = jid::parse(account);
  if (!address) throw std::runtime_error(address.failure().message);
  settings.account = *address;
  settings.resource = "test";
  settings.password = std::make_shared<const secret>(
      secret::copy_of(std::string_view(password)));
  settings.host = "127.0.0.1";
  settings.port = port;
  return settings;
}

}  // namespace sotto::test
