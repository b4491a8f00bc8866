#include "bench/process.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "crypto/unique_fd.hpp"

namespace sotto::bench {

using nlohmann::json;

namespace {

error system_failure(const std::string& what) {
  return {errc::io, what + ": " + std::generic_category().message(errno) +
                        ". Free some memory or space and try again."};
}

bool write_all(int fd, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const auto count = ::write(fd, text.data() + done, text.size() - done);
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  return true;
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4'096> chunk{};
  while (true) {
    const auto count = ::read(fd, chunk.data(), chunk.size());
    if (count > 0) text.append(chunk.data(), static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) return text;
  }
}

/// The child's whole life; no exception leaves it.
[[noreturn]] void live(const std::function<result<json>()>& work,
                       int out) noexcept {
  bool told = false;
  try {
    const auto made = work();
    const json answer = made ? json{{"value", *made}}
                             : json{{"failure", made.failure().message}};
    told = write_all(out, answer.dump());
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "sotto-bench: a measuring process failed: %s\n",
                 problem.what());
  }
  // Not exit: the parent's handlers and buffers are not this process's.
  ::_exit(told ? 0 : 1);
}

}  // namespace

std::size_t resident_bytes() {
  malloc_trim(0);
  std::ifstream statm{"/proc/self/statm"};
  std::size_t all = 0;
  std::size_t resident = 0;
  statm >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t peak_resident_bytes() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<std::size_t>(used.ru_maxrss) * 1'024;
}

double cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) +
         static_cast<double>(used.tv_nsec) * 1e-9;
}

double now_seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

result<json> in_child(const std::function<result<json>()>& work) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return system_failure("A pipe could not be made");
  unique_fd from_child{ends[0]};
  unique_fd to_parent{ends[1]};
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) return system_failure("A process could not be started");
  if (child == 0) live(work, to_parent.get());
  to_parent = unique_fd{};
  const auto text = read_all(from_child.get());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const auto answer = json::parse(text, nullptr, false);
  if (answer.is_object() && answer.contains("value")) return answer["value"];
  if (answer.is_object() && answer.contains("failure"))
    return error{errc::unavailable, answer["failure"].get<std::string>()};
  return error{errc::unavailable,
               "The measuring process ended without an answer (wait status " +
                   std::to_string(status) + ")."};
}

result<temporary_folder> temporary_folder::make() {
  std::error_code problem;
  const auto parent = std::filesystem::temp_directory_path(problem);
  if (problem)
    return error{errc::io, "There is no temporary folder (" +
                               problem.message() + "). Set TMPDIR."};
  auto name = (parent / "sotto-bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    return system_failure("No folder could be made in " + parent.string());
  return temporary_folder{name};
}

temporary_folder::temporary_folder(temporary_folder&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace sotto::bench
