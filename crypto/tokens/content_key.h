// ContentKey: the key that the sealed values of one recipient share for a moment, so that one
// X25519 operation serves many fields (constructions 4.6). Random; encapsulated to the recipient
// once; used for at most one second and 2^16 values; then erased, and nobody here can open what it
// sealed.
//
// The owner thread is that of the protector. Renewal draws from the random source, costs about as
// much as a whole request, and takes memory from C libraries; between renewals nothing allocates.
// It is erased when the next value comes, or when erase_if_old is called: whoever owns a worker's
// timer calls that every second or so.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/base/coarse_clock.h"
#include "crypto/base/result.h"
#include "crypto/primitives/hedged_nonce.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/xaes_gcm.h"
#include "crypto/tokens/token_format.h"

namespace paravent::crypto {

class ContentKey {
 public:
  // One second at most, by a clock that may be a tick behind.
  static constexpr std::chrono::milliseconds kLife = std::chrono::seconds(1) - CoarseClock::kTick;
  static constexpr std::uint32_t kMostValues = std::uint32_t{1} << 16U;

  // public_key: raw X25519. ErrorKind::usage: another size, or a point that no secret can be shared
  // with.
  static Result<ContentKey> create(ByteView public_key);

  ByteView public_key() const noexcept { return public_key_; }

  // payload = encapsulation (80) | nonce (24) | ciphertext of the frame, which lies at its place |
  // tag (16). `ad` is header | ctx, and its key id makes nonces of two contexts differ.
  Status seal(ByteView ad, MutableBytes payload, RandomSource& random, MonotonicTime now);

  void erase_if_old(MonotonicTime now) noexcept;

 private:
  struct Held {
    std::array<std::uint8_t, kEncapsulationSize> encapsulation;
    Xaes256Gcm xaes;
    HedgedNonce nonce;
    MonotonicTime made;
    std::uint32_t values = 0;
  };

  ContentKey(ByteView public_key, std::string info)
      : public_key_(public_key.begin(), public_key.end()), info_(std::move(info)) {}

  Status renew(RandomSource& random, MonotonicTime now);

  Bytes public_key_;
  std::string info_;
  std::optional<Held> held_;
};

}  // namespace paravent::crypto
