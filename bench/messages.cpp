#include <nlohmann/json.hpp>

#include "bench/exchange.hpp"

namespace sotto::bench {

result<nlohmann::json> run_messages(const bench_settings& settings) {
  return run_exchange("messages", settings, traffic::one_way);
}

}  // namespace sotto::bench
