#include "tests/support/prosody_fixture.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "crypto/unique_fd.hpp"

namespace sotto::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* program = "/usr/bin/prosody";
constexpr auto patience = 30s;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// Free now; nobody else takes ports at random here but the tests.
std::uint16_t free_port() {
  const unique_fd probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (bind(probe.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address), &size) !=
          0) {
    throw std::runtime_error("no free port on 127.0.0.1");
  }
  return ntohs(address.sin_port);
}

bool takes_connections(std::uint16_t port) {
  const unique_fd probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(port);
  return connect(probe.get(), reinterpret_cast<sockaddr*>(&address),
                 sizeof address) == 0;
}

std::string contents(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

std::string configuration(const std::filesystem::path& folder,
                          std::uint16_t port, const std::string& more) {
  const std::string at = folder.string();
  return "run_as_root = true\n"
         "data_path = '" +
         at +
         "/data'\n"
         "pidfile = '" +
         at +
         "/prosody.pid'\n"
         "log = { info = '" +
         at +
         "/prosody.log' }\n"
         "interfaces = { '127.0.0.1' }\n"
         "c2s_ports = { " +
         std::to_string(port) +
         " }\n"
         "s2s_ports = {}\n"
         "http_ports = {}\n"
         "https_ports = {}\n"
         "modules_enabled = { 'roster', 'saslauth', 'tls', 'disco', 'ping',\n"
         "  'pep', 'posix' }\n"
         "modules_disabled = { 's2s' }\n"
         "network_settings = { nagle = false }\n"
         "c2s_require_encryption = true\n"
         "authentication = 'internal_plain'\n"
         "storage = 'internal'\n"
         "ssl = { key = '" +
         at + "/key.pem'; certificate = '" + at + "/certificate.pem' }\n" +
         more + "\nVirtualHost 'localhost'\n";
}

}  // namespace

bool prosody_fixture::available() { return access(program, X_OK) == 0; }

prosody_fixture::prosody_fixture(
    const std::map<std::string, std::string>& accounts,
    const std::string& more) {
  std::string name =
      (std::filesystem::temp_directory_path() / "sotto-prosody-XXXXXX")
          .string();
  if (mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("no folder for Prosody");
  }
  folder_ = name;
  port_ = free_port();
  write_files(accounts, more);
  start();
}

prosody_fixture::~prosody_fixture() {
  stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string prosody_fixture::ca_file() const {
  return (folder_ / "ca.pem").string();
}

std::string prosody_fixture::log() const {
  return contents(folder_ / "prosody.log") + contents(folder_ / "output.txt");
}

void prosody_fixture::write_files(
    const std::map<std::string, std::string>& accounts,
    const std::string& more) {
  const identity authority =
      make_self_signed({.common_name = "Test CA", .authority = true});
  const identity own = make_signed({.dns_names = {"localhost"}}, authority);
  write(folder_ / "ca.pem", authority.certificate);
  write(folder_ / "certificate.pem", own.certificate);
  write(folder_ / "key.pem", own.key);
  write(folder_ / "prosody.cfg.lua", configuration(folder_, port_, more));
  const auto stored = folder_ / "data" / "localhost" / "accounts";
  std::filesystem::create_directories(stored);
  for (const auto& [user, password] : accounts) {
    write(stored / (user + ".dat"),
          "return { ['password'] = [==[" + password + "]==]; };\n");
  }
}

void prosody_fixture::start() {
  const std::string config = (folder_ / "prosody.cfg.lua").string();
  const std::string output = (folder_ / "output.txt").string();
  std::array<std::string, 4> words{program, "-F", "--config", config};
  std::array<char*, 5> arguments{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    arguments[i] = words[i].data();
  }
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
                                   O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  const int failure =
      posix_spawn(&pid_, program, &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) throw std::runtime_error("Prosody could not be started");
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!takes_connections(port_)) {
    const bool gone = waitpid(pid_, nullptr, WNOHANG) == pid_;
    if (gone) pid_ = -1;
    if (gone || std::chrono::steady_clock::now() > deadline) {
      const std::string said = log();
      stop();
      throw std::runtime_error("Prosody did not come up: " + said);
    }
    std::this_thread::sleep_for(20ms);
  }
}

void prosody_fixture::stop() {
  if (pid_ <= 0) return;
  kill(pid_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (waitpid(pid_, nullptr, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) kill(pid_, SIGKILL);
    std::this_thread::sleep_for(10ms);
  }
  pid_ = -1;
}

}  // namespace sotto::test
