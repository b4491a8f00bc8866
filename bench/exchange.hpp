#pragma once

#include <nlohmann/json_fwd.hpp>

#include "bench/ledger.hpp"
#include "bench/scenario.hpp"

namespace sotto::bench {

/// What the scenarios with messages share: handshakes first, which are not
/// measured but for their memory, then the traffic, by the bare library and by
/// the engine.
result<nlohmann::json> run_exchange(const char* scenario,
                                    const bench_settings& settings,
                                    traffic kind);

}  // namespace sotto::bench
