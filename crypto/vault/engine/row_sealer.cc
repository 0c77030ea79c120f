#include "crypto/vault/engine/row_sealer.h"

#include <utility>

#include "crypto/tokens/frame.h"

namespace paravent::crypto::vault {

Result<Xaes256Gcm*> RowSealer::cipher(const ProtectionKey& key) {
  auto it = ciphers_.find(key.key_id);
  if (it == ciphers_.end()) {
    auto made = Xaes256Gcm::create(key.key.bytes());
    if (!made) return made.error();
    it = ciphers_.emplace(key.key_id, std::move(*made)).first;
  }
  return &it->second;
}

Result<std::string> RowSealer::seal(const TokenRow& row, const Id& id, const ProtectionKey& key,
                                    std::string_view value) {
  auto xaes = cipher(key);
  if (!xaes) return xaes.error();
  frame_.resize(bucket_for(row.kind, value.size()));
  const MutableBytes frame(reinterpret_cast<std::uint8_t*>(frame_.data()), frame_.size());
  build_frame(row.kind, value, frame);

  std::string out = encode_clear_part(row);
  const std::string ad = row_ad(key.ctx, id, out);
  const std::size_t nonce_at = out.size();
  out.resize(nonce_at + kNonceSize + frame.size() + kTagSize);
  const MutableBytes tail =
      MutableBytes(reinterpret_cast<std::uint8_t*>(out.data()), out.size()).subspan(nonce_at);
  random_.fill(tail.first(kNonceSize));
  const Status sealed =
      (*xaes)->seal(tail.first(kNonceSize), as_bytes(ad), frame, tail.subspan(kNonceSize));
  wipe(frame);
  if (!sealed) return sealed.error();
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
