// Protectors and openers with fixed keys, for the tests of this folder. The openers compose the
// primitives directly: the room itself cannot open what it makes.

#pragma once

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
