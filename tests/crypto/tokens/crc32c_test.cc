#include "crypto/tokens/crc32c.h"

#include <gtest/gtest.h>

#include <random>
#include <string_view>

namespace paravent::crypto {
namespace {

// RFC 3720 B.4, and the check value of the CRC catalogue.
TEST(Crc32c, PublishedValues) {
  Bytes ascending(32);
  Bytes descending(32);
  for (std::uint8_t i = 0; i < 32; ++i) {
    ascending[i] = i;
    descending[i] = static_cast<std::uint8_t>(31 - i);
  }
  for (auto* crc : {&crc32c, &crc32c_portable}) {
    EXPECT_EQ(crc(as_bytes("123456789"), 0), 0xE3069283U);
    EXPECT_EQ(crc(Bytes(32, 0x00), 0), 0x8A9136AAU);
    EXPECT_EQ(crc(Bytes(32, 0xFF), 0), 0x62A8AB43U);
    EXPECT_EQ(crc(ascending, 0), 0x46DD794EU);
    EXPECT_EQ(crc(descending, 0), 0x113FDB5CU);
    EXPECT_EQ(crc({}, 0), 0U);
  }
}

TEST(Crc32c, BothVersionsAgreeAndPartsJoin) {
  std::mt19937 rng(2);
  for (std::size_t size = 0; size < 300; ++size) {
    Bytes bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng());
    const std::uint32_t whole = crc32c(bytes);
    ASSERT_EQ(whole, crc32c_portable(bytes)) << size;
    const std::size_t cut = size == 0 ? 0 : rng() % size;
    const ByteView view(bytes);
    ASSERT_EQ(crc32c(view.subspan(cut), crc32c(view.first(cut))), whole);
    ASSERT_EQ(crc32c_portable(view.subspan(cut), crc32c_portable(view.first(cut))), whole);
  }
}

}  // namespace
}  // namespace paravent::crypto
