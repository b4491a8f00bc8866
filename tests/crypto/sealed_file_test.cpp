#include "crypto/sealed_file.hpp"

#include <gtest/gtest.h>
#include <sodium.h>
#include <sys/stat.h>

#include <iostream>
#include <random>

#include "crypto/atomic_file.hpp"
#include "tests/crypto/vault_support.hpp"

namespace sotto {
namespace {

using test::read_file;
using test::write_file;

constexpr content_kind kind{'t', 'e', 's', 't'};
constexpr std::string_view body_text = "canary-body-of-the-file";

class sealed_file_test : public testing::Test {
 protected:
  void write_sealed() {
    const secret passphrase = secret::copy_of("open");
    auto done = sealed_file::write(file_, kind, 3, secret::copy_of(body_text),
                                   &passphrase, kdf_cost::minimal());
    ASSERT_TRUE(done) << done.failure().message;
  }

  void write_clear() {
    ASSERT_TRUE(sealed_file::write(file_, kind, 3, secret::copy_of(body_text),
                                   nullptr, kdf_cost::minimal()));
  }

  // The body, or why there is none.
  result<std::string> open(std::string_view passphrase,
                           std::uint32_t newest = 3) {
    auto file = sealed_file::read(file_, kind, newest);
    if (!file) {
      return file.failure();
    }
    if (!*file) {
      return error{errc::not_found, "no file"};
    }
    const secret given = secret::copy_of(passphrase);
    auto body = (*file)->open(passphrase.empty() ? nullptr : &given);
    if (!body) {
      return body.failure();
    }
    return std::string(body->view());
  }

  errc failure_of(std::string_view passphrase, std::uint32_t newest = 3) {
    auto opened = open(passphrase, newest);
    EXPECT_FALSE(opened);
    return opened ? errc::timeout : opened.failure().code;
  }

  // What somebody writes who knows the format: the checksum fits again.
  void write_with_checksum(std::string bytes) {
    auto* data = reinterpret_cast<unsigned char*>(bytes.data());
    crypto_generichash_blake2b(data + bytes.size() - 16, 16, data,
                               bytes.size() - 16, nullptr, 0);
    write_file(file_, bytes);
  }

  test::temporary_folder folder_;
  std::filesystem::path file_ = folder_ / "file";
};

TEST_F(sealed_file_test, opens_with_its_passphrase) {
  write_sealed();
  auto opened = open("open");
  ASSERT_TRUE(opened) << opened.failure().message;
  EXPECT_EQ(*opened, body_text);
}

TEST_F(sealed_file_test, opens_without_one_if_made_without) {
  write_clear();
  auto opened = open("");
  ASSERT_TRUE(opened) << opened.failure().message;
  EXPECT_EQ(*opened, body_text);
}

TEST_F(sealed_file_test, is_nothing_if_there_is_no_file) {
  EXPECT_EQ(failure_of("open"), errc::not_found);
}

TEST_F(sealed_file_test, tells_a_wrong_passphrase) {
  write_sealed();
  const std::string before = read_file(file_);
  EXPECT_EQ(failure_of("opem"), errc::wrong_passphrase);
  EXPECT_EQ(read_file(file_), before);
}

TEST_F(sealed_file_test, refuses_the_wrong_way_of_opening) {
  write_sealed();
  EXPECT_EQ(failure_of(""), errc::refused);
  write_clear();
  EXPECT_EQ(failure_of("open"), errc::refused);
}

TEST_F(sealed_file_test, does_not_show_its_body) {
  write_sealed();
  EXPECT_EQ(read_file(file_).find("canary"), std::string::npos);
}

TEST_F(sealed_file_test, is_never_the_same_twice) {
  write_sealed();
  const std::string first = read_file(file_);
  write_sealed();
  EXPECT_NE(read_file(file_).substr(32, 40), first.substr(32, 40));
}

TEST_F(sealed_file_test, refuses_newer_content_and_a_newer_format) {
  write_sealed();
  EXPECT_EQ(failure_of("open", 2), errc::newer_version);
  std::string bytes = read_file(file_);
  bytes[8] = 2;
  write_with_checksum(bytes);
  EXPECT_EQ(failure_of("open"), errc::newer_version);
}

TEST_F(sealed_file_test, refuses_a_file_of_another_kind) {
  write_sealed();
  auto file = sealed_file::read(file_, {'e', 'l', 's', 'e'}, 3);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.failure().code, errc::corrupt);
}

TEST_F(sealed_file_test, refuses_to_spend_what_a_tampered_header_asks) {
  write_sealed();
  std::string bytes = read_file(file_);
  bytes[24 + 4] = 16;  // 64 GiB of memory
  write_with_checksum(bytes);
  EXPECT_EQ(failure_of("open"), errc::corrupt);
  write_sealed();
  bytes = read_file(file_);
  bytes[20 + 3] = 1;  // 2^24 passes
  write_with_checksum(bytes);
  EXPECT_EQ(failure_of("open"), errc::corrupt);
}

TEST_F(sealed_file_test, finds_every_flipped_bit) {
  int tried = 0;
  for (const bool sealed : {true, false}) {
    if (sealed) {
      write_sealed();
    } else {
      write_clear();
    }
    const std::string good = read_file(file_);
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      std::string bad = good;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
      write_file(file_, bad);
      ASSERT_EQ(failure_of(sealed ? "open" : ""), errc::corrupt) << bit;
      ++tried;
    }
  }
  std::cout << "bits flipped, each refused as damaged: " << tried << "\n";
}

TEST_F(sealed_file_test, finds_every_truncation) {
  write_sealed();
  const std::string good = read_file(file_);
  for (std::size_t size = 0; size < good.size(); ++size) {
    write_file(file_, good.substr(0, size));
    ASSERT_EQ(failure_of("open"), errc::corrupt) << size;
  }
  write_file(file_, good + "x");
  EXPECT_EQ(failure_of("open"), errc::corrupt);
  std::cout << "truncations: " << good.size() << ", each refused\n";
}

// Somebody who fits the checksum must not get past the seal either.
TEST_F(sealed_file_test, never_opens_after_deliberate_changes) {
  write_sealed();
  const std::string good = read_file(file_);
  int opened = 0;
  for (std::size_t bit = 0; bit < (good.size() - 16) * 8; ++bit) {
    // Costs that are allowed, but take long: passes and memory.
    if (bit / 8 >= 20 && bit / 8 < 32) {
      continue;
    }
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    write_with_checksum(bad);
    opened += open("open") ? 1 : 0;
  }
  std::cout << "opened after a change that fits the checksum: " << opened
            << "\n";
  EXPECT_EQ(opened, 0);
}

TEST_F(sealed_file_test, survives_random_bytes) {
  std::mt19937_64 random(test::test_seed());
  int opened = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(random() % 300, '\0');
    for (char& each : bytes) {
      each = static_cast<char>(random());
    }
    if (i % 2 == 0 && bytes.size() > 96) {
      bytes.replace(0, 8, "SottoSF\n");
      bytes.replace(12, 4, "test");
      write_with_checksum(bytes);
    } else {
      write_file(file_, bytes);
    }
    opened += open("") ? 1 : 0;
  }
  std::cout << "random files: 2000, opened: " << opened << "\n";
  EXPECT_EQ(opened, 0);
}

TEST_F(sealed_file_test, refuses_a_file_that_is_far_too_large) {
  write_file(file_, std::string((1 << 20) + 1, 'x'));
  EXPECT_EQ(failure_of("open"), errc::corrupt);
}

TEST_F(sealed_file_test, does_not_wait_for_a_pipe_of_its_name) {
  ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
  EXPECT_EQ(failure_of("open"), errc::io);
}

TEST(replace_file, makes_a_file_for_its_owner_only) {
  const test::temporary_folder folder;
  const mode_t before = ::umask(0);
  const secret bytes = secret::copy_of("new");
  EXPECT_TRUE(replace_file(folder / "f", bytes.bytes()));
  ::umask(before);
  struct stat facts {};
  ASSERT_EQ(::stat((folder / "f").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600U);
}

TEST(replace_file, replaces_and_leaves_nothing_else) {
  const test::temporary_folder folder;
  write_file(folder / "f", "old");
  write_file(folder / "f.new", "left over from a crash, and longer");
  EXPECT_TRUE(replace_file(folder / "f", secret::copy_of("new").bytes()));
  EXPECT_EQ(test::image_of(folder.path()), (test::folder_image{{"f", "new"}}));
}

TEST(replace_file, does_not_write_through_a_link) {
  const test::temporary_folder folder;
  write_file(folder / "victim", "precious");
  std::filesystem::create_symlink(folder / "victim", folder / "f.new");
  EXPECT_TRUE(replace_file(folder / "f", secret::copy_of("new").bytes()));
  EXPECT_EQ(read_file(folder / "victim"), "precious");
  EXPECT_EQ(read_file(folder / "f"), "new");
}

TEST(replace_file, says_what_it_could_not_write) {
  const test::temporary_folder folder;
  write_file(folder / "plain", "");
  auto done =
      replace_file(folder / "plain" / "f", secret::copy_of("new").bytes());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().code, errc::io);
  EXPECT_NE(done.failure().message.find("plain/f"), std::string::npos);
}

TEST(replace_file, keeps_the_old_file_when_the_disk_is_full) {
  const test::small_disk disk(64);
  if (!disk.ready()) {
    GTEST_SKIP() << "this user may not mount a small disk";
  }
  write_file(disk / "f", "old");
  auto done = replace_file(disk / "f", secret::zeroed(100'000).bytes());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().code, errc::io);
  EXPECT_NE(done.failure().message.find("free some space"), std::string::npos);
  EXPECT_EQ(read_file(disk / "f"), "old");
  EXPECT_FALSE(std::filesystem::exists(disk / "f.new"));
}

}  // namespace
}  // namespace sotto
