#include "crypto/vault/engine/vault/memory_share.h"

#include <gtest/gtest.h>

namespace paravent::crypto::vault {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;

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
}

}  // namespace
}  // namespace paravent::crypto::vault
