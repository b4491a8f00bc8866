#include "crypto/row_sealer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "crypto/commit_mark.hpp"
#include "tests/crypto/vault_support.hpp"

namespace sotto {
namespace {

secret key_of(char fill) { return secret::copy_of(std::string(32, fill)); }

class row_sealer_test : public testing::Test {
 protected:
  std::vector<std::byte> seal(std::string_view table, std::string_view key) {
    const secret value = secret::copy_of("canary value");
    return sealer_.seal(table, sealer_.id_of(table, key), key, value.bytes());
  }

  row_sealer sealer_{key_of('m'), 1};
  row_id id_ = sealer_.id_of("trust", "sally");
  std::vector<std::byte> sealed_ = seal("trust", "sally");
};

TEST_F(row_sealer_test, opens_what_it_sealed) {
  auto row = sealer_.open("trust", id_, sealed_);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->key, "sally");
  EXPECT_EQ(row->value.view(), "canary value");
}

TEST_F(row_sealer_test, shows_neither_key_nor_value_nor_that_two_are_equal) {
  const std::string bytes(reinterpret_cast<const char*>(sealed_.data()),
                          sealed_.size());
  EXPECT_EQ(bytes.find("canary"), std::string::npos);
  EXPECT_EQ(bytes.find("sally"), std::string::npos);
  EXPECT_NE(seal("trust", "sally"), sealed_);
}

TEST_F(row_sealer_test, opens_no_row_in_another_place) {
  EXPECT_FALSE(sealer_.open("keys", id_, sealed_));
  EXPECT_FALSE(sealer_.open("trust", sealer_.id_of("trust", "x"), sealed_));
  EXPECT_FALSE(row_sealer(key_of('m'), 2).open("trust", id_, sealed_));
  EXPECT_FALSE(row_sealer(key_of('n'), 1).open("trust", id_, sealed_));
}

TEST_F(row_sealer_test, finds_every_flipped_bit_and_truncation) {
  int opened = 0;
  for (std::size_t bit = 0; bit < sealed_.size() * 8; ++bit) {
    auto bad = sealed_;
    bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    opened += sealer_.open("trust", id_, bad) ? 1 : 0;
  }
  for (std::size_t size = 0; size < sealed_.size(); ++size) {
    opened +=
        sealer_.open("trust", id_, std::span(sealed_).first(size)) ? 1 : 0;
  }
  std::cout << "bits flipped: " << sealed_.size() * 8
            << ", truncations: " << sealed_.size() << ", opened: " << opened
            << "\n";
  EXPECT_EQ(opened, 0);
}

TEST_F(row_sealer_test, names_rows_apart) {
  EXPECT_EQ(sealer_.id_of("trust", "sally"), id_);
  EXPECT_NE(sealer_.id_of("trust", "sallz"), id_);
  EXPECT_NE(sealer_.id_of("trusts", "ally"), id_);
  EXPECT_NE(row_sealer(key_of('n'), 1).id_of("trust", "sally"), id_);
}

TEST_F(row_sealer_test, digests_a_set_in_any_order_and_takes_rows_out) {
  const auto one = sealer_.digest_of("t", id_, seal("t", "1"));
  const auto two = sealer_.digest_of("t", id_, seal("t", "2"));
  row_set_digest forth;
  forth.toggle(one);
  forth.toggle(two);
  row_set_digest back;
  back.toggle(two);
  back.toggle(one);
  EXPECT_EQ(forth, back);
  EXPECT_FALSE(forth == row_set_digest());
  forth.toggle(two);
  EXPECT_EQ(forth, one);
  EXPECT_FALSE(sealer_.digest_of("u", id_, sealed_) ==
               sealer_.digest_of("t", id_, sealed_));
}

TEST(commit_mark, lets_rows_be_ahead_but_not_behind) {
  const test::temporary_folder folder;
  const row_sealer sealer(key_of('m'), 1);
  const auto file = folder / "count";
  EXPECT_TRUE(commit_mark::check(file, sealer, 5));  // makes it
  EXPECT_TRUE(commit_mark::check(file, sealer, 5));
  EXPECT_TRUE(commit_mark::check(file, sealer, 9));  // takes it up
  auto behind = commit_mark::check(file, sealer, 8);
  ASSERT_FALSE(behind);
  EXPECT_EQ(behind.failure().code, errc::corrupt);
  auto mark = commit_mark::check(file, sealer, 9);
  ASSERT_TRUE(mark);
  mark->raise(sealer, 12);
  EXPECT_FALSE(commit_mark::check(file, sealer, 11));
  EXPECT_TRUE(commit_mark::check(file, sealer, 12));
}

TEST(commit_mark, finds_every_flipped_bit) {
  const test::temporary_folder folder;
  const row_sealer sealer(key_of('m'), 1);
  ASSERT_TRUE(commit_mark::check(folder / "count", sealer, 5));
  const std::string good = test::read_file(folder / "count");
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    test::write_file(folder / "count", bad);
    ASSERT_FALSE(commit_mark::check(folder / "count", sealer, UINT64_MAX));
  }
}

}  // namespace
}  // namespace sotto
