#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "bench/scenario.hpp"

namespace sotto::bench {

/// What one measurement gave. `wanted` operations were asked for (handshakes
/// or messages), `done` of them came to their end.
struct figures {
  std::size_t wanted = 0;
  std::size_t done = 0;
  std::size_t lost = 0;
  std::size_t doubled = 0;
  std::size_t wrong = 0;  ///< other text, out of order, or in the clear
  std::size_t lines = 0;  ///< that crossed the wire meanwhile
  double seconds = 0;
  double cpu_seconds = 0;
  std::vector<double> latencies;  ///< seconds
  /// A session is one side's: each pair has two.
  double resident_bytes_per_session = 0;
};

/// The time at `part` (0.5: the median) of all, the nearest rank; 0 of none.
double percentile(std::vector<double> all, double part);

nlohmann::json to_json(const figures& measured);
/// The engine's figures, the bare library's under `bare`, and `ratio`.
nlohmann::json compare(const char* scenario, const bench_settings& settings,
                       const figures& engine, const nlohmann::json& bare);
/// A report that `compare` made, as a table for people.
std::string to_table(const nlohmann::json& report);
/// The report of `run_start` as a table.
std::string to_start_table(const nlohmann::json& report);

}  // namespace sotto::bench
