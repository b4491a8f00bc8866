#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "crypto/result.hpp"

namespace sotto::bench {

/// What the command line asks for.
struct bench_settings {
  std::size_t pairs = 10;
  std::size_t messages = 100;  ///< of a pair
  std::size_t in_flight = 32;  ///< begun and not yet done, over all pairs
  unsigned threads = 0;        ///< of each engine's scheduler; 0: one a core
  std::size_t runs = 5;        ///< of `start`
  std::uint64_t seed = 1;
};

// The scenarios, a file each. A report has `whole`: false where anything was
// lost, doubled or wrong. An error means that nothing could be measured.

/// OTR handshakes, from the user's start until both sides are private.
result<nlohmann::json> run_sessions(const bench_settings& settings);
/// Each message is answered: every one turns the ratchet.
result<nlohmann::json> run_turns(const bench_settings& settings);
/// One way, as many as go.
result<nlohmann::json> run_messages(const bench_settings& settings);
/// From `engine::open` to the first snapshot, and the memory then.
result<nlohmann::json> run_start(const bench_settings& settings);

}  // namespace sotto::bench
