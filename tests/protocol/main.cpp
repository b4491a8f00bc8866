#include <gtest/gtest.h>

#include <cstdio>

#include "crypto/secret.hpp"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (!sotto::init_crypto()) {
    std::fputs("The crypto libraries cannot be used.\n", stderr);
    return 1;
  }
  return RUN_ALL_TESTS();
}
