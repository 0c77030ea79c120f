// OpenSSL's memory as `serve` sets it: what is large is wiped when it is freed or moved.

#undef _FORTIFY_SOURCE  // here explicit_bzero() is defined, and not made an inline call of the
                        // checked one

#include "crypto/primitives/openssl_memory.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

struct Wiped {
  const void* at = nullptr;
  std::size_t size = 0;
};
std::vector<Wiped> wipes;

void wipe(void* at, std::size_t size) {
  wipes.push_back({at, size});
  std::memset(at, 0, size);
}

}  // namespace

// In place of libc's, checked or not: a block that was freed cannot be looked at.
extern "C" void explicit_bzero(void* at, std::size_t size) noexcept { wipe(at, size); }
extern "C" void __explicit_bzero_chk(void* at, std::size_t size, std::size_t) noexcept {
  wipe(at, size);
}

namespace paravent::crypto {
namespace {

class OpensslMemory : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(install_openssl_memory()); }
  void SetUp() override { wipes.clear(); }

  static bool wiped(const void* at, std::size_t least) {
    return std::any_of(wipes.begin(), wipes.end(),
                       [&](const Wiped& one) { return one.at == at && one.size >= least; });
  }
};

TEST_F(OpensslMemory, LargeBlocksAreWipedAndSmallOnesAreNot) {
  for (const std::size_t size : {16'384U, 16'385U, 20'000U, 65'536U}) {
    void* const block = OPENSSL_malloc(size);
    ASSERT_NE(block, nullptr);
    std::memset(block, 'x', size);
    OPENSSL_free(block);
    EXPECT_TRUE(wiped(block, size)) << size;
  }
  wipes.clear();
  for (const std::size_t size : {1U, 100U, 4096U, 16'383U}) OPENSSL_free(OPENSSL_malloc(size));
  OPENSSL_free(nullptr);
  EXPECT_TRUE(std::all_of(wipes.begin(), wipes.end(), [](const Wiped& one) {
    return one.size >= 16'384U;  // a block may have more room than was asked for
  }));
}

TEST_F(OpensslMemory, MovedBlocksKeepTheirBytesAndAreWipedWhereTheyWere) {
  auto* block = static_cast<char*>(OPENSSL_realloc(nullptr, 100));
  ASSERT_NE(block, nullptr);
  std::memset(block, 'x', 100);
  for (const std::size_t size : {200U, 20'000U, 40'000U, 300U, 50U}) {
    const char* const before = block;
    wipes.clear();
    block = static_cast<char*>(OPENSSL_realloc(block, size));
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(std::count(block, block + 50, 'x'), 50) << size;
    if (size == 40'000U) {
      EXPECT_TRUE(wiped(before, 20'000U));
    } else if (size == 300U) {
      EXPECT_TRUE(wiped(before, 40'000U));
    }
  }
  OPENSSL_free(block);
}

TEST_F(OpensslMemory, WhatNoMachineHasIsRefused) {
  EXPECT_EQ(OPENSSL_malloc(SIZE_MAX), nullptr);
  EXPECT_EQ(OPENSSL_malloc(SIZE_MAX - 5000), nullptr);
}

}  // namespace
}  // namespace paravent::crypto
