#include "crypto/kdf.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace sotto {
namespace {

using salt_bytes = std::array<std::byte, kdf_salt_bytes>;

salt_bytes salt_of(unsigned char first) {
  salt_bytes salt{};
  for (std::size_t i = 0; i < salt.size(); ++i) {
    salt[i] = static_cast<std::byte>(first + i);
  }
  return salt;
}

std::string hex(const secret& bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte each : bytes.bytes()) {
    text += digits[std::to_integer<unsigned>(each) >> 4];
    text += digits[std::to_integer<unsigned>(each) & 15];
  }
  return text;
}

secret key_for(std::string_view passphrase, const salt_bytes& salt,
               kdf_cost cost = kdf_cost::minimal()) {
  auto key = derive_key(secret::copy_of(passphrase), salt, cost);
  EXPECT_TRUE(key) << key.failure().message;
  return *std::move(key);
}

TEST(kdf, gives_the_same_key_for_the_same_input) {
  EXPECT_TRUE(key_for("open", salt_of(1)).equals(key_for("open", salt_of(1))));
  EXPECT_EQ(key_for("open", salt_of(1)).size(), 32U);
}

TEST(kdf, gives_another_key_for_any_other_input) {
  const secret key = key_for("open", salt_of(1));
  EXPECT_FALSE(key.equals(key_for("opem", salt_of(1))));
  EXPECT_FALSE(key.equals(key_for("open", salt_of(2))));
  EXPECT_FALSE(key.equals(key_for("open", salt_of(1), {2, 8192})));
  EXPECT_FALSE(key.equals(key_for("open", salt_of(1), {1, 16384})));
}

// What an earlier run gave: a vault must open with the next version too.
TEST(kdf, gives_the_same_key_from_version_to_version) {
  EXPECT_EQ(hex(key_for("open", salt_of(1))),
            "cb5aa0579e307776a8f1bb9dc3e527e3b4ef3820a79660f5a13efbcffce19386");
}

TEST(kdf, refuses_an_empty_passphrase) {
  auto key = derive_key(secret(), salt_of(1), kdf_cost::minimal());
  ASSERT_FALSE(key);
  EXPECT_EQ(key.failure().code, errc::invalid_argument);
}

TEST(kdf, refuses_costs_out_of_bounds) {
  const kdf_cost bad[] = {{0, 8192},
                          {1, 8191},
                          {11, 8192},
                          {1, (std::uint64_t{1} << 30) + 1},
                          {UINT64_MAX, UINT64_MAX}};
  for (const kdf_cost cost : bad) {
    EXPECT_FALSE(cost.acceptable());
    auto key = derive_key(secret::copy_of("open"), salt_of(1), cost);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.failure().code, errc::invalid_argument);
  }
  EXPECT_TRUE(kdf_cost::minimal().acceptable());
  EXPECT_TRUE(kdf_cost::interactive().acceptable());
  EXPECT_TRUE(kdf_cost::moderate().acceptable());
}

TEST(kdf, moderate_costs_256_mebibytes) {
  EXPECT_EQ(kdf_cost::moderate(), (kdf_cost{3, 256U << 20}));
}

}  // namespace
}  // namespace sotto
