#include "crypto/keys/protection_key.h"

#include <gtest/gtest.h>

#include <set>

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
      {Algorithm::address, KeyUse::ip_det},
      {Algorithm::address_prefix, KeyUse::ip_pfx},
      {Algorithm::address_random, KeyUse::ip_ndx},
      {Algorithm::format_preserving, KeyUse::fpe_ff1},
      {Algorithm::vault_row, KeyUse::vault_row},
      {Algorithm::encrypted_subject, KeyUse::enc_rand},
      {Algorithm::vault_row_subject, KeyUse::vault_row},
  };
  std::set<KeyUse> uses = {KeyUse::enc_nonce};
  std::set<std::string> keys;
  for (const auto& [algorithm, use] : expected) {
    const ContextRow row = row_of(algorithm);
    const auto key = make_protection_key(row, parent);
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(key->key_id, 7U);
    EXPECT_EQ(key->algorithm, algorithm);
    EXPECT_EQ(key->ctx, context_string(row));
    EXPECT_EQ(to_hex(key->key.bytes()),
              to_hex(derive_use_key(parent, use, context_string(row)).bytes()));
    const bool hedged =
        algorithm == Algorithm::encrypted || algorithm == Algorithm::encrypted_subject;
    EXPECT_EQ(key->nonce_key.empty(), !hedged);
    EXPECT_TRUE(key->public_key.empty());
    // Values of a data subject are the same algorithm over another frame, and ctx names which:
    // their keys are others.
    const bool of_subject =
        algorithm == Algorithm::encrypted_subject || algorithm == Algorithm::vault_row_subject;
    EXPECT_EQ(uses.insert(use).second, !of_subject) << "one key, one use, one algorithm";
    EXPECT_TRUE(keys.insert(to_hex(key->key.bytes())).second);
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

TEST(ProtectionKey, SealedValuesHaveOnlyTheRecipientsKey) {
  for (const auto algorithm : {Algorithm::sealed, Algorithm::sealed_single}) {
    const auto key = make_protection_key(row_of(algorithm), {}, Bytes(kRecipientKeySize, 9));
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(key->public_key, Bytes(kRecipientKeySize, 9));
    EXPECT_TRUE(key->key.empty());
    EXPECT_TRUE(key->nonce_key.empty());
    for (const std::size_t size : {0U, 31U, 33U}) {
      const auto refused = make_protection_key(row_of(algorithm), Bytes(32, 1), Bytes(size, 9));
      ASSERT_FALSE(refused.has_value());
      EXPECT_EQ(refused.error().kind(), ErrorKind::usage);
    }
  }
}

TEST(ProtectionKey, RefusesReservedAlgorithmsAndWrongParents) {
  for (const auto algorithm : {Algorithm::audit_detail, Algorithm::map_cookie}) {
    const auto key = make_protection_key(row_of(algorithm), Bytes(32, 1));
    ASSERT_FALSE(key.has_value());
    EXPECT_EQ(key.error().kind(), ErrorKind::usage);
  }
  EXPECT_FALSE(make_protection_key(row_of(Algorithm::derived), Bytes(16, 1)).has_value());
  EXPECT_FALSE(make_protection_key(row_of(Algorithm::derived), {}).has_value());
}

}  // namespace
}  // namespace paravent::crypto
