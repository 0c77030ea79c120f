#include "crypto/primitives/xaes_gcm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "tests/crypto/primitives/test_bytes.h"

namespace paravent::crypto {
namespace {

// Both back ends where the CPU has both; the tests must run anywhere.
std::vector<GcmBackend> backends() {
  std::vector<GcmBackend> all = {GcmBackend::openssl};
  if (Xaes256Gcm::create(Bytes(32), GcmBackend::sodium).has_value()) {
    all.push_back(GcmBackend::sodium);
  }
  return all;
}

TEST(Xaes256Gcm, BackEndsAgree) {
  Repeatable random(14);
  for (std::size_t size = 0; size < 400; ++size) {
    const Bytes key = random.bytes(32);
    const Bytes nonce = random.bytes(24);
    const Bytes ad = random.bytes(random.below(200));
    const Bytes message = random.bytes(size);
    std::vector<Bytes> results;
    for (const GcmBackend backend : backends()) {
      auto xaes = Xaes256Gcm::create(key, backend);
      ASSERT_TRUE(xaes.has_value());
      ASSERT_EQ(xaes->backend(), backend);
      Bytes sealed(size + 16);
      ASSERT_TRUE(xaes->seal(nonce, ad, message, sealed));
      for (const Bytes& other : results) ASSERT_EQ(sealed, other) << size;
      results.push_back(sealed);
      Bytes opened(size);
      ASSERT_TRUE(xaes->open(nonce, ad, sealed, opened));
      ASSERT_EQ(opened, message);
    }
  }
}

TEST(Xaes256Gcm, AnyChangeIsRefusedAndTheOutputWiped) {
  Repeatable random(15);
  for (const GcmBackend backend : backends()) {
    auto xaes = Xaes256Gcm::create(random.bytes(32), backend);
    ASSERT_TRUE(xaes.has_value());
    Bytes nonce = random.bytes(24);
    Bytes ad = random.bytes(30);
    const Bytes message = random.bytes(48);
    Bytes sealed(64);
    ASSERT_TRUE(xaes->seal(nonce, ad, message, sealed));
    for (Bytes* part : {&nonce, &ad, &sealed}) {
      for (auto& byte : *part) {
        Bytes opened(48, 0xaa);
        byte ^= 0x10U;
        const Status status = xaes->open(nonce, ad, sealed, opened);
        byte ^= 0x10U;
        ASSERT_FALSE(status.has_value());
        EXPECT_EQ(status.error().kind(), ErrorKind::malformed);
        EXPECT_EQ(opened, Bytes(48));
      }
    }
    Bytes opened(48);
    EXPECT_TRUE(xaes->open(nonce, ad, sealed, opened));  // a failure leaves nothing behind
    EXPECT_EQ(opened, message);
  }
}

TEST(Xaes256Gcm, WorksInPlace) {
  Repeatable random(16);
  for (const GcmBackend backend : backends()) {
    auto xaes = Xaes256Gcm::create(random.bytes(32), backend);
    const Bytes nonce = random.bytes(24);
    for (const std::size_t size : {0U, 1U, 16U, 48U, 1000U}) {
      const Bytes message = random.bytes(size);
      Bytes expected(size + 16);
      ASSERT_TRUE(xaes->seal(nonce, {}, message, expected));
      Bytes buffer = message;
      buffer.resize(size + 16);
      const MutableBytes head = MutableBytes(buffer).first(size);
      ASSERT_TRUE(xaes->seal(nonce, {}, head, buffer));
      EXPECT_EQ(buffer, expected);
      ASSERT_TRUE(xaes->open(nonce, {}, buffer, head));
      EXPECT_TRUE(std::equal(head.begin(), head.end(), message.begin(), message.end()));
    }
  }
}

TEST(Xaes256Gcm, RefusesWrongSizes) {
  EXPECT_EQ(Xaes256Gcm::create(Bytes(31)).error().kind(), ErrorKind::usage);
  auto xaes = Xaes256Gcm::create(Bytes(32));
  ASSERT_TRUE(xaes.has_value());
  Bytes out(64);
  EXPECT_EQ(xaes->seal(Bytes(23), {}, Bytes(48), out).error().kind(), ErrorKind::usage);
  EXPECT_EQ(xaes->seal(Bytes(24), {}, Bytes(47), out).error().kind(), ErrorKind::usage);
  Bytes opened(48);
  EXPECT_EQ(xaes->open(Bytes(23), {}, out, opened).error().kind(), ErrorKind::malformed);
  EXPECT_EQ(xaes->open(Bytes(24), {}, Bytes(15), opened).error().kind(), ErrorKind::malformed);
  EXPECT_EQ(xaes->open(Bytes(24), {}, Bytes(65), opened).error().kind(), ErrorKind::malformed);
}

}  // namespace
}  // namespace paravent::crypto
