#include "crypto/primitives/ipcrypt.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/crypto/primitives/test_bytes.h"

namespace paravent::crypto {
namespace {

// The published vectors run in tests/crypto/vectors; here are the properties and the refusals.

Bytes mapped(std::uint32_t ipv4) {
  Bytes address = unhex("00000000000000000000ffff00000000");
  store_u32be(address.data() + 12, ipv4);
  return address;
}

std::size_t shared_bits(ByteView a, ByteView b) {
  for (std::size_t bit = 0; bit < 128; ++bit) {
    if (((a[bit / 8] ^ b[bit / 8]) >> (7 - bit % 8) & 1) != 0) return bit;
  }
  return 128;
}

TEST(IpcryptDeterministic, IsOneAesBlockBothWays) {
  // FIPS 197 C.1.
  auto ip = IpcryptDeterministic::create(unhex("000102030405060708090a0b0c0d0e0f"));
  ASSERT_TRUE(ip.has_value());
  Bytes address = unhex("00112233445566778899aabbccddeeff");
  Bytes out(16);
  ASSERT_TRUE(ip->encrypt(address, out));
  EXPECT_EQ(to_hex(out), "69c4e0d86a7b0430d8cdb78070b4c55a");
  ASSERT_TRUE(ip->decrypt(out, out)) << "in place";
  EXPECT_EQ(out, address);
}

TEST(IpcryptPfx, KeepsExactlyTheSharedPrefix) {
  Repeatable random(31);
  auto ip = IpcryptPfx::create(random.bytes(32));
  ASSERT_TRUE(ip.has_value());
  for (int i = 0; i < 200; ++i) {
    Bytes a = random.bytes(16);
    Bytes b = a;
    const std::size_t differs = random.below(128);
    b[differs / 8] ^= static_cast<std::uint8_t>(0x80U >> (differs % 8));
    Bytes a_out(16);
    Bytes b_out(16);
    ASSERT_TRUE(ip->encrypt(a, a_out));
    ASSERT_TRUE(ip->encrypt(b, b_out));
    ASSERT_EQ(shared_bits(a_out, b_out), differs);
    ASSERT_TRUE(ip->decrypt(a_out, a_out)) << "in place";
    ASSERT_EQ(a_out, a);
    ASSERT_TRUE(ip->encrypt(b, b)) << "in place";
    ASSERT_EQ(b, b_out);
  }
}

TEST(IpcryptPfx, Ipv4StaysIpv4) {
  Repeatable random(32);
  auto ip = IpcryptPfx::create(random.bytes(32));
  ASSERT_TRUE(ip.has_value());
  for (int i = 0; i < 200; ++i) {
    const Bytes address = mapped(static_cast<std::uint32_t>(random.below(0xffffffff)));
    Bytes out(16);
    ASSERT_TRUE(ip->encrypt(address, out));
    ASSERT_GE(shared_bits(address, out), 96U);
    Bytes back(16);
    ASSERT_TRUE(ip->decrypt(out, back));
    ASSERT_EQ(back, address);
  }
}

TEST(IpcryptNdx, TweakSeparatesAndOpens) {
  Repeatable random(33);
  auto ip = IpcryptNdx::create(random.bytes(32));
  ASSERT_TRUE(ip.has_value());
  const Bytes address = mapped(0xc0000201);
  const Bytes tweak = random.bytes(16);
  const Bytes other_tweak = random.bytes(16);
  Bytes out(16);
  Bytes other(16);
  ASSERT_TRUE(ip->encrypt(tweak, address, out));
  ASSERT_TRUE(ip->encrypt(other_tweak, address, other));
  EXPECT_NE(out, other);
  Bytes back(16);
  ASSERT_TRUE(ip->decrypt(tweak, out, back));
  EXPECT_EQ(back, address);
  ASSERT_TRUE(ip->decrypt(other_tweak, out, back)) << "no integrity: it opens to something";
  EXPECT_NE(back, address);
}

TEST(Ipcrypt, RefusesOtherKeys) {
  Repeatable random(34);
  for (const std::size_t size : {0U, 15U, 17U, 24U, 31U, 33U, 64U}) {
    const Bytes key = random.bytes(size);
    EXPECT_EQ(IpcryptDeterministic::create(key).error().kind(), ErrorKind::usage) << size;
    EXPECT_EQ(IpcryptPfx::create(key).error().kind(), ErrorKind::usage) << size;
    EXPECT_EQ(IpcryptNdx::create(key).error().kind(), ErrorKind::usage) << size;
  }
  EXPECT_EQ(IpcryptDeterministic::create(random.bytes(32)).error().kind(), ErrorKind::usage);
  EXPECT_EQ(IpcryptPfx::create(random.bytes(16)).error().kind(), ErrorKind::usage);
  EXPECT_EQ(IpcryptPfx::create(Bytes(32, 7)).error().kind(), ErrorKind::usage) << "equal halves";
  EXPECT_EQ(IpcryptNdx::create(Bytes(32, 7)).error().kind(), ErrorKind::usage) << "equal halves";
}

TEST(Ipcrypt, RefusesOtherSizes) {
  Repeatable random(35);
  auto fixed = IpcryptDeterministic::create(random.bytes(16));
  auto pfx = IpcryptPfx::create(random.bytes(32));
  auto ndx = IpcryptNdx::create(random.bytes(32));
  ASSERT_TRUE(fixed.has_value() && pfx.has_value() && ndx.has_value());
  Bytes right(16);
  for (const std::size_t size : {0U, 4U, 15U, 17U, 32U}) {
    Bytes wrong(size);
    for (const Status& status :
         {fixed->encrypt(wrong, right), fixed->encrypt(right, wrong), fixed->decrypt(wrong, right),
          fixed->decrypt(right, wrong), pfx->encrypt(wrong, right), pfx->encrypt(right, wrong),
          pfx->decrypt(wrong, right), pfx->decrypt(right, wrong), ndx->encrypt(wrong, right, right),
          ndx->encrypt(right, wrong, right), ndx->encrypt(right, right, wrong),
          ndx->decrypt(wrong, right, right), ndx->decrypt(right, wrong, right),
          ndx->decrypt(right, right, wrong)}) {
      ASSERT_FALSE(status.has_value()) << size;
      EXPECT_EQ(status.error().kind(), ErrorKind::usage);
    }
  }
}

}  // namespace
}  // namespace paravent::crypto
