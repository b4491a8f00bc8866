#include <cmath>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>

#include "actors/api/engine.hpp"
#include "bench/process.hpp"
#include "bench/report.hpp"
#include "bench/scenario.hpp"

namespace sotto::bench {

using nlohmann::json;

namespace {

/// Longer than any start or stored command takes.
constexpr std::chrono::seconds patience{60};

/// Lets this thread wait for the engine's.
class signal {
 public:
  void raise() {
    {
      const std::lock_guard lock{mutex_};
      raised_at_ = raised_at_ != 0 ? raised_at_ : now_seconds();
    }
    changed_.notify_all();
  }
  /// When it was raised first; nothing if it was not in time.
  std::optional<double> wait() {
    std::unique_lock lock{mutex_};
    if (!changed_.wait_for(lock, patience, [&] { return raised_at_ != 0; }))
      return std::nullopt;
    return raised_at_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  double raised_at_ = 0;
};

engine_options options_for(const std::filesystem::path& folder,
                           bool with_passphrase) {
  engine_options options;
  options.folder = folder;
  if (with_passphrase)
    options.passphrase = std::make_shared<const secret>(
        secret::copy_of(std::string_view{"a passphrase for the bench"}));
  return options;
}

/// A folder with one account and its key in it.
result<json> prepare(const std::filesystem::path& folder,
                     bool with_passphrase) {
  if (auto ready = init_sotto(); !ready) return ready.failure();
  signal stored;
  auto options = options_for(folder, with_passphrase);
  options.on_event = [&](const event& what) {
    if (std::holds_alternative<key_generated>(what)) stored.raise();
  };
  auto core = engine::open(std::move(options));
  if (!core) return core.failure();
  add_account account;
  account.account = "terrence@bench.example";
  account.password = std::make_shared<const secret>(secret::random(16));
  (*core)->submit(account);
  (*core)->submit(generate_key{account.account});
  if (!stored.wait())
    return error{errc::timeout, "No key was stored within a minute."};
  (*core)->stop();
  return json{};
}

/// One start, in a process that does nothing else.
result<json> measure(const std::filesystem::path& folder,
                     bool with_passphrase) {
  if (auto ready = init_sotto(); !ready) return ready.failure();
  signal published;
  auto options = options_for(folder, with_passphrase);
  options.on_published = [&] { published.raise(); };
  const auto before = resident_bytes();
  const double begin = now_seconds();
  auto core = engine::open(std::move(options));
  if (!core) return core.failure();
  const double opened = now_seconds();
  const auto shown = published.wait();
  if (!shown) return error{errc::timeout, "No snapshot came within a minute."};
  const auto after = resident_bytes();
  const auto accounts = (*core)->load()->accounts.size();
  const double stopping = now_seconds();
  (*core)->stop();
  return json{{"opened_ms", (opened - begin) * 1e3},
              {"snapshot_ms", (*shown - begin) * 1e3},
              {"stop_ms", (now_seconds() - stopping) * 1e3},
              {"resident_before", before},
              {"resident_after", after},
              {"resident_peak", peak_resident_bytes()},
              {"accounts", accounts}};
}

double median(const std::vector<json>& all, const char* key) {
  std::vector<double> values;
  values.reserve(all.size());
  for (const auto& each : all) values.push_back(each.at(key).get<double>());
  return percentile(std::move(values), 0.5);
}

result<json> measure_all(const bench_settings& settings, bool with_passphrase) {
  const auto folder = temporary_folder::make();
  if (!folder) return folder.failure();
  const auto data = folder->path() / "data";
  const auto ready = in_child([&] { return prepare(data, with_passphrase); });
  if (!ready) return ready.failure();
  std::vector<json> all;
  bool whole = true;
  for (std::size_t i = 0; i < settings.runs; ++i) {
    auto one = in_child([&] { return measure(data, with_passphrase); });
    if (!one) return one.failure();
    whole = whole && one->at("accounts") == 1;
    all.push_back(*std::move(one));
  }
  json medians{{"whole", whole}};
  for (const char* key : {"opened_ms", "snapshot_ms", "stop_ms"})
    medians[key] = std::round(median(all, key) * 1e3) / 1e3;
  for (const char* key : {"resident_before", "resident_after", "resident_peak"})
    medians[key] = static_cast<std::int64_t>(median(all, key));
  return medians;
}

}  // namespace

result<json> run_start(const bench_settings& settings) {
  const auto sealed = measure_all(settings, true);
  if (!sealed) return sealed.failure();
  const auto open = measure_all(settings, false);
  if (!open) return open.failure();
  return json{
      {"scenario", "start"},
      {"runs", settings.runs},
      {"whole", sealed->at("whole") == true && open->at("whole") == true},
      {"with_passphrase", *sealed},
      {"without_passphrase", *open}};
}

}  // namespace sotto::bench
