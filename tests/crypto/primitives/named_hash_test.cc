#include "crypto/primitives/named_hash.h"

#include <gtest/gtest.h>

#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/hmac_sha256.h"
#include "tests/crypto/primitives/test_bytes.h"

namespace paravent::crypto {
namespace {

TEST(NamedHash, AgreesWithOurOwnForSha256) {
  Repeatable random(81);
  for (std::size_t size = 0; size < 130; size += 13) {
    const Bytes key = random.bytes(size);
    const Bytes message = random.bytes(random.below(200));
    const auto mac = hmac_by_name("SHA2-256", key, message);
    ASSERT_TRUE(mac.has_value());
    const Sha256Digest expected = hmac_sha256(key, message);
    EXPECT_EQ(*mac, Bytes(expected.begin(), expected.end())) << size;
    const auto derived = hkdf_by_name("SHA2-256", message, key, as_bytes("info"), 100);
    Bytes okm(100);
    ASSERT_TRUE(hkdf_expand_sha256(hkdf_extract_sha256(key, message), as_bytes("info"), okm));
    ASSERT_TRUE(derived.has_value());
    EXPECT_EQ(*derived, okm);
  }
}

TEST(NamedHash, RefusesUnknownNamesAndSizes) {
  EXPECT_EQ(hmac_by_name("SHA2-257", {}, {}).error().kind(), ErrorKind::usage);
  EXPECT_EQ(hmac_by_name("", {}, {}).error().kind(), ErrorKind::usage);
  EXPECT_EQ(hkdf_by_name("none", {}, {}, {}, 10).error().kind(), ErrorKind::usage);
  EXPECT_EQ(hkdf_by_name("SHA1", {}, {}, {}, 0).error().kind(), ErrorKind::usage);
  EXPECT_EQ(hkdf_by_name("SHA1", {}, {}, {}, 255 * 20 + 1).error().kind(), ErrorKind::usage);
  EXPECT_EQ(hkdf_by_name("SHA1", {}, {}, {}, 255 * 20)->size(), 255U * 20U);
}

}  // namespace
}  // namespace paravent::crypto
