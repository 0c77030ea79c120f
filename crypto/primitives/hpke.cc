#include "crypto/primitives/hpke.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "crypto/primitives/chacha20_poly1305.h"
#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/primitives/random.h"

namespace paravent::crypto {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kVersion = "HPKE-v1";
// The suite ids of RFC 9180 4.1 and 5.1: KEM 0x0020, KDF 0x0001, AEAD 0x0003.
constexpr std::string_view kKemSuite = "KEM\x00\x20"sv;
constexpr std::string_view kSuite = "HPKE\x00\x20\x00\x01\x00\x03"sv;

Sha256Digest labeled_extract(std::string_view suite, ByteView salt, std::string_view label,
                             ByteView input_key) noexcept {
  return HmacSha256(salt).mac({as_bytes(kVersion), as_bytes(suite), as_bytes(label), input_key});
}

// REQUIRES: out.size() <= 32, so that HKDF-Expand is one block.
void labeled_expand(std::string_view suite, const Sha256Digest& prk, std::string_view label,
                    ByteView info, MutableBytes out) noexcept {
  const std::array<std::uint8_t, 2> size = {0, static_cast<std::uint8_t>(out.size())};
  const std::array<std::uint8_t, 1> counter = {1};
  Sha256Digest block = HmacSha256(prk).mac(
      {size, as_bytes(kVersion), as_bytes(suite), as_bytes(label), info, counter});
  std::copy_n(block.begin(), out.size(), out.begin());
  wipe(block);
}

}  // namespace

HpkeContext::~HpkeContext() {
  wipe(key_);
  wipe(base_nonce_);
  wipe(exporter_secret_);
}

void HpkeContext::schedule(ByteView shared_point, ByteView enc, ByteView recipient_public_key,
                           ByteView info) noexcept {
  std::array<std::uint8_t, 2 * kX25519Size> kem_context{};
  std::copy(enc.begin(), enc.end(), kem_context.begin());
  std::copy(recipient_public_key.begin(), recipient_public_key.end(),
            kem_context.begin() + kX25519Size);
  Sha256Digest eae_prk = labeled_extract(kKemSuite, {}, "eae_prk", shared_point);
  Sha256Digest shared_secret{};
  labeled_expand(kKemSuite, eae_prk, "shared_secret", kem_context, shared_secret);

  std::array<std::uint8_t, 1 + 2 * kSha256Size> context{};  // mode 0 | psk_id_hash | info_hash
  const Sha256Digest psk_id_hash = labeled_extract(kSuite, {}, "psk_id_hash", {});
  const Sha256Digest info_hash = labeled_extract(kSuite, {}, "info_hash", info);
  std::copy(psk_id_hash.begin(), psk_id_hash.end(), context.begin() + 1);
  std::copy(info_hash.begin(), info_hash.end(), context.begin() + 1 + kSha256Size);
  Sha256Digest secret = labeled_extract(kSuite, shared_secret, "secret", {});
  labeled_expand(kSuite, secret, "key", context, key_);
  labeled_expand(kSuite, secret, "base_nonce", context, base_nonce_);
  labeled_expand(kSuite, secret, "exp", context, exporter_secret_);
  for (Sha256Digest* digest : {&eae_prk, &shared_secret, &secret}) wipe(*digest);
}

Result<HpkeContext> HpkeContext::sender(ByteView recipient_public_key, ByteView info,
                                        ByteView ephemeral_private_key, MutableBytes enc) {
  if (enc.size() != kHpkeEncapsulation) return Error(ErrorKind::usage);
  X25519PublicKey shared_point{};
  if (auto status = x25519(ephemeral_private_key, recipient_public_key, shared_point); !status) {
    return status.error();
  }
  const auto ephemeral_public_key = x25519_public_key(ephemeral_private_key);
  if (!ephemeral_public_key) {
    wipe(shared_point);
    return ephemeral_public_key.error();
  }
  std::copy(ephemeral_public_key->begin(), ephemeral_public_key->end(), enc.begin());
  HpkeContext context;
  context.schedule(shared_point, enc, recipient_public_key, info);
  wipe(shared_point);
  return context;
}

Result<HpkeContext> HpkeContext::receiver(ByteView recipient_private_key, ByteView enc,
                                          ByteView info) {
  X25519PublicKey shared_point{};
  if (auto status = x25519(recipient_private_key, enc, shared_point); !status) {
    return status.error();
  }
  const auto recipient_public_key = x25519_public_key(recipient_private_key);
  if (!recipient_public_key) {
    wipe(shared_point);
    return recipient_public_key.error();
  }
  HpkeContext context;
  context.schedule(shared_point, enc, *recipient_public_key, info);
  wipe(shared_point);
  return context;
}

HpkeContext::Nonce HpkeContext::nonce_of(std::uint64_t sequence) const noexcept {
  Nonce nonce = base_nonce_;
  for (std::size_t i = nonce.size(); sequence != 0; sequence >>= 8U) {
    --i;
    nonce[i] = static_cast<std::uint8_t>(nonce[i] ^ (sequence & 0xffU));
  }
  return nonce;
}

Status HpkeContext::seal(std::uint64_t sequence, ByteView aad, ByteView plaintext,
                         MutableBytes out) noexcept {
  return chacha20_poly1305_seal(key_, nonce_of(sequence), aad, plaintext, out);
}

Status HpkeContext::open(std::uint64_t sequence, ByteView aad, ByteView sealed,
                         MutableBytes plaintext) noexcept {
  return chacha20_poly1305_open(key_, nonce_of(sequence), aad, sealed, plaintext);
}

Status HpkeContext::export_secret(ByteView exporter_context, MutableBytes out) const {
  if (out.size() > kHkdfMaxOutput) return Error(ErrorKind::usage);
  std::string info;
  append_u16be(info, static_cast<std::uint16_t>(out.size()));
  info.append(kVersion).append(kSuite).append("sec");
  append_bytes(info, exporter_context);
  return hkdf_expand_sha256(exporter_secret_, as_bytes(info), out);
}

Status hpke_seal(ByteView recipient_public_key, ByteView info, ByteView aad, ByteView plaintext,
                 MutableBytes enc, MutableBytes sealed) {
  std::array<std::uint8_t, kX25519Size> ephemeral{};
  random_bytes(ephemeral);
  auto context = HpkeContext::sender(recipient_public_key, info, ephemeral, enc);
  wipe(ephemeral);
  if (!context) return context.error();
  return context->seal(0, aad, plaintext, sealed);
}

Status hpke_open(ByteView recipient_private_key, ByteView enc, ByteView info, ByteView aad,
                 ByteView sealed, MutableBytes plaintext) {
  auto context = HpkeContext::receiver(recipient_private_key, enc, info);
  if (!context) {
    wipe(plaintext);
    return Error(ErrorKind::malformed);
  }
  return context->open(0, aad, sealed, plaintext);
}

Result<SecretBytes> hpke_derive_private_key(ByteView input_key) {
  if (input_key.size() < kX25519Size) return Error(ErrorKind::usage);
  Sha256Digest prk = labeled_extract(kKemSuite, {}, "dkp_prk", input_key);
  SecretBytes private_key(kX25519Size);
  labeled_expand(kKemSuite, prk, "sk", {}, private_key.mutable_bytes());
  wipe(prk);
  return private_key;
}

}  // namespace paravent::crypto
