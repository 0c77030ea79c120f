#include "crypto/vault/engine/rows/bound_sealer.h"

#include <algorithm>
#include <utility>

#include "crypto/tokens/frame.h"

namespace paravent::crypto::vault {

Result<BoundSealer::Cipher*> BoundSealer::cipher(const ProtectionKey& key) {
  auto it = ciphers_.find(key.key_id);
  if (it == ciphers_.end()) {
    auto xaes = Xaes256Gcm::create(key.key.bytes());
    if (!xaes) return xaes.error();
    auto nonce = HedgedNonce::create(key.nonce_key.bytes(), as_bytes(key.ctx));
    if (!nonce) return nonce.error();
    it = ciphers_.emplace(key.key_id, Cipher{std::move(*xaes), std::move(*nonce)}).first;
  }
  return &it->second;
}

Status BoundSealer::seal(const BoundRow& row, const Id& id, BoundCopy& copy,
                         const ProtectionKey& key, const SubjectSeal& subject,
                         std::string_view value, const ScopeId& relationship) {
  auto with = cipher(key);
  if (!with) return with.error();
  copy.mark = handle_mark(subject.handle, id, copy.purpose);
  const std::string ad = copy_ad(key.ctx, id, row, copy);
  std::string joined;  // relationship | value, where there is one
  std::string_view inner = value;
  if (row.in_relationship) {
    joined.reserve(relationship.size() + value.size());
    append_bytes(joined, relationship);
    joined.append(value);
    inner = joined;
  }
  const std::size_t frame_size = bucket_for(row.kind, inner.size());
  scratch_.assign(ad);
  scratch_.resize(ad.size() + kSubjectHandleSize + frame_size);
  const MutableBytes all(reinterpret_cast<std::uint8_t*>(scratch_.data()), scratch_.size());
  const MutableBytes hedged = all.subspan(ad.size());
  std::copy(subject.handle.begin(), subject.handle.end(), hedged.begin());
  build_frame(row.kind, inner, hedged.subspan(kSubjectHandleSize));

  copy.sealed.resize(kNonceSize + kSubjectOverhead + frame_size + kTagSize);
  const MutableBytes out(reinterpret_cast<std::uint8_t*>(copy.sealed.data()), copy.sealed.size());
  const MutableBytes nonce = out.first(kNonceSize);
  const MutableBytes sealed = out.subspan(kNonceSize);
  const MutableBytes layer = sealed.first(kSubjectOverhead + frame_size);
  Status status = (*with)->nonce.next(all, random_, nonce);
  if (status) {
    std::copy(hedged.begin(), hedged.end(), layer.begin());
    seal_subject_layer(subject, key.ctx, nonce, as_bytes(ad), layer);
    status = (*with)->xaes.seal(nonce, as_bytes(ad), layer, sealed);
  }
  wipe(all);
  wipe(joined);
  if (!status) copy.sealed.clear();
  return status;
}

SubjectHandle SubjectLayer::handle() const {
  SubjectHandle out{};
  std::copy_n(bytes.bytes().begin(), out.size(), out.begin());
  return out;
}

Result<SecretBytes> SubjectLayer::open(ByteView subject_key, std::string_view ctx) const {
  SecretBytes layer = bytes.clone();
  const auto frame =
      open_subject_layer(subject_key, ctx, as_bytes(nonce), as_bytes(ad), layer.mutable_bytes());
  if (!frame) return frame.error();
  return SecretBytes::copy_of(*frame);
}

Result<SubjectLayer> open_outer_layer(const ProtectionKey& key, std::string ad,
                                      std::string_view sealed) {
  if (sealed.size() <= kNonceSize + kSubjectOverhead + kTagSize) {
    return Error(ErrorKind::malformed);
  }
  auto xaes = Xaes256Gcm::create(key.key.bytes());
  if (!xaes) return xaes.error();
  SubjectLayer layer;
  layer.nonce = sealed.substr(0, kNonceSize);
  layer.ad = std::move(ad);
  layer.bytes = SecretBytes(sealed.size() - kNonceSize - kTagSize);
  if (!xaes->open(as_bytes(layer.nonce), as_bytes(layer.ad), as_bytes(sealed.substr(kNonceSize)),
                  layer.bytes.mutable_bytes())) {
    return Error(ErrorKind::malformed);
  }
  return layer;
}

}  // namespace paravent::crypto::vault
