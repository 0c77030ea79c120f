#include "crypto/keys/key_use.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "crypto/base/encoding.h"
#include "crypto/primitives/hkdf.h"

namespace paravent::crypto {
namespace {

TEST(KeyUse, NamesAreUniqueAndSafeInsideTheLabel) {
  std::set<std::string_view> names;
  for (const KeyUseInfo& info : key_uses()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(info.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789."),
              std::string_view::npos);
    EXPECT_EQ(key_use_info(info.use).name, info.name);
  }
  EXPECT_EQ(names.size(), 16U);
}

TEST(KeyUse, LengthsAreThoseOfTheConstructions) {
  std::map<std::string, std::size_t, std::less<>> expected = {
      {"enc.rand", 32},   {"enc.nonce", 32},   {"enc.det", 64},   {"prf.pseudonym", 32},
      {"prf.index", 32},  {"prf.subject", 32}, {"fpe.ff1", 32},   {"ip.det", 16},
      {"ip.pfx", 32},     {"ip.ndx", 32},      {"vault.row", 32}, {"audit.detail", 32},
      {"map.cookie", 32}, {"kcv", 32},         {"prf.shape", 32}, {"enc.subject", 32},
  };
  for (const KeyUseInfo& info : key_uses()) {
    const auto found = expected.find(info.name);
    ASSERT_NE(found, expected.end()) << info.name;
    EXPECT_EQ(info.length, found->second) << info.name;
  }
}

// The info string spelled out by hand, so that a change of label is seen.
TEST(KeyUse, DerivationIsHkdfExpandOverTheLabel) {
  const Bytes parent(32, 7);
  const std::string_view info("paravent/v1/enc.det\0ctx", 23);
  Bytes expected(64);
  ASSERT_TRUE(hkdf_expand_sha256(parent, as_bytes(info), expected));
  EXPECT_EQ(to_hex(derive_use_key(parent, KeyUse::enc_det, "ctx").bytes()), to_hex(expected));
}

TEST(KeyUse, UsesContextsAndParentsSeparate) {
  const Bytes parent(32, 7);
  std::set<std::string> seen;
  std::size_t made = 0;
  for (const KeyUseInfo& info : key_uses()) {
    for (const std::string_view ctx : {"", "a", "b"}) {
      const SecretBytes key = derive_use_key(parent, info.use, ctx);
      EXPECT_EQ(key.size(), info.length);
      seen.insert(to_hex(key.bytes().first(16)));
      ++made;
    }
  }
  seen.insert(to_hex(derive_use_key(Bytes(32, 8), KeyUse::kcv, "").bytes().first(16)));
  EXPECT_EQ(seen.size(), made + 1);
}

TEST(KeyUseDeathTest, ParentOfAnotherSizeEndsTheProcess) {
  EXPECT_DEATH({ (void)derive_use_key(Bytes(31, 7), KeyUse::kcv, ""); }, "");
}

}  // namespace
}  // namespace paravent::crypto
