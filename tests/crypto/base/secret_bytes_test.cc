#include "crypto/base/secret_bytes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <type_traits>
#include <utility>

namespace paravent::crypto {
namespace {

static_assert(!std::is_copy_constructible_v<SecretBytes>);
static_assert(!std::is_copy_assignable_v<SecretBytes>);
static_assert(std::is_nothrow_move_constructible_v<SecretBytes>);
static_assert(!std::is_convertible_v<SecretBytes, std::string>);

TEST(SecretBytes, StartsAsZeros) {
  for (const std::size_t size : {1U, 16U, 31U, 64U, 4096U, 5000U}) {
    const SecretBytes secret(size);
    ASSERT_EQ(secret.size(), size);
    EXPECT_TRUE(std::ranges::all_of(secret.bytes(), [](std::uint8_t b) { return b == 0; }));
  }
  EXPECT_TRUE(SecretBytes().empty());
  EXPECT_TRUE(SecretBytes(0).empty());
}

TEST(SecretBytes, CopiesIn) {
  SecretBytes secret = SecretBytes::copy_of("key");
  EXPECT_EQ(as_text(secret.bytes()), "key");
  const SecretBytes clone = secret.clone();
  secret.mutable_bytes()[0] = 'K';
  EXPECT_EQ(as_text(secret.bytes()), "Key");
  EXPECT_EQ(as_text(clone.bytes()), "key");
}

TEST(SecretBytes, MovingEmptiesTheSource) {
  SecretBytes first = SecretBytes::copy_of("first");
  SecretBytes second = std::move(first);
  EXPECT_TRUE(
      first.empty());  // NOLINT(bugprone-use-after-move): the state after a move is the point
  EXPECT_EQ(as_text(second.bytes()), "first");
  SecretBytes third = SecretBytes::copy_of("third");
  third = std::move(second);
  EXPECT_EQ(as_text(third.bytes()), "first");
  EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
  SecretBytes& same = third;
  third = std::move(same);
  EXPECT_EQ(as_text(third.bytes()), "first");
}

TEST(SecretBytesDeathTest, ReadingPastALargeOneFaults) {
  const SecretBytes secret(100'000);
  EXPECT_DEATH(
      {
        const volatile std::uint8_t* past = secret.bytes().data() + 100'000;
        (void)*past;
      },
      "");
}

TEST(Wipe, ErasesBytesAndTheWholeCapacityOfAString) {
  std::array<std::uint8_t, 4> bytes = {1, 2, 3, 4};
  wipe(bytes);
  EXPECT_EQ(bytes, (std::array<std::uint8_t, 4>{}));
  std::string text(100, 's');
  const std::size_t capacity = text.capacity();
  text.resize(3);
  wipe(text);
  EXPECT_TRUE(text.empty());
  text.resize(capacity);  // within the capacity: the same memory
  EXPECT_EQ(text.find('s'), std::string::npos);
}

TEST(EqualConstantTime, ComparesAllBytesAndTheSize) {
  EXPECT_TRUE(equal_constant_time(as_bytes("abc"), as_bytes("abc")));
  EXPECT_TRUE(equal_constant_time({}, {}));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(equal_constant_time(as_bytes("bbc"), as_bytes("abc")));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("ab")));
}

}  // namespace
}  // namespace paravent::crypto
