#include <nlohmann/json.hpp>

#include "bench/exchange.hpp"

namespace sotto::bench {

result<nlohmann::json> run_turns(const bench_settings& settings) {
  return run_exchange("turns", settings, traffic::turns);
}

}  // namespace sotto::bench
