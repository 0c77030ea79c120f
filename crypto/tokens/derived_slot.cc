#include "crypto/tokens/derived_slot.h"

#include <array>
#include <cstring>
#include <utility>

#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/frame.h"
#include "crypto/tokens/token_text.h"

namespace paravent::crypto {

Result<DerivedSlot> DerivedSlot::create(const ProtectionKey& key) {
  auto siv = AesSiv256::create(key.key.bytes());
  if (!siv) return siv.error();
  const std::string ad = token_ad(key.key_id, key.algorithm, key.ctx);
  if (Status status = siv->set_ad(as_bytes(ad)); !status) return status.error();
  return DerivedSlot(token_header(key.key_id, key.algorithm), std::move(*siv));
}

Status DerivedSlot::protect(const ProtectForm& form, std::string_view value, ProtectorTools&,
                            std::string& out) {
  if (!is_plain(form)) return Error(ErrorKind::usage);
  if (value.size() > kMaxDerivedValue) return Error(ErrorKind::malformed);
  const std::size_t bucket = bucket_for(form.kind, value.size());
  if (bucket > kMaxDerivedBucket) return Error(ErrorKind::malformed);
  std::array<std::uint8_t, kTokenHeaderSize + kSivSize + kMaxDerivedBucket> memory;
  const MutableBytes body = MutableBytes(memory).first(kTokenHeaderSize + kSivSize + bucket);
  std::memcpy(body.data(), header_.data(), kTokenHeaderSize);
  const MutableBytes sealed = body.subspan(kTokenHeaderSize);
  const MutableBytes frame = sealed.subspan(kSivSize);
  build_frame(form.kind, value, frame);
  const Status status = siv_.seal(frame, sealed);
  if (!status) {
    wipe(frame);
    return status;
  }
  write_short_token(TokenClass::derived, body, out);
  return status;
}

}  // namespace paravent::crypto
