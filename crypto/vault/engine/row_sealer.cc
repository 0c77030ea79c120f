#include "crypto/vault/engine/row_sealer.h"

#include <utility>

#include "crypto/tokens/frame.h"

namespace paravent::crypto::vault {

Result<RowSealer::Cipher*> RowSealer::cipher(const ProtectionKey& key) {
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

Result<std::string> RowSealer::seal(const TokenRow& row, const Id& id, const ProtectionKey& key,
                                    std::string_view value) {
  auto with = cipher(key);
  if (!with) return with.error();
  std::string out = encode_clear_part(row);
  const std::size_t nonce_at = out.size();
  const std::size_t frame_size = bucket_for(row.kind, value.size());
  scratch_.assign(id_text(id));
  scratch_.append(out);
  scratch_.resize(scratch_.size() + frame_size);
  const MutableBytes all(reinterpret_cast<std::uint8_t*>(scratch_.data()), scratch_.size());
  const MutableBytes frame = all.last(frame_size);
  build_frame(row.kind, value, frame);

  const std::string ad = row_ad(key.ctx, id, out);
  out.resize(nonce_at + kNonceSize + frame_size + kTagSize);
  const MutableBytes tail =
      MutableBytes(reinterpret_cast<std::uint8_t*>(out.data()), out.size()).subspan(nonce_at);
  const MutableBytes nonce = tail.first(kNonceSize);
  Status status = (*with)->nonce.next(all, random_, nonce);
  if (status) {
    status = (*with)->xaes.seal(nonce, as_bytes(ad), frame, tail.subspan(kNonceSize));
  }
  wipe(all);
  if (!status) return status.error();
  return out;
}

Result<SecretBytes> open_row(const TokenRowView& view, const Id& id, const ProtectionKey& key) {
  auto xaes = Xaes256Gcm::create(key.key.bytes());
  if (!xaes) return xaes.error();
  SecretBytes frame(view.sealed.size() - kTagSize);
  const std::string ad = row_ad(key.ctx, id, as_text(view.clear));
  if (!xaes->open(view.nonce, as_bytes(ad), view.sealed, frame.mutable_bytes())) {
    return Error(ErrorKind::malformed);
  }
  const auto parsed = parse_frame(frame.bytes());
  if (!parsed || parsed->kind != view.row.kind) return Error(ErrorKind::malformed);
  return SecretBytes::copy_of(parsed->value);
}

}  // namespace paravent::crypto::vault
