// Protectors and openers with fixed keys, for the tests of this folder. The openers compose the
// primitives directly: the room itself cannot open what it makes.

#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/keys/context_row.h"
#include "crypto/keys/key_use.h"
#include "crypto/keys/protection_key.h"
#include "crypto/primitives/aes_siv.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/x25519.h"
#include "crypto/primitives/xaes_gcm.h"
#include "crypto/tokens/field_protector.h"
#include "crypto/tokens/frame.h"
#include "crypto/tokens/normaliser.h"
#include "crypto/tokens/token_header.h"
#include "crypto/tokens/token_text.h"

namespace paravent::crypto::testing {

inline ContextRow row_of(Algorithm algorithm, Kind kind, std::uint32_t key_id = 0x0A0B0C0D) {
  ContextRow row;
  row.key_id = key_id;
  row.tenant_id = std::string(kContextIdSize, 't');
  row.domain_id = std::string(kContextIdSize, 'd');
  row.purpose_id = std::string(kContextIdSize, 'p');
  row.space_id = std::string(kContextIdSize, 's');
  row.algorithm = algorithm;
  row.normaliser_id = normaliser_id(kind);
  return row;
}

inline ProtectionKey key_of(const ContextRow& row, std::uint8_t parent_byte = 7) {
  return *make_protection_key(row, Bytes(kParentKeySize, parent_byte));
}

inline std::unique_ptr<FieldProtector> protector_of(const ProtectionKey& key) {
  return *FieldProtector::create(std::span<const ProtectionKey>(&key, 1));
}

// A recipient of sealed values with a fixed private key.
inline SecretBytes private_key_of(std::uint8_t byte = 5) {
  return SecretBytes::copy_of(Bytes(kRecipientKeySize, byte));
}

inline ProtectionKey sealed_key_of(const ContextRow& row, std::uint8_t private_byte = 5) {
  const auto public_key = *x25519_public_key(private_key_of(private_byte).bytes());
  return *make_protection_key(row, {}, public_key);
}

// A key of any algorithm that FieldProtector takes.
inline ProtectionKey any_key_of(Algorithm algorithm, Kind kind, std::uint32_t key_id = 0x0A0B0C0D) {
  const ContextRow row = row_of(algorithm, kind, key_id);
  const bool sealed = algorithm == Algorithm::sealed || algorithm == Algorithm::sealed_single;
  return sealed ? sealed_key_of(row) : key_of(row);
}

// The beginning of the same bytes at every call.
class FixedRandom final : public RandomSource {
 public:
  explicit FixedRandom(Bytes bytes) : bytes_(std::move(bytes)) {}
  void fill(MutableBytes out) noexcept override {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = bytes_[i % bytes_.size()];
  }

 private:
  Bytes bytes_;
};

inline std::string protect(FieldProtector& protector, const ProtectForm& form,
                           std::string_view value, std::uint32_t slot = 0) {
  std::string out;
  EXPECT_TRUE(protector.protect(slot, form, value, out));
  return out;
}

struct Opened {
  Kind kind;
  std::string value;
};

// nullopt when the token does not open under the key.
inline std::optional<Opened> open_token(const ProtectionKey& key, const ParsedToken& token) {
  const std::string ad = token_ad(token.key_id, token.algorithm, key.ctx);
  const ByteView payload(token.payload);
  Bytes frame;
  Status status;
  if (token.algorithm == Algorithm::derived) {
    auto siv = AesSiv256::create(key.key.bytes());
    frame.resize(payload.size() - AesSiv256::kOverhead);
    status = siv->set_ad(as_bytes(ad));
    if (status) status = siv->open(payload, frame);
  } else {
    auto xaes = Xaes256Gcm::create(key.key.bytes());
    frame.resize(payload.size() - kNonceSize - kTagSize);
    status =
        xaes->open(payload.first(kNonceSize), as_bytes(ad), payload.subspan(kNonceSize), frame);
  }
  if (!status) return std::nullopt;
  const auto view = parse_frame(frame);
  if (!view) return std::nullopt;
  return Opened{view->kind, std::string(view->value)};
}

}  // namespace paravent::crypto::testing
