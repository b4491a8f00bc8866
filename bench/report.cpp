#include "bench/report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace sotto::bench {

using nlohmann::json;

namespace {

double divide(double value, double by) { return by > 0 ? value / by : 0; }

double rounded(double value) { return std::round(value * 1'000) / 1'000; }

bool is_whole(const json& measured) {
  return measured.at("lost") == 0 && measured.at("doubled") == 0 &&
         measured.at("wrong") == 0 &&
         measured.at("done") == measured.at("wanted");
}

struct row {
  const char* key;
  const char* title;
};
constexpr std::array<row, 13> rows{
    row{"wanted", "asked for"},
    row{"done", "done"},
    row{"lost", "lost"},
    row{"doubled", "doubled"},
    row{"wrong", "wrong"},
    row{"seconds", "seconds"},
    row{"per_second", "per second"},
    row{"p50_ms", "p50 ms"},
    row{"p99_ms", "p99 ms"},
    row{"cpu_us_each", "processor us each"},
    row{"lines_each", "wire lines each"},
    row{"resident_bytes_per_session", "resident bytes a session"},
    row{"resident_bytes_per_pair", "resident bytes a pair"}};

/// Of the engine alone, below the table where they were measured.
constexpr std::array<row, 2> engine_rows{
    row{"resident_bytes_per_account", "resident bytes an account"},
    row{"setup_seconds", "set-up seconds"}};

constexpr std::array<row, 6> start_rows{
    row{"opened_ms", "opened after ms"},
    row{"snapshot_ms", "first snapshot after ms"},
    row{"stop_ms", "stopped after ms"},
    row{"resident_before", "resident bytes before"},
    row{"resident_after", "resident bytes after"},
    row{"resident_peak", "resident bytes at most"}};

std::string cell(const json& from, const char* key) {
  if (!from.contains(key)) return {};
  const auto& value = from.at(key);
  if (!value.is_number_float()) return value.dump();
  std::array<char, 32> text{};
  const double number = value.get<double>();
  std::snprintf(text.data(), text.size(), number < 100 ? "%.3f" : "%.0f",
                number);
  return text.data();
}

std::string table_line(const std::string& title, const std::string& engine,
                       const std::string& bare, const std::string& ratio) {
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(), "%-30s%14s%14s%10s\n", title.c_str(),
                engine.c_str(), bare.c_str(), ratio.c_str());
  return text.data();
}

}  // namespace

double percentile(std::vector<double> all, double part) {
  if (all.empty()) return 0;
  const auto rank = std::ceil(part * static_cast<double>(all.size())) - 1;
  const auto place = static_cast<std::ptrdiff_t>(std::max(rank, 0.0));
  std::nth_element(all.begin(), all.begin() + place, all.end());
  return all[static_cast<std::size_t>(place)];
}

json to_json(const figures& measured) {
  const auto done = static_cast<double>(measured.done);
  return {
      {"wanted", measured.wanted},
      {"done", measured.done},
      {"lost", measured.lost},
      {"doubled", measured.doubled},
      {"wrong", measured.wrong},
      {"seconds", rounded(measured.seconds)},
      {"per_second", rounded(divide(done, measured.seconds))},
      {"p50_ms", rounded(percentile(measured.latencies, 0.5) * 1e3)},
      {"p99_ms", rounded(percentile(measured.latencies, 0.99) * 1e3)},
      {"cpu_us_each", rounded(divide(measured.cpu_seconds * 1e6, done))},
      {"lines_each",
       rounded(divide(static_cast<double>(measured.lines), done))},
      {"resident_bytes_per_session",
       static_cast<std::int64_t>(measured.resident_bytes_per_session)},
      {"resident_bytes_per_pair",
       static_cast<std::int64_t>(2 * measured.resident_bytes_per_session)},
  };
}

json compare(const char* scenario, const bench_settings& settings,
             const figures& engine, const json& bare) {
  auto report = to_json(engine);
  report["whole"] = is_whole(report) && is_whole(bare);
  json ratio;
  for (const char* key : {"per_second", "p50_ms", "p99_ms", "cpu_us_each",
                          "lines_each", "resident_bytes_per_session"})
    ratio[key] = rounded(
        divide(report.at(key).get<double>(), bare.at(key).get<double>()));
  report["scenario"] = scenario;
  report["pairs"] = settings.pairs;
  report["messages"] = settings.messages;
  report["in_flight"] = settings.in_flight;
  report["threads"] = settings.threads;
  report["seed"] = settings.seed;
  report["bare"] = bare;
  report["ratio"] = std::move(ratio);
  return report;
}

std::string to_table(const json& report) {
  const auto& bare = report.at("bare");
  const auto& ratio = report.at("ratio");
  std::string text = table_line(report.at("scenario").get<std::string>(),
                                "engine", "bare libotr", "ratio");
  for (const auto& [key, title] : rows)
    text +=
        table_line(title, cell(report, key), cell(bare, key), cell(ratio, key));
  for (const auto& [key, title] : engine_rows)
    if (report.contains(key))
      text += table_line(title, cell(report, key), {}, {});
  return text;
}

std::string to_start_table(const json& report) {
  const auto& sealed = report.at("with_passphrase");
  const auto& open = report.at("without_passphrase");
  std::string text =
      table_line("start, the median of " + report.at("runs").dump() + " each",
                 "passphrase", "none", {});
  for (const auto& [key, title] : start_rows)
    text += table_line(title, cell(sealed, key), cell(open, key), {});
  return text;
}

}  // namespace sotto::bench
