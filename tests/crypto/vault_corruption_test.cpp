// R27: whatever happens to the files, a vault gives back what was written or
// says what is wrong with which file; it never crashes, never gives anything
// else, and never writes over files that it found damaged.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <iostream>
#include <random>

#include "tests/crypto/vault_support.hpp"

namespace sotto {
namespace {

namespace fs = std::filesystem;
using test::apply;
using test::folder_image;
using test::image_of;
using test::open_quick;
using test::put;

using contents = std::map<std::string, std::string>;

const char* const tables[] = {"accounts", "keys", "trust"};

// Everything in the vault, or an error.
result<contents> read_all(vault& from) {
  contents found;
  for (const char* table : tables) {
    auto rows = from.all(table);
    if (!rows) {
      return rows.failure();
    }
    for (const vault_row& row : *rows) {
      auto alone = from.get(table, row.key);
      if (!alone) {
        return alone.failure();
      }
      if (!*alone || !(*alone)->equals(row.value)) {
        return error{errc::invalid_argument, "get and all do not agree"};
      }
      found[std::string(table) + "/" + row.key] = row.value.view();
    }
  }
  return found;
}

struct tally {
  int tried = 0;
  int refused = 0;
  int intact = 0;
  int wrong = 0;
  int overwritten = 0;
  int unusable = 0;

  void print(const std::string& what) const {
    std::cout << what << ": tried " << tried << ", refused " << refused
              << ", opened with everything right " << intact
              << ", wrong plaintext " << wrong << ", damaged files changed "
              << overwritten << ", opened but taking nothing more " << unusable
              << "\n";
  }
};

class vault_corruption : public testing::Test {
 protected:
  void SetUp() override {
    std::mt19937 random(7);
    auto made = open_quick(folder_, &passphrase_);
    ASSERT_TRUE(made);
    for (std::size_t i = 0; i < 60; ++i) {
      const std::string table = tables[i % 3];
      const std::string key = "key " + std::to_string(i);
      const std::size_t size = i == 30 ? 20000 : random() % 300;
      write(**made, table, key, std::string(size, 'v') + std::to_string(i));
    }
    for (std::size_t i = 0; i < 60; i += 4) {
      apply(**made, test::erase(tables[i % 3], "key " + std::to_string(i)));
      expected_.erase(std::string(tables[i % 3]) + "/key " + std::to_string(i));
    }
    crashed_ = image_of(folder_);
    made->reset();
    closed_ = image_of(folder_);
    rewrite_some();
    ASSERT_GT(crashed_["vault.db-wal"].size(), 100000U);
    ASSERT_FALSE(closed_.contains("vault.db-wal"));
  }

  void write(vault& into, const std::string& table, const std::string& key,
             const std::string& value) {
    apply(into, put(table, key, value));
    expected_[table + "/" + key] = value;
  }

  // Commits in the log of a vault that was not new when it was opened.
  void rewrite_some() {
    auto opened = open_quick(folder_, &passphrase_);
    ASSERT_TRUE(opened) << opened.failure().message;
    int left = 8;
    for (const auto& [name, value] : expected_) {
      const auto slash = name.find('/');
      apply(**opened,
            put(name.substr(0, slash), name.substr(slash + 1), value));
      if (--left == 0) {
        break;
      }
    }
    reopened_ = image_of(folder_);
    ASSERT_TRUE(reopened_.contains("vault.db-wal"));
    ASSERT_FALSE(reopened_.contains("vault.db-shm"));
  }

  std::vector<std::pair<const char*, const folder_image*>> images() const {
    return {{"after an orderly end", &closed_},
            {"after a crash", &crashed_},
            {"after a crash of a vault opened again", &reopened_}};
  }

  // Opens what lies there, and says what came of it.
  void judge(const folder_image& image, tally& sum) {
    test::lay_out(image, folder_);
    ++sum.tried;
    auto opened = open_quick(folder_, &passphrase_);
    if (!opened) {
      ++sum.refused;
      EXPECT_FALSE(opened.failure().message.empty());
      expect_unchanged(image, sum);
      return;
    }
    auto found = read_all(**opened);
    // It has opened: whatever is not what was written is a wrong answer.
    if (!found || *found != expected_) {
      ++sum.wrong;
      ADD_FAILURE() << (found ? "rows are missing or wrong"
                              : found.failure().message);
      return;
    }
    ++sum.intact;
    still_right_after_writing(*std::move(opened), sum);
  }

  void still_right_after_writing(std::unique_ptr<vault> opened, tally& sum) {
    std::vector<vault_change> changes;
    changes.push_back(put("accounts", "one more", std::string(9000, 'm')));
    auto expected = expected_;
    const auto done = opened->apply(changes);
    if (done) {
      expected["accounts/one more"] = std::string(9000, 'm');
    }
    opened.reset();
    auto again = open_quick(folder_, &passphrase_);
    if (!done || !again) {
      ++sum.unusable;
    }
    if (again) {
      auto found = read_all(**again);
      sum.wrong += found && *found != expected ? 1 : 0;
    }
  }

  void expect_unchanged(const folder_image& image, tally& sum) {
    auto now = image_of(folder_);
    for (const auto& [name, bytes] : image) {
      if (!now.contains(name) || now[name] != bytes) {
        ++sum.overwritten;
        ADD_FAILURE() << name << " was changed";
      }
    }
  }

  void expect_clean(const tally& sum, const std::string& what) {
    sum.print(what);
    EXPECT_EQ(sum.wrong, 0);
    EXPECT_EQ(sum.overwritten, 0);
  }

  errc failure_of(const folder_image& image) {
    test::lay_out(image, folder_);
    auto opened = open_quick(folder_, &passphrase_);
    EXPECT_FALSE(opened);
    if (opened) {
      return errc::timeout;
    }
    std::cout << "  says: " << opened.failure().message << "\n";
    tally sum;
    expect_unchanged(image, sum);
    return opened.failure().code;
  }

  folder_image tampered(const std::string& sql) {
    test::lay_out(closed_, folder_);
    test::tamper(folder_ / "vault.db", sql);
    return image_of(folder_);
  }

  test::temporary_folder outer_;
  fs::path folder_ = outer_ / "data";
  secret passphrase_ = secret::copy_of("correct horse");
  contents expected_;
  folder_image closed_;    // after an orderly end
  folder_image crashed_;   // with commits in the log only
  folder_image reopened_;  // with the last commits in the log
};

void flip_bit(std::string& bytes, std::size_t bit) {
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
}

void flip_one_bit(folder_image& image, std::mt19937_64& random) {
  auto file = image.begin();
  std::advance(file, static_cast<long>(random() % image.size()));
  std::string& bytes = file->second;
  flip_bit(bytes, random() % (bytes.size() * 8));
}

TEST_F(vault_corruption, opens_all_images_when_nothing_was_done_to_them) {
  tally sum;
  judge(closed_, sum);
  judge(crashed_, sum);
  judge(reopened_, sum);
  EXPECT_EQ(sum.intact, 3);
}

TEST_F(vault_corruption, survives_random_bit_flips) {
  std::mt19937_64 random(test::test_seed());
  for (const auto& [when, image] : images()) {
    tally sum;
    for (int i = 0; i < 500; ++i) {
      auto bad = *image;
      flip_one_bit(bad, random);
      judge(bad, sum);
    }
    expect_clean(sum, std::string("bit flips ") + when);
    EXPECT_GT(sum.refused, sum.tried / 2);
  }
}

TEST_F(vault_corruption, survives_random_truncations) {
  std::mt19937_64 random(test::test_seed());
  for (const auto& [when, image] : images()) {
    tally sum;
    for (int i = 0; i < 200; ++i) {
      auto bad = *image;
      auto file = bad.begin();
      std::advance(file, static_cast<long>(random() % bad.size()));
      file->second.resize(random() % file->second.size());
      judge(bad, sum);
    }
    expect_clean(sum, std::string("truncations ") + when);
  }
}

TEST_F(vault_corruption, survives_random_overwritten_blocks) {
  std::mt19937_64 random(test::test_seed());
  tally sum;
  for (int i = 0; i < 200; ++i) {
    auto bad = i % 2 == 0 ? closed_ : crashed_;
    std::string& bytes = bad[i % 4 < 2 ? "vault.db" : "vault.key"];
    const std::size_t at = random() % bytes.size();
    for (std::size_t n = at; n < std::min(bytes.size(), at + 512); ++n) {
      bytes[n] = static_cast<char>(i % 3 == 0 ? 0 : random());
    }
    judge(bad, sum);
  }
  expect_clean(sum, "overwritten blocks");
}

TEST_F(vault_corruption, finds_a_row_put_back_as_it_was) {
  test::lay_out(closed_, folder_);
  test::tamper(folder_ / "vault.db", "ATTACH '" + (outer_ / "kept").string() +
                                         "' AS other; CREATE TABLE other.kept "
                                         "AS SELECT * FROM rows WHERE tbl = "
                                         "'trust'");
  {
    auto opened = open_quick(folder_, &passphrase_);
    ASSERT_TRUE(opened) << opened.failure().message;
    apply(**opened, put("trust", "key 2", "distrusted"));
  }
  test::tamper(folder_ / "vault.db",
               "ATTACH '" + (outer_ / "kept").string() +
                   "' AS other; REPLACE INTO rows SELECT * FROM other.kept");
  EXPECT_EQ(failure_of(image_of(folder_)), errc::corrupt);
}

TEST_F(vault_corruption, finds_rows_that_were_removed_moved_or_swapped) {
  const char* const changes[] = {
      "DELETE FROM rows WHERE tbl = 'trust'",
      "DELETE FROM rows WHERE id = (SELECT id FROM rows LIMIT 1)",
      "UPDATE rows SET tbl = 'trust' WHERE tbl = 'keys'",
      "UPDATE rows SET sealed = (SELECT sealed FROM rows LIMIT 1)",
      "UPDATE rows SET id = randomblob(32)",
      "INSERT INTO rows SELECT 'new', id, sealed FROM rows LIMIT 1",
      "INSERT INTO rows VALUES ('trust', x'00', x'00')",
      "INSERT INTO rows VALUES ('', '', '')",
      "INSERT INTO rows VALUES ('trust', randomblob(32), zeroblob(100))",
      "UPDATE rows SET tbl = CAST(tbl AS BLOB) WHERE tbl = 'trust'",
      "UPDATE rows SET id = CAST(id AS TEXT) WHERE tbl = 'trust'",
      "UPDATE rows SET sealed = CAST(sealed AS TEXT) WHERE tbl = 'trust'",
      "DELETE FROM state",
      "UPDATE state SET sealed = x''",
      "UPDATE state SET sealed = (SELECT sealed FROM rows LIMIT 1)",
      "CREATE TRIGGER t AFTER INSERT ON rows BEGIN DELETE FROM rows; END",
      "CREATE TABLE extra (a)",
      "CREATE VIEW v AS SELECT * FROM rows",
      "CREATE INDEX i ON rows (sealed)",
      "PRAGMA application_id = 1",
      "PRAGMA user_version = 0",
      "PRAGMA journal_mode = DELETE",
  };
  int refused = 0;
  for (const char* change : changes) {
    EXPECT_EQ(failure_of(tampered(change)), errc::corrupt) << change;
    ++refused;
  }
  std::cout << "changes from outside: " << std::size(changes)
            << ", refused: " << refused << "\n";
}

TEST_F(vault_corruption, finds_commits_that_went_missing) {
  auto image = crashed_;
  image.erase("vault.db-wal");
  EXPECT_EQ(failure_of(image), errc::corrupt);

  // An older copy of the rows, whole in itself.
  test::lay_out(closed_, folder_);
  {
    auto opened = open_quick(folder_, &passphrase_);
    ASSERT_TRUE(opened);
    apply(**opened, put("trust", "key 2", "distrusted"));
  }
  image = image_of(folder_);
  image["vault.db"] = closed_["vault.db"];
  EXPECT_EQ(failure_of(image), errc::corrupt);

  // As the sentence says: without vault.count a person may go on with it.
  image.erase("vault.count");
  tally sum;
  judge(image, sum);
  EXPECT_EQ(sum.intact, 1);
}

// SQLite deletes the log beside a database of no bytes or one.
TEST_F(vault_corruption, keeps_the_log_beside_rows_that_were_cut_to_a_stub) {
  for (const std::size_t size : {0U, 1U, 2U, 50U, 511U}) {
    for (const auto* whole : {&crashed_, &reopened_}) {
      auto image = *whole;
      image["vault.db"].resize(size);
      EXPECT_EQ(failure_of(image), errc::corrupt) << size;
    }
  }
}

// Every bit of the part of the file that SQLite reads before anything else.
TEST_F(vault_corruption, survives_every_bit_flip_in_the_header_of_the_rows) {
  constexpr std::size_t header_bits = 800;  // of 100 bytes
  tally sum;
  for (std::size_t bit = 0; bit < header_bits; ++bit) {
    auto bad = closed_;
    flip_bit(bad["vault.db"], bit);
    judge(bad, sum);
  }
  expect_clean(sum, "bit flips in the header");
  EXPECT_GT(sum.refused, 0);
  EXPECT_EQ(sum.unusable, 0);
}

TEST_F(vault_corruption, refuses_half_a_vault) {
  for (const char* missing : {"vault.key", "vault.db"}) {
    for (const auto* whole : {&closed_, &crashed_}) {
      auto image = *whole;
      image.erase(missing);
      EXPECT_EQ(failure_of(image), errc::corrupt);
    }
  }
  auto image = crashed_;
  image.erase("vault.key");
  image.erase("vault.db");
  EXPECT_EQ(failure_of(image), errc::corrupt);
}

TEST_F(vault_corruption, refuses_the_rows_of_another_vault) {
  auto other = open_quick(outer_ / "other", &passphrase_);
  ASSERT_TRUE(other);
  apply(**other, put("trust", "key 2", "theirs"));
  other->reset();
  auto theirs = image_of(outer_ / "other");
  for (const char* name : {"vault.key", "vault.db", "vault.count"}) {
    auto image = closed_;
    image[name] = theirs[name];
    EXPECT_EQ(failure_of(image), errc::corrupt) << name;
  }
}

TEST_F(vault_corruption, refuses_a_journal_that_sqlite_would_play_back) {
  auto image = closed_;
  image["vault.db-journal"] = std::string(600, 'j');
  EXPECT_EQ(failure_of(image), errc::corrupt);
}

TEST_F(vault_corruption, refuses_empty_and_foreign_files) {
  for (const char* name : {"vault.key", "vault.db", "vault.count"}) {
    for (const std::string& bytes :
         {std::string(), std::string("hello"), std::string(1 << 16, '\0')}) {
      auto image = closed_;
      image[name] = bytes;
      EXPECT_EQ(failure_of(image), errc::corrupt) << name;
    }
  }
}

TEST_F(vault_corruption, says_when_the_disk_is_read_only) {
  test::small_disk disk(2048);
  if (!disk.ready()) {
    GTEST_SKIP() << "this user may not mount a small disk";
  }
  folder_ = disk / "data";
  test::lay_out(closed_, folder_);
  disk.make_read_only();
  auto opened = open_quick(folder_, &passphrase_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.failure().code, errc::io);
  std::cout << "  says: " << opened.failure().message << "\n";
  auto fresh = open_quick(disk / "new", &passphrase_);
  ASSERT_FALSE(fresh);
  EXPECT_EQ(fresh.failure().code, errc::io);
  EXPECT_EQ(image_of(folder_), closed_);
}

TEST_F(vault_corruption, says_when_the_disk_is_full_and_keeps_what_it_has) {
  test::small_disk disk(1024);
  if (!disk.ready()) {
    GTEST_SKIP() << "this user may not mount a small disk";
  }
  folder_ = disk / "data";
  contents kept;
  int refused = 0;
  {
    auto opened = open_quick(folder_, &passphrase_);
    ASSERT_TRUE(opened) << opened.failure().message;
    for (int i = 0; i < 400 && refused < 20; ++i) {
      std::vector<vault_change> changes;
      const std::string key = "key " + std::to_string(i);
      changes.push_back(put("keys", key, std::string(20000, 'f')));
      auto done = (*opened)->apply(changes);
      if (done) {
        kept["keys/" + key] = std::string(20000, 'f');
        continue;
      }
      ++refused;
      EXPECT_EQ(done.failure().code, errc::io);
      EXPECT_NE(done.failure().message.find("free some space"),
                std::string::npos)
          << done.failure().message;
      auto found = read_all(**opened);
      ASSERT_TRUE(found) << found.failure().message;
      EXPECT_EQ(*found, kept);
    }
    EXPECT_EQ(refused, 20);
  }
  // With the disk still full, then with room again.
  auto full = open_quick(folder_, &passphrase_);
  if (full) {
    auto found = read_all(**full);
    EXPECT_TRUE(found && *found == kept);
    full->reset();
  } else {
    EXPECT_EQ(full.failure().code, errc::io) << full.failure().message;
  }
  const auto image = image_of(folder_);
  test::lay_out(image, outer_ / "roomy");
  auto opened = open_quick(outer_ / "roomy", &passphrase_);
  ASSERT_TRUE(opened) << opened.failure().message;
  auto found = read_all(**opened);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, kept);
  std::cout << "rows kept: " << kept.size()
            << ", refused for lack of room: " << refused
            << ", found afterwards: " << found->size() << "\n";
}

TEST_F(vault_corruption, makes_no_vault_on_a_disk_without_room) {
  int made = 0;
  int refused = 0;
  for (unsigned kibibytes = 4; kibibytes <= 96; kibibytes += 4) {
    test::small_disk disk(kibibytes);
    if (!disk.ready()) {
      GTEST_SKIP() << "this user may not mount a small disk";
    }
    auto opened = open_quick(disk / "data", &passphrase_);
    if (opened) {
      ++made;
      continue;
    }
    ++refused;
    EXPECT_EQ(opened.failure().code, errc::io) << opened.failure().message;
    // Nothing half-made is left that a later start would stumble over.
    auto again = open_quick(disk / "data", &passphrase_);
    EXPECT_TRUE(again || again.failure().code == errc::io);
  }
  std::cout << "sizes at which a vault was made: " << made
            << ", refused: " << refused << "\n";
  EXPECT_GT(made, 0);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace sotto
