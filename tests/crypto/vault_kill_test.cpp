// R26: what was acknowledged is there after kill -9, and the vault opens.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <random>

#include "crypto/unique_fd.hpp"
#include "tests/crypto/vault_support.hpp"

namespace sotto {
namespace {

namespace fs = std::filesystem;
using test::open_quick;
using test::put;

std::string value_for(std::uint64_t number) {
  return "row " + std::to_string(number) + std::string(number % 500, '.');
}

/// A child process that makes or opens a vault and writes rows until it is
/// killed; it reports each acknowledged row's number through a pipe.
class writer {
 public:
  writer(const fs::path& folder, std::uint64_t first) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    acknowledged_ = unique_fd(ends[0]);
    unique_fd report(ends[1]);
    child_ = ::fork();
    if (child_ == 0) {
      write_rows(folder, first, report.get());
    }
  }
  ~writer() { kill(); }
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;

  /// The number of the next acknowledged row, if there is one.
  bool next(std::uint64_t& number) {
    return ::read(acknowledged_.get(), &number, sizeof number) == sizeof number;
  }
  void kill() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
      child_ = -1;
    }
  }

 private:
  [[noreturn]] static void write_rows(const fs::path& folder,
                                      std::uint64_t number, int report) {
    auto opened = open_quick(folder, nullptr);
    while (opened) {
      std::vector<vault_change> changes;
      changes.push_back(put("rows", std::to_string(number), value_for(number)));
      changes.push_back(put("rows", "last", std::to_string(number)));
      if (!(*opened)->apply(changes) ||
          ::write(report, &number, sizeof number) != sizeof number) {
        break;
      }
      ++number;
    }
    std::_Exit(1);
  }

  unique_fd acknowledged_;
  pid_t child_ = -1;
};

// Lets the child run for a moment that differs each time.
void spin(std::chrono::microseconds moment) {
  const auto end = std::chrono::steady_clock::now() + moment;
  while (std::chrono::steady_clock::now() < end) {
  }
}

class vault_kill : public testing::Test {
 protected:
  void SetUp() override {
    if (test::under_tsan) {
      GTEST_SKIP() << "no fork under TSan";
    }
  }

  // Rows 0 to `count` - 1 have to be there; returns how many are not.
  int missing_of(std::uint64_t count) {
    auto opened = open_quick(folder_, nullptr);
    EXPECT_TRUE(opened) << opened.failure().message;
    if (!opened) {
      return -1;
    }
    int missing = 0;
    for (std::uint64_t number = 0; number < count; ++number) {
      missing += test::value_of(**opened, "rows", std::to_string(number)) ==
                         value_for(number)
                     ? 0
                     : 1;
    }
    return missing;
  }

  test::temporary_folder outer_;
  fs::path folder_ = outer_ / "data";
};

TEST_F(vault_kill, loses_no_acknowledged_row) {
  std::mt19937_64 random(test::test_seed());
  constexpr int kills = 50;
  std::uint64_t count = 0;  // acknowledged so far, without a gap
  int lost = 0;
  for (int round = 0; round < kills; ++round) {
    writer child(folder_, count);
    std::uint64_t number = 0;
    const std::uint64_t wanted = 1 + random() % 40;
    for (std::uint64_t i = 0; i < wanted && child.next(number); ++i) {
      ASSERT_EQ(number, count++);
    }
    spin(std::chrono::microseconds(random() % 1500));
    child.kill();
    while (child.next(number)) {
      ASSERT_EQ(number, count++);
    }
    const int missing = missing_of(count);
    ASSERT_GE(missing, 0);
    lost += missing;
  }
  std::cout << "kill -9: " << kills << " times, acknowledged rows: " << count
            << ", lost: " << lost << "\n";
  EXPECT_EQ(lost, 0);
  EXPECT_GT(count, 50U);
}

TEST_F(vault_kill, opens_or_makes_a_vault_after_being_killed_while_making_it) {
  std::mt19937_64 random(test::test_seed());
  constexpr int kills = 50;
  int begun = 0;
  int lost = 0;
  for (int round = 0; round < kills; ++round) {
    fs::remove_all(folder_);
    std::uint64_t count = 0;
    {
      writer child(folder_, 0);
      spin(std::chrono::microseconds(random() % 20000));
      child.kill();
      std::uint64_t number = 0;
      while (child.next(number)) {
        ++count;
      }
    }
    begun += fs::exists(folder_) && count == 0 ? 1 : 0;
    const int missing = missing_of(count);
    ASSERT_GE(missing, 0);
    lost += missing;
  }
  std::cout << "killed while making a vault: " << kills << " times, of these "
            << begun << " in the middle; lost rows: " << lost << "\n";
  EXPECT_EQ(lost, 0);
}

TEST(vault_speed, is_printed) {
  const test::temporary_folder folder;
  const auto opened = test::open_clear(folder / "data");
  constexpr int commits = 300;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < commits; ++i) {
    test::apply(*opened, put("rows", std::to_string(i), std::string(200, 'x')));
  }
  const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - start;
  std::cout << commits << " commits of one row, synced: "
            << static_cast<int>(commits / took.count()) << " a second\n";
}

}  // namespace
}  // namespace sotto
