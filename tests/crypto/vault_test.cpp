#include "crypto/vault.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iostream>
#include <random>

#include "crypto/vault_folder.hpp"
#include "crypto/vault_migration.hpp"
#include "tests/crypto/vault_support.hpp"

namespace sotto {
namespace {

namespace fs = std::filesystem;
using test::apply;
using test::erase;
using test::image_of;
using test::open_clear;
using test::open_quick;
using test::put;
using test::read_file;
using test::value_of;
using test::write_file;

unsigned mode_of(const fs::path& path) {
  struct stat facts {};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & 07777;
}

class vault_test : public testing::Test {
 protected:
  errc failure_of(const secret* passphrase) {
    auto opened = open_quick(folder_, passphrase);
    EXPECT_FALSE(opened);
    if (opened) {
      return errc::timeout;
    }
    std::cout << "  says: " << opened.failure().message << "\n";
    return opened.failure().code;
  }

  test::temporary_folder outer_;
  fs::path folder_ = outer_ / "data";
  secret passphrase_ = secret::copy_of("correct horse");
};

TEST_F(vault_test, keeps_rows_over_a_restart) {
  {
    auto made = open_quick(folder_, &passphrase_);
    ASSERT_TRUE(made) << made.failure().message;
    EXPECT_EQ((*made)->protection(), vault_protection::passphrase);
    apply(**made, put("accounts", "sally@localhost", "one"));
    apply(**made, put("trust", "sally@localhost", "two"));
  }
  auto opened = open_quick(folder_, &passphrase_);
  ASSERT_TRUE(opened) << opened.failure().message;
  EXPECT_EQ(value_of(**opened, "accounts", "sally@localhost"), "one");
  EXPECT_EQ(value_of(**opened, "trust", "sally@localhost"), "two");
  EXPECT_EQ(value_of(**opened, "trust", "terrence@localhost"), "(none)");
}

TEST_F(vault_test, works_without_a_passphrase) {
  apply(*open_clear(folder_), put("t", "k", "v"));
  const auto opened = open_clear(folder_);
  EXPECT_EQ(opened->protection(), vault_protection::none);
  EXPECT_EQ(value_of(*opened, "t", "k"), "v");
}

TEST_F(vault_test, replaces_and_erases) {
  const auto made = open_clear(folder_);
  apply(*made, put("t", "k", "one"));
  apply(*made, put("t", "k", "two"));
  EXPECT_EQ(value_of(*made, "t", "k"), "two");
  apply(*made, erase("t", "k"));
  EXPECT_EQ(value_of(*made, "t", "k"), "(none)");
  apply(*made, erase("t", "never there"));
}

TEST_F(vault_test, lists_a_table_in_the_order_of_its_keys) {
  const auto made = open_clear(folder_);
  for (const char* key : {"c", "a", "b", "", "aa"}) {
    apply(*made, put("t", key, std::string("value ") + key));
  }
  apply(*made, put("u", "d", "elsewhere"));
  auto rows = made->all("t");
  ASSERT_TRUE(rows);
  std::string order;
  for (const vault_row& row : *rows) {
    EXPECT_EQ(row.value.view(), "value " + row.key);
    order += row.key + ",";
  }
  EXPECT_EQ(order, ",a,aa,b,c,");
  auto none = made->all("empty");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
}

TEST_F(vault_test, takes_any_bytes_and_sizes) {
  const std::string key("k\0\xff'\";--", 8);
  {
    const auto made = open_clear(folder_);
    apply(*made, put("t", key, std::string_view("\0v", 2)));
    apply(*made, put("t", "empty", ""));
    apply(*made, put("t", "large", std::string(1 << 20, 'L')));
  }
  const auto opened = open_clear(folder_);
  EXPECT_EQ(value_of(*opened, "t", key), std::string("\0v", 2));
  EXPECT_EQ(value_of(*opened, "t", "empty"), "");
  EXPECT_EQ(value_of(*opened, "t", "large"), std::string(1 << 20, 'L'));
}

TEST_F(vault_test, changes_all_or_nothing) {
  const auto made = open_clear(folder_);
  apply(*made, put("t", "a", "old"));
  std::vector<vault_change> batch;
  batch.push_back(put("t", "a", "new"));
  batch.push_back(put("t", "b", "new"));
  batch.push_back(put("Not A Table", "c", "new"));
  auto done = made->apply(batch);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().code, errc::invalid_argument);
  EXPECT_EQ(value_of(*made, "t", "a"), "old");
  EXPECT_EQ(value_of(*made, "t", "b"), "(none)");
  batch.pop_back();
  EXPECT_TRUE(made->apply(batch));
  EXPECT_EQ(value_of(*made, "t", "a"), "new");
  EXPECT_EQ(value_of(*made, "t", "b"), "new");
}

TEST_F(vault_test, takes_the_last_change_of_a_row_in_a_batch) {
  {
    const auto made = open_clear(folder_);
    std::vector<vault_change> batch;
    batch.push_back(put("t", "a", "1"));
    batch.push_back(put("t", "a", "2"));
    batch.push_back(put("t", "b", "1"));
    batch.push_back(erase("t", "b"));
    EXPECT_TRUE(made->apply(batch));
  }
  const auto opened = open_clear(folder_);
  EXPECT_EQ(value_of(*opened, "t", "a"), "2");
  EXPECT_EQ(value_of(*opened, "t", "b"), "(none)");
}

TEST_F(vault_test, refuses_what_it_cannot_hold) {
  const auto made = open_clear(folder_);
  for (const char* table : {"", "A", "a b", "a'b", "sotto:state"}) {
    auto found = made->get(table, "k");
    ASSERT_FALSE(found) << table;
    EXPECT_EQ(found.failure().code, errc::invalid_argument);
    EXPECT_FALSE(made->all(table));
  }
  std::vector<vault_change> batch;
  batch.push_back(put("t", std::string(65537, 'k'), "v"));
  EXPECT_FALSE(made->apply(batch));
  batch.clear();
  batch.push_back({"t", "k", secret::zeroed((16 << 20) + 1)});
  EXPECT_FALSE(made->apply(batch));
}

TEST_F(vault_test, makes_a_private_folder_with_private_files) {
  const mode_t before = ::umask(0);
  const auto made = open_clear(outer_ / "new" / "data");
  apply(*made, put("t", "k", "v"));
  ::umask(before);
  EXPECT_EQ(mode_of(outer_ / "new" / "data"), 0700U);
  int files = 0;
  for (const auto& entry : fs::directory_iterator(outer_ / "new" / "data")) {
    EXPECT_EQ(mode_of(entry.path()), 0600U) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 5);  // key, rows, log, count, lock
}

TEST_F(vault_test, makes_an_open_folder_and_its_files_private) {
  apply(*open_clear(folder_), put("t", "k", "v"));
  fs::permissions(folder_, fs::perms(0755));
  fs::permissions(folder_ / "vault.key", fs::perms(0644));
  fs::permissions(folder_ / "vault.db", fs::perms(0664));
  EXPECT_EQ(value_of(*open_clear(folder_), "t", "k"), "v");
  EXPECT_EQ(mode_of(folder_), 0700U);
  EXPECT_EQ(mode_of(folder_ / "vault.key"), 0600U);
  EXPECT_EQ(mode_of(folder_ / "vault.db"), 0600U);
}

TEST_F(vault_test, refuses_an_open_folder_full_of_other_things) {
  fs::create_directory(folder_);
  write_file(folder_ / "thesis.txt", "precious");
  fs::permissions(folder_, fs::perms(0755));
  EXPECT_EQ(failure_of(nullptr), errc::refused);
  EXPECT_EQ(mode_of(folder_), 0755U);
  EXPECT_EQ(image_of(folder_),
            (test::folder_image{{"thesis.txt", "precious"}}));
}

TEST_F(vault_test, refuses_a_folder_of_another_user) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can make a folder of another user";
  }
  fs::create_directory(folder_);
  ASSERT_EQ(::chown(folder_.c_str(), 65534, 65534), 0);
  EXPECT_EQ(failure_of(nullptr), errc::refused);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(vault_test, refuses_paths_that_are_no_folder) {
  write_file(folder_, "a file");
  EXPECT_EQ(failure_of(nullptr), errc::io);
  folder_ = folder_ / "below";
  EXPECT_EQ(failure_of(nullptr), errc::io);
  folder_ = "";
  EXPECT_EQ(failure_of(nullptr), errc::invalid_argument);
}

TEST_F(vault_test, takes_a_folder_named_with_a_slash_at_its_end) {
  apply(*open_clear(folder_.string() + "/"), put("t", "k", "v"));
  EXPECT_EQ(value_of(*open_clear(folder_), "t", "k"), "v");
}

TEST_F(vault_test, is_open_only_once) {
  auto first = open_clear(folder_);
  apply(*first, put("t", "k", "v"));
  auto second = open_quick(folder_, nullptr);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.failure().code, errc::in_use);
  EXPECT_NE(second.failure().message.find("another Sotto is using this folder"),
            std::string::npos);
  first.reset();
  EXPECT_EQ(value_of(*open_clear(folder_), "t", "k"), "v");
}

TEST_F(vault_test, changes_nothing_on_a_wrong_passphrase) {
  {
    auto made = open_quick(folder_, &passphrase_);
    ASSERT_TRUE(made);
    apply(**made, put("t", "k", "v"));
  }
  const auto before = image_of(folder_);
  const secret wrong = secret::copy_of("correct house");
  EXPECT_EQ(failure_of(&wrong), errc::wrong_passphrase);
  EXPECT_EQ(failure_of(nullptr), errc::refused);
  const secret empty;
  EXPECT_EQ(failure_of(&empty), errc::invalid_argument);
  EXPECT_EQ(image_of(folder_), before);
  auto opened = open_quick(folder_, &passphrase_);
  ASSERT_TRUE(opened);
  EXPECT_EQ(value_of(**opened, "t", "k"), "v");
}

TEST_F(vault_test, refuses_a_passphrase_where_there_is_none) {
  apply(*open_clear(folder_), put("t", "k", "v"));
  EXPECT_EQ(failure_of(&passphrase_), errc::refused);
}

TEST_F(vault_test, makes_one_try_at_a_passphrase_costly_by_default) {
  ASSERT_TRUE(vault::open(folder_, &passphrase_));
  const std::string header = read_file(folder_ / "vault.key");
  EXPECT_EQ(header.substr(20, 12),
            std::string("\3\0\0\0\0\0\0\x10\0\0\0\0", 12))
      << "3 passes over 256 MiB";
}

// R25, R29: what is kept must not be found in any file, at any time.
TEST_F(vault_test, shows_no_key_or_value_in_any_file) {
  const std::string canary = "canary-7a1f";
  int searched = 0;
  int found = 0;
  const auto search = [&] {
    for (const auto& [name, bytes] : image_of(folder_)) {
      found += bytes.find(canary) != std::string::npos ? 1 : 0;
      found += bytes.find("correct horse") != std::string::npos ? 1 : 0;
      ++searched;
    }
  };
  {
    auto made = open_quick(folder_, &passphrase_);
    ASSERT_TRUE(made);
    for (std::size_t i = 0; i < 50; ++i) {
      const std::string mark = canary + std::to_string(i);
      apply(**made, put("t", "key-" + mark, std::string(i * 40, 'x') + mark));
    }
    search();
    for (int i = 0; i < 25; ++i) {
      apply(**made, erase("t", "key-" + canary + std::to_string(i)));
    }
    search();
  }
  search();
  std::cout << "canaries: 50, files searched: " << searched
            << ", found in: " << found << "\n";
  EXPECT_EQ(found, 0);
  EXPECT_GE(searched, 8);
}

TEST_F(vault_test, refuses_a_newer_vault_and_leaves_it_alone) {
  apply(*open_clear(folder_), put("t", "k", "v"));
  test::tamper(folder_ / "vault.db", "PRAGMA user_version = 2");
  const auto before = image_of(folder_);
  EXPECT_EQ(failure_of(nullptr), errc::newer_version);
  EXPECT_EQ(image_of(folder_)["vault.db"], before.at("vault.db"));
}

// Every state in which a crash can leave a folder that is being made.
TEST_F(vault_test, makes_a_vault_anew_if_making_one_was_cut_short) {
  test::lay_out({{"vault.db.new", ""}}, folder_);
  apply(*open_clear(folder_), put("t", "k", "v"));
  test::lay_out({{"vault.db.new", "half of somethi"},
                 {"vault.db.new-journal", "x"},
                 {"vault.db.new-wal", "y"},
                 {"vault.key.new", "Sotto"}},
                folder_);
  apply(*open_clear(folder_), put("t", "k", "v"));
  EXPECT_EQ(value_of(*open_clear(folder_), "t", "k"), "v");
  for (const auto& [name, bytes] : image_of(folder_)) {
    EXPECT_EQ(name.find("new"), std::string::npos) << name;
  }
}

TEST_F(vault_test, finishes_a_vault_that_has_its_key_already) {
  apply(*open_clear(folder_), put("t", "k", "v"));
  auto image = image_of(folder_);
  image["vault.db.new"] = image["vault.db"];
  image.erase("vault.db");
  image.erase("vault.db-wal");
  test::lay_out(image, folder_);
  EXPECT_EQ(failure_of(&passphrase_), errc::refused);
  EXPECT_EQ(image_of(folder_), image);
  EXPECT_EQ(value_of(*open_clear(folder_), "t", "k"), "v");
}

TEST_F(vault_test, opens_with_many_rows) {
  {
    const auto made = open_clear(folder_);
    std::vector<vault_change> batch;
    batch.reserve(5000);
    for (int i = 0; i < 5000; ++i) {
      batch.push_back(put("t", std::to_string(i), std::string(200, 'x')));
    }
    EXPECT_TRUE(made->apply(batch));
  }
  const auto start = std::chrono::steady_clock::now();
  const auto opened = open_clear(folder_);
  const std::chrono::duration<double, std::milli> took =
      std::chrono::steady_clock::now() - start;
  std::cout << "5000 rows checked and open after " << took.count() << " ms\n";
  auto rows = opened->all("t");
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->size(), 5000U);
}

class migration_test : public testing::Test {
 protected:
  void SetUp() override {
    apply(*open_clear(folder_), put("t", "k", "v"));
    auto claimed = vault_folder::claim(folder_);
    ASSERT_TRUE(claimed);
    claimed_ = *std::move(claimed);
  }

  test::temporary_folder outer_;
  fs::path folder_ = outer_ / "data";
  fs::path backup_ = folder_ / "backup-schema-1";
  vault_folder claimed_;
};

TEST_F(migration_test, does_nothing_at_the_same_schema) {
  EXPECT_TRUE(migrate_vault(claimed_, 1, 1, {}));
  EXPECT_FALSE(fs::exists(backup_));
}

TEST_F(migration_test, refuses_a_schema_that_no_step_leads_from) {
  auto done = migrate_vault(claimed_, 0, 1, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().code, errc::corrupt);
}

TEST_F(migration_test, backs_up_before_the_first_step) {
  const auto before = image_of(folder_);
  const migration_step steps[] = {
      {1, [&](const vault_folder& at) -> result<void> {
         EXPECT_TRUE(fs::exists(backup_ / "vault.key"));
         write_file(at.rows_file(), "spoiled");
         return error{errc::io, "interrupted"};
       }}};
  EXPECT_FALSE(migrate_vault(claimed_, 1, 2, steps));
  // Again, with the rows spoiled: the first backup stays.
  EXPECT_FALSE(migrate_vault(claimed_, 1, 2, steps));
  EXPECT_EQ(mode_of(backup_), 0700U);
  EXPECT_EQ(mode_of(backup_ / "vault.key"), 0600U);
  EXPECT_EQ(image_of(backup_), before);
  EXPECT_EQ(value_of(*open_clear(backup_), "t", "k"), "v");
}

}  // namespace
}  // namespace sotto
