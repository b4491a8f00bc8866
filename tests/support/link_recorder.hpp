#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "protocol/transport.hpp"

namespace sotto::test {

/// Starts crypto/ and the network once; throws std::runtime_error if that
/// fails.
void start_network();

/// A listener that keeps all it hears, and waits for it.
class link_recorder final : public transport_listener {
 public:
  /// Far beyond anything that a sound program needs on a slow machine.
  static constexpr std::chrono::seconds patience{60};

  void on_link(const link_change& change) override;
  void on_stanza(stanza incoming) override;

  /// The first change to `phase`; nothing if the link ended otherwise or time
  /// ran out.
  std::optional<link_change> wait_for(
      link_phase phase, std::chrono::milliseconds most = patience);
  /// The final change (offline or failed).
  std::optional<link_change> wait_for_end(
      std::chrono::milliseconds most = patience);
  /// True as soon as `count` stanzas have come.
  bool wait_for_stanzas(std::size_t count,
                        std::chrono::milliseconds most = patience);
  std::vector<link_change> changes() const;
  std::vector<stanza> stanzas() const;
  std::vector<std::string> bodies() const;

 private:
  bool ended() const;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<link_change> changes_;
  std::vector<stanza> stanzas_;
};

/// Settings for `account` at a server on this machine.
link_settings settings_for(const std::string& account,
                           const std::string& password, std::uint16_t port);

}  // namespace sotto::test
