#include <gtest/gtest.h>

#include <cstdio>

#include "crypto/secret.hpp"

int main(int argc, char** argv) {
  if (!sotto::init_crypto()) {
    std::fputs("The crypto libraries cannot be used.\n", stderr);
    return 1;
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
