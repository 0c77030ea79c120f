#include "crypto/primitives/xchacha20_poly1305.h"

#include <gtest/gtest.h>

#include "tests/crypto/primitives/test_bytes.h"

namespace paravent::crypto {
namespace {

TEST(Xchacha20Poly1305, ComesBackForEverySize) {
  Repeatable random(19);
  const Bytes key = random.bytes(32);
  for (std::size_t size = 0; size < 200; ++size) {
    const Bytes nonce = random.bytes(24);
    const Bytes ad = random.bytes(random.below(50));
    const Bytes message = random.bytes(size);
    Bytes sealed(size + 16);
    Bytes opened(size);
    ASSERT_TRUE(xchacha20_poly1305_seal(key, nonce, ad, message, sealed));
    ASSERT_TRUE(xchacha20_poly1305_open(key, nonce, ad, sealed, opened));
    ASSERT_EQ(opened, message);
  }
}

TEST(Xchacha20Poly1305, AnyChangeIsRefusedAndTheOutputWiped) {
  Repeatable random(20);
  Bytes key = random.bytes(32);
  Bytes nonce = random.bytes(24);
  Bytes ad = random.bytes(9);
  Bytes sealed(32 + 16);
  ASSERT_TRUE(xchacha20_poly1305_seal(key, nonce, ad, random.bytes(32), sealed));
  for (Bytes* part : {&key, &nonce, &ad, &sealed}) {
    for (auto& byte : *part) {
      Bytes opened(32, 0xaa);
      byte ^= 1U;
      const Status status = xchacha20_poly1305_open(key, nonce, ad, sealed, opened);
      byte ^= 1U;
      ASSERT_FALSE(status.has_value());
      EXPECT_EQ(status.error().kind(), ErrorKind::malformed);
      EXPECT_EQ(opened, Bytes(32));
    }
  }
}

TEST(Xchacha20Poly1305, RefusesWrongSizes) {
  Bytes out(26);
  EXPECT_TRUE(xchacha20_poly1305_seal(Bytes(32), Bytes(24), {}, Bytes(10), out).has_value());
  EXPECT_FALSE(xchacha20_poly1305_seal(Bytes(31), Bytes(24), {}, Bytes(10), out).has_value());
  EXPECT_FALSE(xchacha20_poly1305_seal(Bytes(32), Bytes(12), {}, Bytes(10), out).has_value());
  EXPECT_FALSE(xchacha20_poly1305_seal(Bytes(32), Bytes(24), {}, Bytes(11), out).has_value());
  Bytes opened(10);
  EXPECT_FALSE(xchacha20_poly1305_open(Bytes(32), Bytes(24), {}, Bytes(15), opened).has_value());
  EXPECT_FALSE(xchacha20_poly1305_open(Bytes(32), Bytes(24), {}, Bytes(27), opened).has_value());
}

}  // namespace
}  // namespace paravent::crypto
