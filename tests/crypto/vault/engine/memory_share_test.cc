#include "crypto/vault/engine/memory_share.h"

#include <string_view>

#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;

class MemoryOfProcess : public ::testing::Test {
 protected:
  void limit(const std::filesystem::path& file, std::string_view text) {
    std::filesystem::create_directories((tree() / file).parent_path());
    write_text(tree() / file, text);
  }
  std::uint64_t of(std::string_view groups) {
    write_text(temp_.path() / "groups", groups);
    return memory_of_process(16 * kGiB, temp_.path() / "groups", tree());
  }

 private:
  std::filesystem::path tree() const { return temp_.path() / "tree"; }
  TempDir temp_;
};

TEST_F(MemoryOfProcess, WithoutALimitItIsTheMachines) {
  EXPECT_EQ(of(""), 16 * kGiB);
  EXPECT_EQ(of("0::/system.slice/paravent.service\n"), 16 * kGiB);
  limit("system.slice/paravent.service/memory.max", "max\n");
  EXPECT_EQ(of("0::/system.slice/paravent.service\n"), 16 * kGiB);
  EXPECT_EQ(memory_of_process(16 * kGiB, "/nowhere/groups", "/nowhere"), 16 * kGiB);
}

TEST_F(MemoryOfProcess, TheLeastLimitOfItsGroupAndThoseAroundItCounts) {
  limit("system.slice/paravent.service/memory.max", "4294967296\n");
  EXPECT_EQ(of("0::/system.slice/paravent.service\n"), 4 * kGiB);
  limit("system.slice/paravent.service/memory.high", "3221225472\n");
  EXPECT_EQ(of("0::/system.slice/paravent.service\n"), 3 * kGiB);
  limit("system.slice/memory.max", "2147483648\n");
  EXPECT_EQ(of("0::/system.slice/paravent.service\n"), 2 * kGiB);
  // Of a container: its group is the tree.
  limit("memory.max", "1073741824\n");
  EXPECT_EQ(of("0::/\n"), kGiB);
  EXPECT_EQ(of("0::/somewhere/else\n"), kGiB);
}

TEST_F(MemoryOfProcess, TheOldHierarchyCountsToo) {
  limit("memory/docker/abc/memory.limit_in_bytes", "536870912\n");
  EXPECT_EQ(of("5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/\n"), kGiB / 2);
  EXPECT_EQ(of("5:cpu,memory:/docker/abc\n"), kGiB / 2);
  EXPECT_EQ(of("5:cpu,memory2:/docker/abc\n"), 16 * kGiB);
}

TEST_F(MemoryOfProcess, WhatIsNoNumberSetsNoLimit) {
  for (const char* text : {"", "\n", "-1\n", "12 MiB\n", "99999999999999999999999\n"}) {
    limit("memory.max", text);
    EXPECT_EQ(of("0::/\n"), 16 * kGiB) << text;
  }
  EXPECT_EQ(of("nonsense\n:\n0:\n"), 16 * kGiB);
}

TEST(MemoryShare, IsAPartAndAsMuchAsAVaultTakesOfItselfWhereThatIsLittle) {
  const VaultMemory large = memory_share(16 * kGiB);
  EXPECT_LE(large.store, 2 * kGiB);
  EXPECT_LE(large.known, kGiB);
  const VaultMemory usual = memory_share(kGiB / 4);
  EXPECT_EQ(usual.store, VaultMemory().store);
  EXPECT_EQ(usual.known, VaultMemory().known);
  // Of a process that may take little, never a good part of it.
  const VaultMemory small = memory_share(kGiB / 16);
  EXPECT_EQ(small.store, kGiB / 64);
  EXPECT_EQ(small.known, kGiB / 128);
  // More than any system promises.
  const VaultMemory absurd = memory_share(std::uint64_t{1} << 58U);
  EXPECT_LT(absurd.store, std::size_t{1} << 55U);
  EXPECT_GE(absurd.store, VaultMemory().store);
  EXPECT_GT(memory_of_process(), 0U);
}

}  // namespace
}  // namespace paravent::crypto::vault
