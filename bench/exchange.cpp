#include "bench/exchange.hpp"

#include <nlohmann/json.hpp>

#include "bench/bare_otr.hpp"
#include "bench/engine_pairs.hpp"
#include "bench/process.hpp"
#include "bench/report.hpp"

namespace sotto::bench {

using nlohmann::json;

namespace {

/// A pair whose handshake did not come can have no message: no traffic then,
/// and all of it counts as lost.
template <class Pairs, class Exchange>
figures after_handshakes(Pairs& pairs, const bench_settings& settings,
                         Exchange exchange) {
  const auto secured = pairs.handshakes();
  figures measured;
  if (secured.lost == 0) {
    measured = exchange(pairs);
  } else {
    measured.wanted = settings.pairs * settings.messages;
    measured.lost = measured.wanted;
  }
  measured.resident_bytes_per_session = secured.resident_bytes_per_session;
  return measured;
}

}  // namespace

result<json> run_exchange(const char* scenario, const bench_settings& settings,
                          traffic kind) {
  const auto bare = in_child([&]() -> result<json> {
    if (auto ready = init_sotto(); !ready) return ready.failure();
    auto pairs = bare_pairs::open(settings.pairs);
    if (!pairs) return pairs.failure();
    return to_json(after_handshakes(*pairs, settings, [&](bare_pairs& all) {
      return all.exchange(settings, kind);
    }));
  });
  if (!bare) return bare.failure();
  if (auto ready = init_sotto(); !ready) return ready.failure();
  const auto pairs = engine_pairs::open(settings);
  if (!pairs) return pairs.failure();
  const auto measured = after_handshakes(
      **pairs, settings, [&](engine_pairs& all) { return all.exchange(kind); });
  auto report = compare(scenario, settings, measured, *bare);
  report["setup_seconds"] = (*pairs)->setup_seconds();
  return report;
}

}  // namespace sotto::bench
