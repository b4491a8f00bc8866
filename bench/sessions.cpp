#include <nlohmann/json.hpp>

#include "bench/bare_otr.hpp"
#include "bench/engine_pairs.hpp"
#include "bench/process.hpp"
#include "bench/report.hpp"
#include "bench/scenario.hpp"

namespace sotto::bench {

using nlohmann::json;

result<json> run_sessions(const bench_settings& settings) {
  const auto bare = in_child([&]() -> result<json> {
    if (auto ready = init_sotto(); !ready) return ready.failure();
    auto pairs = bare_pairs::open(settings.pairs);
    if (!pairs) return pairs.failure();
    return to_json(pairs->handshakes());
  });
  if (!bare) return bare.failure();
  if (auto ready = init_sotto(); !ready) return ready.failure();
  const auto pairs = engine_pairs::open(settings);
  if (!pairs) return pairs.failure();
  auto report = compare("sessions", settings, (*pairs)->handshakes(), *bare);
  report["setup_seconds"] = (*pairs)->setup_seconds();
  report["resident_bytes_per_account"] =
      static_cast<std::int64_t>((*pairs)->resident_bytes_per_account());
  return report;
}

}  // namespace sotto::bench
