#include "crypto/keys/protection_key.h"

#include <gtest/gtest.h>

#include "crypto/base/encoding.h"
#include "crypto/keys/key_use.h"

namespace paravent::crypto {
namespace {

ContextRow row_of(Algorithm algorithm) {
  ContextRow row;
  row.key_id = 7;
  row.tenant_id = std::string(16, 't');
  row.algorithm = algorithm;
  return row;
}

TEST(ProtectionKey, EachAlgorithmGetsItsUse) {
  const Bytes parent(32, 1);
  const std::pair<Algorithm, KeyUse> expected[] = {
      {Algorithm::derived, KeyUse::enc_det},
      {Algorithm::pseudonym, KeyUse::prf_pseudonym},
      {Algorithm::encrypted, KeyUse::enc_rand},
      {Algorithm::vault_row, KeyUse::vault_row},
  };
  for (const auto& [algorithm, use] : expected) {
    const ContextRow row = row_of(algorithm);
    const auto key = make_protection_key(row, parent);
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(key->key_id, 7U);
    EXPECT_EQ(key->algorithm, algorithm);
    EXPECT_EQ(key->ctx, context_string(row));
    EXPECT_EQ(to_hex(key->key.bytes()),
              to_hex(derive_use_key(parent, use, context_string(row)).bytes()));
    EXPECT_EQ(key->nonce_key.empty(), algorithm != Algorithm::encrypted);
  }
  const auto encrypted = make_protection_key(row_of(Algorithm::encrypted), parent);
  ASSERT_TRUE(encrypted.has_value());
  EXPECT_EQ(to_hex(encrypted->nonce_key.bytes()),
            to_hex(derive_use_key(parent, KeyUse::enc_nonce, encrypted->ctx).bytes()));
}

TEST(ProtectionKey, VaultTokensHaveNoKey) {
  const auto key = make_protection_key(row_of(Algorithm::vault_token), {});
  ASSERT_TRUE(key.has_value());
  EXPECT_TRUE(key->key.empty());
  EXPECT_TRUE(key->nonce_key.empty());
  EXPECT_FALSE(key->ctx.empty());
}

TEST(ProtectionKey, RefusesReservedAlgorithmsAndWrongParents) {
  for (const auto algorithm :
       {Algorithm::address, Algorithm::sealed, Algorithm::audit_detail, Algorithm::map_cookie}) {
    const auto key = make_protection_key(row_of(algorithm), Bytes(32, 1));
    ASSERT_FALSE(key.has_value());
    EXPECT_EQ(key.error().kind(), ErrorKind::usage);
  }
  EXPECT_FALSE(make_protection_key(row_of(Algorithm::derived), Bytes(16, 1)).has_value());
  EXPECT_FALSE(make_protection_key(row_of(Algorithm::derived), {}).has_value());
}

}  // namespace
}  // namespace paravent::crypto
