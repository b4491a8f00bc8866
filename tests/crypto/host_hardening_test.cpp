#include "crypto/host_hardening.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/crypto/vault_support.hpp"

namespace sotto {
namespace {

TEST(host_hardening, turns_core_dumps_off_and_closes_the_process) {
  if (test::under_tsan) {
    GTEST_SKIP() << "no fork under TSan";
  }
  const pid_t child = ::fork();  // it holds for the rest of a process
  ASSERT_GE(child, 0);
  if (child == 0) {
    rlimit core{1, 1};
    const bool good = harden_process().has_value() &&
                      ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
                      ::getrlimit(RLIMIT_CORE, &core) == 0 &&
                      core.rlim_cur == 0 && core.rlim_max == 0;
    std::_Exit(good ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(standard_descriptors, are_never_taken_by_a_file) {
  if (test::under_tsan) {
    GTEST_SKIP() << "no fork under TSan";
  }
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(STDIN_FILENO);
    ::close(STDOUT_FILENO);
    const bool claimed = claim_standard_descriptors().has_value();
    const int next = ::dup(STDOUT_FILENO);
    char byte = 0;
    std::_Exit(claimed && next > STDERR_FILENO &&
                       ::read(STDIN_FILENO, &byte, 1) == 0
                   ? 0
                   : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

class swap_test : public testing::Test {
 protected:
  std::optional<std::string> warning_for(const std::string& swaps) {
    test::write_file(folder_ / "swaps",
                     "Filename Type Size Used Priority\n" + swaps);
    return swap_warning(folder_ / "swaps", folder_ / "block");
  }
  void add_mapped(const std::string& name, const std::string& uuid) {
    std::filesystem::create_directories(folder_ / "block" / name / "dm");
    test::write_file(folder_ / "block" / name / "dm" / "uuid", uuid + "\n");
  }
  test::temporary_folder folder_;
};

TEST_F(swap_test, has_no_warning_without_swap) {
  EXPECT_FALSE(warning_for(""));
  EXPECT_FALSE(swap_warning(folder_ / "missing", folder_ / "block"));
}

TEST_F(swap_test, has_no_warning_for_compressed_memory) {
  EXPECT_FALSE(warning_for("/dev/zram0 partition 100 0 5\n"));
}

TEST_F(swap_test, has_no_warning_for_encrypted_swap) {
  add_mapped("dm-1", "CRYPT-LUKS2-0123-swap");
  EXPECT_FALSE(warning_for("/dev/dm-1 partition 100 0 -2\n"));
}

TEST_F(swap_test, warns_of_a_plain_partition_file_or_volume) {
  add_mapped("dm-2", "LVM-abc");
  EXPECT_TRUE(warning_for("/dev/sda2 partition 100 0 -2\n"));
  EXPECT_TRUE(warning_for("/swapfile file 100 0 -2\n"));
  EXPECT_TRUE(warning_for("/dev/dm-2 partition 100 0 -2\n"));
  EXPECT_TRUE(
      warning_for("/dev/zram0 partition 1 0 5\n/dev/sdb1 partition 1 0 1\n"));
}

}  // namespace
}  // namespace sotto
