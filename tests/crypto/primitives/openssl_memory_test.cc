// OpenSSL's memory as `serve` sets it: what a key lies in comes from the guarded arena and goes
// there, whatever becomes of its size; everything else is the heap's.

#include "crypto/primitives/openssl_memory.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "crypto/base/secret_arena.h"

namespace paravent::crypto {
namespace {

class OpensslMemory : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(install_openssl_memory()); }

  static bool in_arena(const void* block) { return SecretArena::process().contains(block); }
};

TEST_F(OpensslMemory, OfAScopeIsTheArenas) {
  void* const outside = OPENSSL_malloc(100);
  EXPECT_FALSE(in_arena(outside));
  void* inside = nullptr;
  void* grown_from_nothing = nullptr;
  {
    const SecretScope scope;
    inside = OPENSSL_malloc(100);
    grown_from_nothing = OPENSSL_realloc(nullptr, 100);
  }
  EXPECT_TRUE(in_arena(inside));
  EXPECT_TRUE(in_arena(grown_from_nothing));
  const std::size_t used = SecretArena::process().statistics().in_use;
  OPENSSL_free(inside);
  OPENSSL_free(grown_from_nothing);
  EXPECT_EQ(SecretArena::process().statistics().in_use, used - 200);
  OPENSSL_free(outside);
  OPENSSL_free(nullptr);
}

TEST_F(OpensslMemory, MovedBlocksKeepTheirBytesAndTheirPlace) {
  for (const bool secret : {false, true}) {
    char* block = nullptr;
    {
      // Only the first of them: what grows afterwards stays where it was begun.
      std::optional<SecretScope> scope;
      if (secret) scope.emplace();
      block = static_cast<char*>(OPENSSL_malloc(100));
    }
    ASSERT_NE(block, nullptr);
    std::memset(block, 'x', 100);
    for (const std::size_t size : {200U, 8'000U, 16'000U, 300U, 50U}) {
      block = static_cast<char*>(OPENSSL_realloc(block, size));
      ASSERT_NE(block, nullptr);
      EXPECT_EQ(std::count(block, block + 50, 'x'), 50) << size;
      EXPECT_EQ(in_arena(block), secret) << size;
    }
    EXPECT_EQ(OPENSSL_realloc(block, 0), nullptr);
  }
}

// A key's place would be left for the heap, or not be known again when it is freed.
TEST_F(OpensslMemory, WhatTheArenaHasNoClassForIsRefusedInAScope) {
  const SecretScope scope;
  EXPECT_EQ(OPENSSL_malloc(SecretArena::kLargest + 1), nullptr);
  void* const block = OPENSSL_malloc(SecretArena::kLargest);
  EXPECT_TRUE(in_arena(block));
  EXPECT_EQ(OPENSSL_realloc(block, SecretArena::kLargest + 1), nullptr);
  OPENSSL_free(block);
}

TEST_F(OpensslMemory, WhatNoMachineHasIsRefused) {
  EXPECT_EQ(OPENSSL_malloc(SIZE_MAX), nullptr);
  void* const block = OPENSSL_malloc(100);
  EXPECT_EQ(OPENSSL_realloc(block, SIZE_MAX - 5000), nullptr);
  OPENSSL_free(block);
}

}  // namespace
}  // namespace paravent::crypto
