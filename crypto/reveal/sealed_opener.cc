#include "crypto/reveal/sealed_opener.h"

#include <string>

#include "crypto/base/bytes.h"
#include "crypto/primitives/hpke.h"
#include "crypto/primitives/xaes_gcm.h"
#include "crypto/tokens/frame.h"
#include "crypto/tokens/recipient_key.h"
#include "crypto/tokens/token_format.h"
#include "crypto/tokens/token_header.h"

namespace paravent::crypto::reveal {
namespace {

constexpr std::size_t kEphemeralSize = 32;

Error unavailable() noexcept { return Error(ErrorKind::refused); }

// The frame of an amortised value: first its content key, then the value.
Result<SecretBytes> open_amortised(const SecretBytes& private_key, ByteView public_key,
                                   std::string_view ad, ByteView payload) {
  if (payload.size() <= kEncapsulationSize + kNonceSize + kTagSize) return unavailable();
  SecretBytes content_key(Xaes256Gcm::kKeySize);
  if (!hpke_open(private_key.bytes(), payload.first(kEphemeralSize),
                 as_bytes(content_key_info(public_key)), {},
                 payload.subspan(kEphemeralSize, kEncapsulationSize - kEphemeralSize),
                 content_key.mutable_bytes())) {
    return unavailable();
  }
  auto xaes = Xaes256Gcm::create(content_key.bytes());
  if (!xaes) return unavailable();
  const ByteView sealed = payload.subspan(kEncapsulationSize + kNonceSize);
  SecretBytes frame(sealed.size() - kTagSize);
  if (!xaes->open(payload.subspan(kEncapsulationSize, kNonceSize), as_bytes(ad), sealed,
                  frame.mutable_bytes())) {
    return unavailable();
  }
  return frame;
}

Result<SecretBytes> open_single(const SecretBytes& private_key, std::string_view ctx,
                                ByteView header, ByteView payload) {
  if (payload.size() <= kSingleEncapsulationSize + kTagSize) return unavailable();
  const ByteView sealed = payload.subspan(kSingleEncapsulationSize);
  SecretBytes frame(sealed.size() - kTagSize);
  if (!hpke_open(private_key.bytes(), payload.first(kSingleEncapsulationSize),
                 as_bytes(sealed_value_info(ctx)), header, sealed, frame.mutable_bytes())) {
    return unavailable();
  }
  return frame;
}

}  // namespace

Result<SecretBytes> open_sealed(const SecretBytes& private_key, std::string_view ctx,
                                const ParsedToken& token) {
  const auto public_key = x25519_public_key(private_key.bytes());
  if (!public_key) return unavailable();
  const ByteView payload(token.payload);
  Result<SecretBytes> frame = unavailable();
  if (token.algorithm == Algorithm::sealed) {
    frame = open_amortised(private_key, *public_key, token_ad(token.key_id, token.algorithm, ctx),
                           payload);
  } else if (token.algorithm == Algorithm::sealed_single) {
    frame = open_single(private_key, ctx, token_header(token.key_id, token.algorithm), payload);
  }
  if (!frame) return unavailable();
  const auto parsed = parse_frame(frame->bytes());
  if (!parsed) return unavailable();
  return SecretBytes::copy_of(parsed->value);
}

}  // namespace paravent::crypto::reveal
