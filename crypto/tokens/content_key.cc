#include "crypto/tokens/content_key.h"

#include <cstring>
#include <utility>

#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/hpke.h"
#include "crypto/tokens/recipient_key.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kContentKeySize = Xaes256Gcm::kKeySize;
constexpr std::size_t kEphemeralSize = 32;

// A random key, and a second one for its nonces, wiped when they go.
struct Secrets {
  std::array<std::uint8_t, kContentKeySize> key;
  std::array<std::uint8_t, HedgedNonce::kKeySize> nonce_key;

  explicit Secrets(RandomSource& random) noexcept {
    random.fill(key);
    random.fill(nonce_key);
  }
  Secrets(const Secrets&) = delete;
  Secrets& operator=(const Secrets&) = delete;
  ~Secrets() {
    wipe(key);
    wipe(nonce_key);
  }
};

Status encapsulate(ByteView public_key, std::string_view info, ByteView content_key,
                   MutableBytes encapsulation) {
  return hpke_seal(public_key, as_bytes(info), {}, content_key, encapsulation.first(kEphemeralSize),
                   encapsulation.subspan(kEphemeralSize));
}

}  // namespace

Result<ContentKey> ContentKey::create(ByteView public_key) {
  if (public_key.size() != kRecipientKeySize) return Error(ErrorKind::usage);
  ContentKey made(public_key, content_key_info(public_key));
  // A key that nothing can be sealed to is found when the policy is loaded, not by the first
  // visitor.
  std::array<std::uint8_t, kEncapsulationSize> trial;
  constexpr std::array<std::uint8_t, kContentKeySize> kNothing{};
  if (!encapsulate(public_key, made.info_, kNothing, trial)) return Error(ErrorKind::usage);
  return made;
}

Status ContentKey::renew(RandomSource& random, MonotonicTime now) {
  held_.reset();
  const Secrets secrets(random);
  auto xaes = Xaes256Gcm::create(secrets.key);
  if (!xaes) return xaes.error();
  // The nonce is hedged as that of an encrypted value is, by a key that lives as long.
  auto nonce = HedgedNonce::create(secrets.nonce_key, as_bytes(info_));
  if (!nonce) return nonce.error();
  Held held{{}, std::move(*xaes), std::move(*nonce), now, 0};
  const Status status = encapsulate(public_key_, info_, secrets.key, held.encapsulation);
  if (status) held_.emplace(std::move(held));
  return status;
}

void ContentKey::erase_if_old(MonotonicTime now) noexcept {
  if (held_ && now - held_->made >= kLife) held_.reset();
}

Status ContentKey::seal(ByteView ad, MutableBytes payload, RandomSource& random,
                        MonotonicTime now) {
  erase_if_old(now);
  if (!held_ || held_->values == kMostValues) {
    if (Status status = renew(random, now); !status) return status;
  }
  ++held_->values;
  const MutableBytes nonce = payload.subspan(kEncapsulationSize, kNonceSize);
  const MutableBytes sealed = payload.subspan(kEncapsulationSize + kNonceSize);
  const MutableBytes frame = sealed.first(sealed.size() - kTagSize);
  if (Status status = held_->nonce.next(frame, random, nonce); !status) return status;
  // The hedge sees the frame but not the context: the key id, which is different in every context,
  // keeps the nonces of equal values apart even where random bytes repeat.
  constexpr std::size_t kKeyIdAt = 2;
  constexpr std::size_t kKeyIdSize = 4;
  for (std::size_t i = 0; i < kKeyIdSize; ++i) {
    std::uint8_t& byte = nonce[kNonceSize - kKeyIdSize + i];
    byte = static_cast<std::uint8_t>(byte ^ ad[kKeyIdAt + i]);
  }
  std::memcpy(payload.data(), held_->encapsulation.data(), kEncapsulationSize);
  return held_->xaes.seal(nonce, ad, frame, sealed);
}

}  // namespace paravent::crypto
