#include "crypto/tokens/sealed_slot.h"

#include <array>
#include <cstring>
#include <utility>

#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/hpke.h"
#include "crypto/tokens/frame.h"
#include "crypto/tokens/recipient_key.h"
#include "crypto/tokens/token_header.h"
#include "crypto/tokens/token_text.h"

namespace paravent::crypto {

Result<SealedSlot> SealedSlot::create(const ProtectionKey& key, ContentKey& content_key) {
  return SealedSlot(token_ad(key.key_id, key.algorithm, key.ctx), content_key);
}

Status SealedSlot::protect(const ProtectForm& form, std::string_view value, ProtectorTools& tools,
                           std::string& out) {
  if (!is_plain(form)) return Error(ErrorKind::usage);
  if (value.size() > kMaxEncryptedValue) return Error(ErrorKind::malformed);
  constexpr std::size_t kBeforeFrame = kTokenHeaderSize + kEncapsulationSize + kNonceSize;
  const std::size_t bucket = bucket_for(form.kind, value.size());
  const MutableBytes body = tools.room(kBeforeFrame + bucket + kTagSize + kCrcSize);
  std::memcpy(body.data(), ad_.data(), kTokenHeaderSize);
  const MutableBytes frame = body.subspan(kBeforeFrame, bucket);
  build_frame(form.kind, value, frame);
  const MutableBytes payload =
      body.subspan(kTokenHeaderSize, body.size() - kTokenHeaderSize - kCrcSize);
  const Status status =
      content_key_->seal(as_bytes(ad_), payload, *tools.random, tools.clock->now());
  if (status) {
    write_long_token(TokenClass::sealed, body, out);
  } else {
    wipe(frame);
  }
  tools.give_back();
  return status;
}

Result<SealedSingleSlot> SealedSingleSlot::create(const ProtectionKey& key) {
  if (key.public_key.size() != kRecipientKeySize) return Error(ErrorKind::usage);
  // A key that nothing can be sealed to is found when the policy is loaded, not by the first
  // visitor.
  std::array<std::uint8_t, kSingleEncapsulationSize> enc;
  std::array<std::uint8_t, kTagSize> nothing;
  if (!hpke_seal(key.public_key, {}, {}, {}, enc, nothing)) return Error(ErrorKind::usage);
  const TokenHeader header = token_header(key.key_id, key.algorithm);
  return SealedSingleSlot(std::string(as_text(header)), sealed_value_info(key.ctx), key.public_key);
}

Status SealedSingleSlot::protect(const ProtectForm& form, std::string_view value,
                                 ProtectorTools& tools, std::string& out) const {
  if (!is_plain(form)) return Error(ErrorKind::usage);
  if (value.size() > kMaxEncryptedValue) return Error(ErrorKind::malformed);
  constexpr std::size_t kBeforeSealed = kTokenHeaderSize + kSingleEncapsulationSize;
  const std::size_t bucket = bucket_for(form.kind, value.size());
  const std::size_t size = kBeforeSealed + bucket + kTagSize + kCrcSize;
  // HPKE seals from one place to another: the frame lies behind the token's bytes, and is wiped.
  const MutableBytes room = tools.room(size + bucket);
  const MutableBytes body = room.first(size);
  const MutableBytes frame = room.subspan(size);
  std::memcpy(body.data(), header_.data(), kTokenHeaderSize);
  build_frame(form.kind, value, frame);
  const Status status = hpke_seal(public_key_, as_bytes(info_), as_bytes(header_), frame,
                                  body.subspan(kTokenHeaderSize, kSingleEncapsulationSize),
                                  body.subspan(kBeforeSealed, bucket + kTagSize));
  wipe(frame);
  if (status) write_long_token(TokenClass::sealed, body, out);
  tools.give_back();
  return status;
}

}  // namespace paravent::crypto
