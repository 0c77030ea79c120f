#include "crypto/tokens/encrypted_slot.h"

#include <cstring>
#include <utility>

#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/frame.h"
#include "crypto/tokens/token_header.h"
#include "crypto/tokens/token_text.h"

namespace paravent::crypto {

Result<EncryptedSlot> EncryptedSlot::create(const ProtectionKey& key) {
  auto xaes = Xaes256Gcm::create(key.key.bytes());
  if (!xaes) return xaes.error();
  auto nonce = HedgedNonce::create(key.nonce_key.bytes(), as_bytes(key.ctx));
  if (!nonce) return nonce.error();
  return EncryptedSlot(token_ad(key.key_id, key.algorithm, key.ctx), std::move(*xaes),
                       std::move(*nonce));
}

Status EncryptedSlot::protect(const ProtectForm& form, std::string_view value,
                              ProtectorTools& tools, std::string& out) {
  if (!is_plain(form)) return Error(ErrorKind::usage);
  if (value.size() > kMaxEncryptedValue) return Error(ErrorKind::malformed);
  const std::size_t bucket = bucket_for(form.kind, value.size());
  const MutableBytes body =
      tools.room(kTokenHeaderSize + kNonceSize + bucket + kTagSize + kCrcSize);
  std::memcpy(body.data(), ad_.data(), kTokenHeaderSize);
  const MutableBytes nonce = body.subspan(kTokenHeaderSize, kNonceSize);
  const MutableBytes sealed = body.subspan(kTokenHeaderSize + kNonceSize, bucket + kTagSize);
  const MutableBytes frame = sealed.first(bucket);
  build_frame(form.kind, value, frame);
  Status status = nonce_.next(frame, *tools.random, nonce);
  if (status) status = xaes_.seal(nonce, as_bytes(ad_), frame, sealed);
  if (status) {
    write_long_token(TokenClass::encrypted, body, out);
  } else {
    wipe(frame);
  }
  tools.give_back();
  return status;
}

}  // namespace paravent::crypto
