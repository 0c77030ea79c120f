#include "crypto/tokens/subject_layer.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "crypto/base/out_of_memory.h"
#include "crypto/keys/key_use.h"
#include "crypto/primitives/xchacha20_poly1305.h"

namespace paravent::crypto {
namespace {

std::string layer_ad(ByteView handle, ByteView outer_ad) {
  std::string ad;
  ad.reserve(handle.size() + outer_ad.size());
  append_bytes(ad, handle);
  append_bytes(ad, outer_ad);
  return ad;
}

class LayerKey {
 public:
  LayerKey(ByteView subject_key, std::string_view ctx) {
    derive_use_key(subject_key, KeyUse::enc_subject, ctx, key_);
  }
  ~LayerKey() { wipe(key_); }
  LayerKey(const LayerKey&) = delete;
  LayerKey& operator=(const LayerKey&) = delete;
  ByteView bytes() const noexcept { return key_; }

 private:
  std::array<std::uint8_t, kXchachaKeySize> key_{};
};

}  // namespace

void seal_subject_layer(const SubjectSeal& subject, std::string_view ctx, ByteView nonce,
                        ByteView outer_ad, MutableBytes layer) {
  if (layer.size() <= kSubjectOverhead) std::abort();
  std::copy(subject.handle.begin(), subject.handle.end(), layer.begin());
  const LayerKey key(subject.key.bytes(), ctx);
  const MutableBytes sealed = layer.subspan(kSubjectHandleSize);
  const ByteView frame = sealed.first(sealed.size() - kTagSize);
  std::string ad;
  if (!with_memory([&] { ad = layer_ad(subject.handle, outer_ad); })) {
    wipe(layer);
    throw std::bad_alloc();
  }
  if (!xchacha20_poly1305_seal(key.bytes(), nonce, as_bytes(ad), frame, sealed)) {
    std::abort();  // only sizes can be wrong, and they are constants
  }
}

Result<ByteView> open_subject_layer(ByteView subject_key, std::string_view ctx, ByteView nonce,
                                    ByteView outer_ad, MutableBytes layer) {
  if (layer.size() <= kSubjectOverhead) std::abort();
  const ByteView handle = layer.first(kSubjectHandleSize);
  const LayerKey key(subject_key, ctx);
  const MutableBytes sealed = layer.subspan(kSubjectHandleSize);
  const MutableBytes frame = sealed.first(sealed.size() - kTagSize);
  if (!xchacha20_poly1305_open(key.bytes(), nonce, as_bytes(layer_ad(handle, outer_ad)), sealed,
                               frame)) {
    wipe(layer);
    return Error(ErrorKind::malformed);
  }
  return ByteView(frame);
}

}  // namespace paravent::crypto
