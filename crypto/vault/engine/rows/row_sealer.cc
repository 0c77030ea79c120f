#include "crypto/vault/engine/rows/row_sealer.h"

#include <algorithm>
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
                                    std::string_view value, const ScopeId& relationship) {
  auto with = cipher(key);
  if (!with) return with.error();
  std::string out = encode_clear_part(row);
  const std::size_t nonce_at = out.size();
  const std::size_t prefix_size = row.in_relationship ? relationship.size() : 0;
  const std::size_t frame_size = bucket_for(row.kind, prefix_size + value.size());
  scratch_.assign(id_text(id));
  scratch_.append(out);
  // Behind the frame, what goes into it, where the two are not one piece.
  const std::size_t inner_size = prefix_size == 0 ? 0 : prefix_size + value.size();
  const std::size_t hedged = scratch_.size() + frame_size;
  scratch_.resize(hedged + inner_size);
  const MutableBytes all(reinterpret_cast<std::uint8_t*>(scratch_.data()), scratch_.size());
  const MutableBytes frame = all.subspan(hedged - frame_size, frame_size);
  std::string_view inner = value;
  if (inner_size != 0) {
    const MutableBytes joined = all.subspan(hedged);
    std::copy(relationship.begin(), relationship.end(), joined.begin());
    std::ranges::copy(as_bytes(value), joined.subspan(prefix_size).begin());
    inner = as_text(joined);
  }
  build_frame(row.kind, inner, frame);

  const std::string ad = row_ad(key.ctx, id, out);
  out.resize(nonce_at + kNonceSize + frame_size + kTagSize);
  const MutableBytes tail =
      MutableBytes(reinterpret_cast<std::uint8_t*>(out.data()), out.size()).subspan(nonce_at);
  const MutableBytes nonce = tail.first(kNonceSize);
  Status status = (*with)->nonce.next(all.first(hedged), random_, nonce);
  if (status) {
    status = (*with)->xaes.seal(nonce, as_bytes(ad), frame, tail.subspan(kNonceSize));
  }
  wipe(all);
  if (!status) return status.error();
  return out;
}

Result<RowContent> open_row_content(const TokenRowView& view, const Id& id,
                                    const ProtectionKey& key) {
  auto xaes = Xaes256Gcm::create(key.key.bytes());
  if (!xaes) return xaes.error();
  SecretBytes frame(view.sealed.size() - kTagSize);
  const std::string ad = row_ad(key.ctx, id, as_text(view.clear));
  if (!xaes->open(view.nonce, as_bytes(ad), view.sealed, frame.mutable_bytes())) {
    return Error(ErrorKind::malformed);
  }
  const auto parsed = parse_frame(frame.bytes());
  if (!parsed || parsed->kind != view.row.kind) return Error(ErrorKind::malformed);
  RowContent content;
  std::string_view value = parsed->value;
  if (view.row.in_relationship) {
    if (value.size() <= content.relationship.size()) return Error(ErrorKind::malformed);
    std::copy_n(as_bytes(value).begin(), content.relationship.size(), content.relationship.begin());
    value.remove_prefix(content.relationship.size());
  }
  content.value = SecretBytes::copy_of(value);
  return content;
}

Result<SecretBytes> open_row(const TokenRowView& view, const Id& id, const ProtectionKey& key) {
  auto content = open_row_content(view, id, key);
  if (!content) return content.error();
  return std::move(content->value);
}

}  // namespace paravent::crypto::vault
