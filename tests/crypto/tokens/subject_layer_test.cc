// The two layers of an encrypted value of a data subject, opened by hand with nothing but the
// primitives: what docs/token-format.md says is what is written.

#include "crypto/tokens/subject_layer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "crypto/keys/key_use.h"
#include "crypto/primitives/xaes_gcm.h"
#include "crypto/primitives/xchacha20_poly1305.h"
#include "crypto/tokens/field_protector.h"
#include "crypto/tokens/frame.h"
#include "crypto/tokens/token_text.h"

namespace paravent::crypto {
namespace {

ProtectionKey key_of_row() {
  ContextRow row;
  row.key_id = 0x01020304;
  row.tenant_id = std::string(16, 't');
  row.domain_id = std::string(16, 'd');
  row.purpose_id = std::string(16, 'p');
  row.space_id = std::string(16, 's');
  row.algorithm = Algorithm::encrypted_subject;
  return make_protection_key(row, Bytes(32, 7)).value();
}

SubjectSeal subject_of(std::uint8_t n) {
  SubjectSeal subject;
  subject.handle.fill(n);
  subject.key = SecretBytes::copy_of(Bytes(kParentKeySize, static_cast<std::uint8_t>(n + 1)));
  return subject;
}

std::string protect(const SubjectSeal* subject, std::string_view value) {
  std::vector<ProtectionKey> keys;
  keys.push_back(key_of_row());
  const auto protector = FieldProtector::create(keys).value();
  std::string out;
  const ProtectForm form{.kind = Kind::text, .subject = subject};
  EXPECT_EQ(protector->protect(0, form, value, out).has_value(), subject != nullptr);
  return out;
}

TEST(SubjectLayer, IsWhatTheFormatSays) {
  const SubjectSeal subject = subject_of(9);
  const std::string text = protect(&subject, "Bonjour");
  ASSERT_TRUE(text.starts_with("pve_"));
  EXPECT_EQ(text.size(), encrypted_subject_token_length(bucket_for(Kind::text, 7)));
  const auto token = parse_token(text).value();
  EXPECT_EQ(token.algorithm, Algorithm::encrypted_subject);
  EXPECT_EQ(token.token_class, TokenClass::encrypted);
  EXPECT_EQ(token.key_id, 0x01020304U);

  const ProtectionKey key = key_of_row();
  std::string ad("\x01\x0b\x01\x02\x03\x04", 6);
  ad += key.ctx;
  const ByteView payload(token.payload);
  const ByteView nonce = payload.first(24);
  Bytes layer(payload.size() - 24 - 16);
  ASSERT_TRUE(
      Xaes256Gcm::create(key.key.bytes())->open(nonce, as_bytes(ad), payload.subspan(24), layer));
  EXPECT_EQ(as_text(ByteView(layer).first(16)), std::string(16, 9));
  const SecretBytes inner = derive_use_key(Bytes(32, 10), KeyUse::enc_subject, key.ctx);
  Bytes frame(layer.size() - 16 - 16);
  ASSERT_TRUE(xchacha20_poly1305_open(inner.bytes(), nonce, as_bytes(std::string(16, 9) + ad),
                                      ByteView(layer).subspan(16), frame));
  EXPECT_EQ(parse_frame(frame)->value, "Bonjour");

  Bytes again = layer;
  const auto opened = open_subject_layer(Bytes(32, 10), key.ctx, nonce, as_bytes(ad), again);
  ASSERT_TRUE(opened);
  EXPECT_EQ(parse_frame(*opened)->value, "Bonjour");
}

TEST(SubjectLayer, NeedsItsOwnKeyHandleContextAndNonce) {
  const std::string ctx = "ctx";
  const Bytes nonce(24, 3);
  const std::string ad = "ad";
  const SubjectSeal subject = subject_of(9);
  Bytes sealed(16 + 16 + 16, 0);
  build_frame(Kind::text, "Bonjour", MutableBytes(sealed).subspan(16, 16));
  seal_subject_layer(subject, ctx, nonce, as_bytes(ad), sealed);
  const auto opens = [&](ByteView key, std::string_view with_ctx, ByteView with_nonce,
                         std::string_view with_ad, std::size_t flipped) {
    Bytes layer = sealed;
    if (flipped < layer.size()) layer[flipped] ^= 1;
    return open_subject_layer(key, with_ctx, with_nonce, as_bytes(with_ad), layer).has_value();
  };
  const Bytes key(subject.key.bytes().begin(), subject.key.bytes().end());
  const std::size_t none = sealed.size();
  EXPECT_TRUE(opens(key, ctx, nonce, ad, none));
  EXPECT_FALSE(opens(Bytes(32, 1), ctx, nonce, ad, none));
  EXPECT_FALSE(opens(key, "other", nonce, ad, none));
  EXPECT_FALSE(opens(key, ctx, Bytes(24, 4), ad, none));
  EXPECT_FALSE(opens(key, ctx, nonce, "other", none));
  for (std::size_t i = 0; i < sealed.size(); ++i) EXPECT_FALSE(opens(key, ctx, nonce, ad, i)) << i;
}

TEST(SubjectLayer, ASlotWithoutItsSubjectProtectsNothing) {
  EXPECT_EQ(protect(nullptr, "Bonjour"), "");
  const SubjectSeal subject = subject_of(9);
  EXPECT_NE(protect(&subject, "Bonjour"), protect(&subject, "Bonjour"));
}

}  // namespace
}  // namespace paravent::crypto
