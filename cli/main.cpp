#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <thread>

#include "actors/api/engine.hpp"
#include "cli/event_json.hpp"
#include "cli/journal.hpp"
#include "cli/line_reader.hpp"
#include "cli/program.hpp"

namespace {

using namespace sotto;

struct arguments {
  std::string folder;
  int passphrase_fd = -1;
  bool no_passphrase = false;
};

/// Says why the program does not start: as an event, and in plain words.
int give_up(const std::string& reason) {
  cli::journal{stdout}.tell(cli::error_json("sotto-cli", reason));
  std::fprintf(stderr, "sotto-cli: %s\n", reason.c_str());
  return 1;
}

/// The first line of a file descriptor, read byte by byte so that what follows
/// is left for others.
result<std::shared_ptr<const secret>> read_passphrase(int fd) {
  constexpr std::size_t most = 1'024;
  auto buffer = secret::zeroed(most);
  const auto bytes = buffer.writable();
  std::size_t count = 0;
  while (count < most) {
    const auto got = read(fd, bytes.data() + count, 1);
    if (got < 0)
      return error{errc::io,
                   "The passphrase could not be read from file "
                   "descriptor " +
                       std::to_string(fd) +
                       ". Open it for reading, e.g. 3<file."};
    if (got == 0 || bytes[count] == std::byte{'\n'}) break;
    ++count;
  }
  if (count == 0)
    return error{errc::invalid_argument,
                 "The passphrase is empty. Give one, or --no-passphrase."};
  if (count == most)
    return error{errc::invalid_argument,
                 "The passphrase is longer than 1023 bytes."};
  return std::make_shared<const secret>(
      secret::copy_of(buffer.bytes().first(count)));
}

result<engine_options> options_from(const arguments& given) {
  engine_options options;
  options.folder = given.folder;
  if (given.no_passphrase == (given.passphrase_fd >= 0))
    return error{errc::invalid_argument,
                 "Give either --passphrase-fd N or --no-passphrase."};
  if (given.no_passphrase) return options;
  auto passphrase = read_passphrase(given.passphrase_fd);
  if (!passphrase) return passphrase.failure();
  options.passphrase = *std::move(passphrase);
  return options;
}

int run(const arguments& given) {
  if (const auto ready = init_sotto(); !ready)
    return give_up(ready.failure().message);
  auto options = options_from(given);
  if (!options) return give_up(options.failure().message);
  cli::journal told{stdout};
  options->on_event = [&told](const event& what) { told.on_event(what); };
  options->on_published = [&told] { told.on_published(); };
  auto core = engine::open(*std::move(options));
  if (!core) return give_up(core.failure().message);

  cli::catch_stop_signals();
  std::jthread stopper([&told] {
    cli::wait_for_stop_signal();
    told.interrupt();
  });
  cli::program commands{**core, told};
  cli::line_reader lines{STDIN_FILENO};
  while (auto line = lines.next()) {
    std::string& text = *line;
    const bool goes_on = commands.carry_out(text);
    wipe(text.data(), text.size());
    if (!goes_on) break;
  }
  cli::release_stop_signal();
  stopper.join();
  (*core)->stop();
  core->reset();
  return told.has_failed() ? 1 : 0;
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{
      "Sotto without a window: commands in by line, JSON events out by line."};
  arguments given;
  app.add_option("--data", given.folder, "the data folder; made if missing")
      ->required();
  app.add_option("--passphrase-fd", given.passphrase_fd,
                 "file descriptor whose first line is the passphrase");
  app.add_flag("--no-passphrase", given.no_passphrase,
               "the folder has no passphrase: whoever reads it reads all");
  app.set_version_flag("--version", "sotto-cli " SOTTO_VERSION);
  app.footer("Type 'help' for the commands.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    if (problem.get_exit_code() == 0) return app.exit(problem);
    return give_up(std::string{problem.what()} + ". See --help.");
  }
  return run(given);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "sotto-cli: stopped by a failure: %s\n",
                 problem.what());
    return 1;
  }
}
