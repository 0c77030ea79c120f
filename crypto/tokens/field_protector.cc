#include "crypto/tokens/field_protector.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <variant>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/primitives/aes_siv.h"
#include "crypto/primitives/hedged_nonce.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/xaes_gcm.h"
#include "crypto/tokens/frame.h"
#include "crypto/tokens/token_format.h"
#include "crypto/tokens/token_header.h"
#include "crypto/tokens/token_text.h"

namespace paravent::crypto {
namespace {

// Held ready for the next value; a larger one gives its memory back afterwards.
constexpr std::size_t kKeptBuffer = 16384;

struct DerivedSlot {
  TokenHeader header;
  AesSiv256 siv;
};

struct PseudonymSlot {
  TokenHeader header;
  HmacSha256 mac;  // with LP(ctx) already hashed
};

struct EncryptedSlot {
  std::string ad;  // header | ctx
  Xaes256Gcm xaes;
  HedgedNonce nonce;
};

using SlotKind = std::variant<std::monostate, DerivedSlot, PseudonymSlot, EncryptedSlot>;

Result<SlotKind> make_derived(const ProtectionKey& key) {
  auto siv = AesSiv256::create(key.key.bytes());
  if (!siv) return siv.error();
  const std::string ad = token_ad(key.key_id, key.algorithm, key.ctx);
  if (Status status = siv->set_ad(as_bytes(ad)); !status) return status.error();
  return SlotKind(DerivedSlot{token_header(key.key_id, key.algorithm), std::move(*siv)});
}

Result<SlotKind> make_pseudonym(const ProtectionKey& key) {
  constexpr std::size_t kPseudonymKeySize = 32;
  if (key.key.size() != kPseudonymKeySize) return Error(ErrorKind::usage);
  std::string prefix;
  append_lp(prefix, key.ctx);
  return SlotKind(PseudonymSlot{token_header(key.key_id, key.algorithm),
                                HmacSha256(key.key.bytes()).with_prefix(as_bytes(prefix))});
}

Result<SlotKind> make_encrypted(const ProtectionKey& key) {
  auto xaes = Xaes256Gcm::create(key.key.bytes());
  if (!xaes) return xaes.error();
  auto nonce = HedgedNonce::create(key.nonce_key.bytes(), as_bytes(key.ctx));
  if (!nonce) return nonce.error();
  return SlotKind(EncryptedSlot{token_ad(key.key_id, key.algorithm, key.ctx), std::move(*xaes),
                                std::move(*nonce)});
}

Result<SlotKind> make_slot(const ProtectionKey& key) {
  constexpr std::size_t kMaxContext = 65535;  // LP; real ones are around 120 bytes
  if (key.algorithm == Algorithm::vault_token) return SlotKind();
  if (key.ctx.empty() || key.ctx.size() > kMaxContext) return Error(ErrorKind::usage);
  switch (key.algorithm) {
    case Algorithm::derived:
      return make_derived(key);
    case Algorithm::pseudonym:
      return make_pseudonym(key);
    case Algorithm::encrypted:
      return make_encrypted(key);
    default:
      return Error(ErrorKind::usage);
  }
}

}  // namespace

struct FieldProtector::Slot {
  SlotKind kind;
};

struct FieldProtector::State {
  Status protect(DerivedSlot& slot, Kind kind, std::string_view value, std::string& out);
  Status protect(PseudonymSlot& slot, Kind kind, std::string_view value, std::string& out);
  Status protect(EncryptedSlot& slot, Kind kind, std::string_view value, std::string& out);
  Status protect(std::monostate&, Kind, std::string_view, std::string&) { std::abort(); }

  std::vector<Slot> slots;
  std::unique_ptr<RandomSource> random;
  // Frames are encrypted where they lie, so that no clear byte outlives its call; a failure wipes.
  Bytes buffer;
};

Status FieldProtector::State::protect(DerivedSlot& slot, Kind kind, std::string_view value,
                                      std::string& out) {
  if (value.size() > kMaxDerivedValue) return Error(ErrorKind::malformed);
  const std::size_t bucket = bucket_for(kind, value.size());
  if (bucket > kMaxDerivedBucket) return Error(ErrorKind::malformed);
  std::array<std::uint8_t, kTokenHeaderSize + kSivSize + kMaxDerivedBucket> memory;
  const MutableBytes body = MutableBytes(memory).first(kTokenHeaderSize + kSivSize + bucket);
  std::memcpy(body.data(), slot.header.data(), kTokenHeaderSize);
  const MutableBytes sealed = body.subspan(kTokenHeaderSize);
  const MutableBytes frame = sealed.subspan(kSivSize);
  build_frame(kind, value, frame);
  const Status status = slot.siv.seal(frame, sealed);
  if (!status) {
    wipe(frame);
    return status;
  }
  write_short_token(TokenClass::derived, body, out);
  return status;
}

Status FieldProtector::State::protect(PseudonymSlot& slot, Kind, std::string_view value,
                                      std::string& out) {
  if (value.size() > kMaxPseudonymValue) return Error(ErrorKind::malformed);
  const std::array<std::uint8_t, 2> length = {static_cast<std::uint8_t>(value.size() >> 8U),
                                              static_cast<std::uint8_t>(value.size())};
  const Sha256Digest digest = slot.mac.mac(length, as_bytes(value));
  std::array<std::uint8_t, kTokenHeaderSize + kPseudonymSize> body;
  std::memcpy(body.data(), slot.header.data(), kTokenHeaderSize);
  std::memcpy(body.data() + kTokenHeaderSize, digest.data(), kPseudonymSize);
  write_short_token(TokenClass::pseudonym, body, out);
  return {};
}

Status FieldProtector::State::protect(EncryptedSlot& slot, Kind kind, std::string_view value,
                                      std::string& out) {
  if (value.size() > kMaxEncryptedValue) return Error(ErrorKind::malformed);
  const std::size_t bucket = bucket_for(kind, value.size());
  const std::size_t size = kTokenHeaderSize + kNonceSize + bucket + kTagSize + kCrcSize;
  if (buffer.size() < size) buffer.resize(size);
  const MutableBytes body = MutableBytes(buffer).first(size);
  std::memcpy(body.data(), slot.ad.data(), kTokenHeaderSize);
  const MutableBytes nonce = body.subspan(kTokenHeaderSize, kNonceSize);
  const MutableBytes sealed = body.subspan(kTokenHeaderSize + kNonceSize, bucket + kTagSize);
  const MutableBytes frame = sealed.first(bucket);
  build_frame(kind, value, frame);
  Status status = slot.nonce.next(frame, *random, nonce);
  if (status) status = slot.xaes.seal(nonce, as_bytes(slot.ad), frame, sealed);
  if (status) {
    write_long_token(TokenClass::encrypted, body, out);
  } else {
    wipe(frame);
  }
  if (buffer.size() > kKeptBuffer) Bytes(kKeptBuffer).swap(buffer);
  return status;
}

Result<std::unique_ptr<FieldProtector>> FieldProtector::create(
    std::span<const ProtectionKey> slots) {
  return create(slots, std::make_unique<RandomBuffer>());
}

Result<std::unique_ptr<FieldProtector>> FieldProtector::create(
    std::span<const ProtectionKey> slots, std::unique_ptr<RandomSource> random) {
  auto state = std::make_unique<State>();
  state->random = std::move(random);
  state->buffer.resize(kKeptBuffer);
  state->slots.reserve(slots.size());
  for (const ProtectionKey& key : slots) {
    auto slot = make_slot(key);
    if (!slot) return slot.error();
    state->slots.push_back(Slot{std::move(*slot)});
  }
  return std::unique_ptr<FieldProtector>(new FieldProtector(std::move(state)));
}

FieldProtector::FieldProtector(std::unique_ptr<State> state) : state_(std::move(state)) {}
FieldProtector::~FieldProtector() = default;

Status FieldProtector::protect(std::uint32_t slot, Kind kind, std::string_view value,
                               std::string& out) {
  if (slot >= state_->slots.size()) std::abort();
  if (value.empty()) return Error(ErrorKind::malformed);
  return std::visit([&](auto& held) { return state_->protect(held, kind, value, out); },
                    state_->slots[slot].kind);
}

}  // namespace paravent::crypto
