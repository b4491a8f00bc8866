#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>

#include "bench/report.hpp"
#include "bench/scenario.hpp"

namespace {

using namespace sotto;
using namespace sotto::bench;
using nlohmann::json;

using scenario = result<json> (*)(const bench_settings&);

/// Exit status: 0; 1 where anything was lost, doubled or wrong; 2 where
/// nothing could be measured or the command line is wrong.
int run(scenario chosen, const bench_settings& settings, bool as_json) {
  const auto report = chosen(settings);
  if (!report) {
    std::fprintf(stderr, "sotto-bench: %s\n", report.failure().message.c_str());
    return 2;
  }
  const auto text = as_json                    ? report->dump(2) + "\n"
                    : report->contains("bare") ? to_table(*report)
                                               : to_start_table(*report);
  std::fputs(text.c_str(), stdout);
  if (report->at("whole") == true) return 0;
  std::fputs(
      "sotto-bench: not everything that was asked for was done, once and "
      "right; see lost, doubled and wrong.\n",
      stderr);
  return 1;
}

void add_options(CLI::App& to, bench_settings& settings) {
  to.add_option("--pairs", settings.pairs, "conversations, of two sides each")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  to.add_option("--in-flight", settings.in_flight,
                "begun and not yet done, over all pairs")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  to.add_option("--threads", settings.threads,
                "of each of the two engines; 0: one a core")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  to.add_option("--seed", settings.seed, "of the messages' texts")
      ->capture_default_str();
}

/// Help and version are no failures; anything else is one sentence.
int end_of_parsing(const CLI::App& app, const CLI::ParseError& reason) {
  if (reason.get_exit_code() == 0) return app.exit(reason);
  std::string what = reason.what();
  if (!what.empty() && what.back() == '.') what.pop_back();
  std::fprintf(stderr,
               "sotto-bench: %s. The scenarios are sessions, turns, messages "
               "and start; 'sotto-bench SCENARIO --help' lists the options of "
               "one.\n",
               what.c_str());
  return 2;
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{
      "How fast the whole engine is, beside bare libotr in the same run."};
  app.set_version_flag("--version", "sotto-bench " SOTTO_VERSION);
  app.require_subcommand(1);
  bench_settings settings;
  bool as_json = false;
  scenario chosen = nullptr;
  const auto add = [&](const char* name, const char* about, scenario what) {
    auto* command = app.add_subcommand(name, about);
    command->add_flag("--json", as_json, "print one JSON object");
    command->callback([&chosen, what] { chosen = what; });
    return command;
  };
  auto* sessions = add("sessions", "OTR handshakes", run_sessions);
  auto* turns = add("turns", "each message is answered", run_turns);
  auto* messages = add("messages", "one way, as many as go", run_messages);
  auto* start = add("start", "start-up time and memory", run_start);
  for (auto* each : {sessions, turns, messages}) add_options(*each, settings);
  for (auto* each : {turns, messages})
    each->add_option("--messages", settings.messages, "of each pair")
        ->check(CLI::Range(1, 10'000'000))
        ->capture_default_str();
  start->add_option("--runs", settings.runs, "starts of each kind")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& reason) {
    return end_of_parsing(app, reason);
  }
  return run(chosen, settings, as_json);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "sotto-bench: nothing was measured: %s\n",
                 problem.what());
    return 2;
  }
}
