#include "crypto/base/bytes.h"

#include <gtest/gtest.h>

#include <array>

namespace paravent::crypto {
namespace {

TEST(Bytes, TextAndBytesAreTheSameMemory) {
  const std::string text("a\0b", 3);
  const ByteView bytes = as_bytes(text);
  EXPECT_EQ(bytes.size(), 3U);
  EXPECT_EQ(static_cast<const void*>(bytes.data()), static_cast<const void*>(text.data()));
  EXPECT_EQ(as_text(bytes), text);
}

TEST(Bytes, AppendsBigEndian) {
  std::string out = "x";
  append_u8(out, 0xff);
  append_u16be(out, 0x0102);
  append_u32be(out, 0x03040506);
  append_u64be(out, 0x0708090a0b0c0d0eULL);
  EXPECT_EQ(out, std::string("x\xff\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e", 16));
}

TEST(Bytes, LengthPrefixIsTwoBytes) {
  std::string out;
  append_lp(out, "");
  append_lp(out, std::string(0x0102, 'a'));
  ASSERT_EQ(out.size(), 2U + 2U + 0x0102U);
  EXPECT_EQ(out.substr(0, 4), std::string("\0\0\x01\x02", 4));
}

TEST(Bytes, StoreAndLoadAgree) {
  std::array<std::uint8_t, 4> memory{};
  for (const std::uint32_t value : {0U, 1U, 0x80000000U, 0x01020304U, 0xffffffffU}) {
    store_u32be(memory.data(), value);
    EXPECT_EQ(load_u32be(memory.data()), value);
  }
  store_u32be(memory.data(), 0x01020304U);
  EXPECT_EQ(memory, (std::array<std::uint8_t, 4>{1, 2, 3, 4}));
}

}  // namespace
}  // namespace paravent::crypto
