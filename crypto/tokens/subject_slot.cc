#include "crypto/tokens/subject_slot.h"

#include <algorithm>
#include <cstring>

#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/frame.h"
#include "crypto/tokens/subject_layer.h"
#include "crypto/tokens/token_header.h"
#include "crypto/tokens/token_text.h"

namespace paravent::crypto {

Result<SubjectSlot> SubjectSlot::create(const ProtectionKey& key) {
  auto xaes = Xaes256Gcm::create(key.key.bytes());
  if (!xaes) return xaes.error();
  auto nonce = HedgedNonce::create(key.nonce_key.bytes(), as_bytes(key.ctx));
  if (!nonce) return nonce.error();
  return SubjectSlot(token_ad(key.key_id, key.algorithm, key.ctx), key.ctx, std::move(*xaes),
                     std::move(*nonce));
}

Status SubjectSlot::protect(const ProtectForm& form, std::string_view value, ProtectorTools& tools,
                            std::string& out) {
  ProtectForm plain = form;
  plain.subject = nullptr;
  if (form.subject == nullptr || !is_plain(plain)) return Error(ErrorKind::usage);
  if (value.size() > kMaxEncryptedValue) return Error(ErrorKind::malformed);
  const std::size_t bucket = bucket_for(form.kind, value.size());
  const std::size_t layer_size = kSubjectOverhead + bucket;
  const MutableBytes body =
      tools.room(kTokenHeaderSize + kNonceSize + layer_size + kTagSize + kCrcSize);
  std::memcpy(body.data(), ad_.data(), kTokenHeaderSize);
  const MutableBytes nonce = body.subspan(kTokenHeaderSize, kNonceSize);
  const MutableBytes sealed = body.subspan(kTokenHeaderSize + kNonceSize, layer_size + kTagSize);
  const MutableBytes layer = sealed.first(layer_size);
  build_frame(form.kind, value, layer.subspan(kSubjectHandleSize, bucket));
  std::copy(form.subject->handle.begin(), form.subject->handle.end(), layer.begin());
  // The handle too: two people's values differ under the outer key, and must not share a nonce.
  Status status = nonce_.next(layer.first(kSubjectHandleSize + bucket), *tools.random, nonce);
  if (status) {
    seal_subject_layer(*form.subject, ctx_, nonce, as_bytes(ad_), layer);
    status = xaes_.seal(nonce, as_bytes(ad_), layer, sealed);
  }
  if (status) {
    write_long_token(TokenClass::encrypted, body, out);
  } else {
    wipe(layer);
  }
  tools.give_back();
  return status;
}

}  // namespace paravent::crypto
