#include "crypto/secret.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>
#include <thread>
#include <type_traits>
#include <vector>

#include "crypto/locked_arena.hpp"
#include "tests/crypto/vault_support.hpp"

namespace sotto {
namespace {

static_assert(!std::is_copy_constructible_v<secret>);
static_assert(!std::is_copy_assignable_v<secret>);
static_assert(std::is_nothrow_move_constructible_v<secret>);

bool all_are(std::span<const std::byte> bytes, std::byte wanted) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [&](std::byte each) { return each == wanted; });
}

// Looks at memory that was given back, which ASan would rightly forbid.
__attribute__((no_sanitize_address)) bool still_holds(
    const volatile std::byte* data, std::size_t size, std::byte wanted) {
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] == wanted) {
      return true;
    }
  }
  return false;
}

// The kernel's flags ("lo" locked, "dd" not in dumps) of the mapping.
std::string mapping_flags(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t first = 0;
    std::uintptr_t last = 0;
    char dash = 0;
    std::istringstream fields(line);
    if (fields >> std::hex >> first >> dash >> last && dash == '-') {
      inside = wanted >= first && wanted < last;
    } else if (inside && line.starts_with("VmFlags:")) {
      return line + " ";
    }
  }
  return {};
}

TEST(secret, is_empty_at_first) {
  const secret none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.view(), "");
  EXPECT_TRUE(none.equals(secret::zeroed(0)));
}

TEST(secret, holds_a_copy_of_what_it_was_given) {
  std::string text = "correct horse";
  const secret made = secret::copy_of(text);
  text.assign(text.size(), 'x');
  EXPECT_EQ(made.view(), "correct horse");
  EXPECT_EQ(made.size(), 13U);
}

TEST(secret, keeps_zero_bytes_within) {
  const std::string text("a\0b", 3);
  EXPECT_EQ(secret::copy_of(text).view(), text);
}

TEST(secret, moves_and_leaves_nothing_behind) {
  secret first = secret::copy_of("first");
  const std::byte* data = first.bytes().data();
  secret second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(second.bytes().data(), data);
  secret third = secret::copy_of("third");
  third = std::move(second);
  EXPECT_EQ(third.view(), "first");
  EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(secret, survives_being_moved_onto_itself) {
  secret made = secret::copy_of("still here");
  secret& same = made;
  made = std::move(same);
  EXPECT_EQ(made.view(), "still here");
}

TEST(secret, clones_are_independent) {
  secret made = secret::copy_of("abc");
  const secret other = made.clone();
  made.writable()[0] = std::byte{'X'};
  EXPECT_EQ(other.view(), "abc");
}

TEST(secret, compares_by_content) {
  const secret made = secret::copy_of("abc");
  EXPECT_TRUE(made.equals(secret::copy_of("abc")));
  EXPECT_FALSE(made.equals(secret::copy_of("abd")));
  EXPECT_FALSE(made.equals(secret::copy_of("ab")));
  EXPECT_FALSE(made.equals(secret()));
}

TEST(secret, random_ones_differ) {
  EXPECT_FALSE(secret::random(32).equals(secret::random(32)));
  EXPECT_FALSE(all_are(secret::random(64).bytes(), std::byte{0}));
}

TEST(secret, is_wiped_when_it_goes) {
  int looked_at = 0;
  for (const std::size_t size : {24U, 100U, 4096U}) {
    const std::byte* was = nullptr;
    {
      secret made = secret::zeroed(size);
      std::fill(made.writable().begin(), made.writable().end(),
                std::byte{0xa5});
      was = made.bytes().data();
      ASSERT_TRUE(still_holds(was, size, std::byte{0xa5}));
    }
    // The arena keeps a link in the first bytes, which may hold any byte.
    constexpr std::size_t link = sizeof(void*);
    EXPECT_FALSE(still_holds(was + link, size - link, std::byte{0xa5})) << size;
    ++looked_at;
  }
  std::cout << "sizes looked at after the end: " << looked_at << "\n";
}

TEST(secret, memory_is_zero_when_used_again) {
  for (std::size_t size = 1; size <= 5000; size += 7) {
    {
      secret made = secret::zeroed(size);
      std::fill(made.writable().begin(), made.writable().end(),
                std::byte{0xff});
    }
    ASSERT_TRUE(all_are(secret::zeroed(size).bytes(), std::byte{0})) << size;
  }
}

TEST(secret, memory_is_locked_and_left_out_of_core_dumps) {
  for (const std::size_t size : {32U, 100000U}) {
    const secret made = secret::random(size);
    const std::string flags = mapping_flags(made.bytes().data());
    EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;
    const bool locked = flags.find(" lo ") != std::string::npos;
    std::cout << size << " bytes: " << (locked ? "locked" : "NOT locked")
              << ", not dumped\n";
    rlimit limit{};
    ::getrlimit(RLIMIT_MEMLOCK, &limit);
    // Sanitizers make mlock do nothing.
    if (limit.rlim_cur >= (8U << 20) && !test::under_asan &&
        !test::under_tsan) {
      EXPECT_TRUE(locked);
    }
  }
}

TEST(secret, many_small_ones_share_locked_pages) {
  const auto before = locked_arena::instance().used();
  std::vector<secret> keys;
  keys.reserve(2000);
  for (int i = 0; i < 2000; ++i) {
    keys.push_back(secret::random(32));
  }
  const auto after = locked_arena::instance().used();
  std::cout << "2000 keys of 32 bytes: " << after.chunks - before.chunks
            << " new chunks of 64 KiB\n";
  EXPECT_LE(after.chunks - before.chunks, 2U);
  EXPECT_EQ(after.blocks - before.blocks, 2000U);
  keys.clear();
  EXPECT_EQ(locked_arena::instance().used().blocks, before.blocks);
}

TEST(secret, works_where_no_memory_may_be_locked) {
  if (test::under_tsan) {
    GTEST_SKIP() << "no fork under TSan";
  }
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const rlimit none{0, 0};
    bool good = ::setrlimit(RLIMIT_MEMLOCK, &none) == 0;
    if (::geteuid() == 0) {  // root may always lock
      good = good && ::setresuid(65534, 65534, 65534) == 0;
    }
    std::vector<secret> made;
    for (std::size_t i = 1; i < 3000; ++i) {
      made.push_back(secret::random(i * 3));
      good = good && made.back().equals(made.back().clone());
    }
    std::_Exit(good ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(secret, may_be_made_and_dropped_on_many_threads) {
  const auto before = locked_arena::instance().used().blocks;
  const auto seed = static_cast<unsigned>(test::test_seed());
  constexpr int rounds = 20000;
  std::array<int, 4> spoiled{};
  {
    std::vector<std::jthread> threads;
    for (unsigned id = 0; id < spoiled.size(); ++id) {
      threads.emplace_back([id, seed, &spoiled] {
        std::mt19937 random(seed + id);
        std::vector<secret> held(16);
        const auto mark = static_cast<std::byte>(id + 1);
        for (int round = 0; round < rounds; ++round) {
          secret& slot = held[random() % held.size()];
          spoiled[id] += all_are(slot.bytes(), mark) ? 0 : 1;
          slot = secret::zeroed(1 + random() % 600);
          spoiled[id] += all_are(slot.bytes(), std::byte{0}) ? 0 : 1;
          std::fill(slot.writable().begin(), slot.writable().end(), mark);
        }
      });
    }
  }
  std::cout << "made: " << rounds * 4 << ", spoiled: "
            << spoiled[0] + spoiled[1] + spoiled[2] + spoiled[3] << "\n";
  EXPECT_EQ(spoiled, (std::array<int, 4>{}));
  EXPECT_EQ(locked_arena::instance().used().blocks, before);
}

TEST(wipe, overwrites_with_zeroes) {
  std::array<std::byte, 40> bytes{};
  bytes.fill(std::byte{7});
  wipe(bytes.data(), 39);
  EXPECT_TRUE(all_are(std::span(bytes).first(39), std::byte{0}));
  EXPECT_EQ(bytes[39], std::byte{7});
  wipe(nullptr, 0);
}

}  // namespace
}  // namespace sotto
