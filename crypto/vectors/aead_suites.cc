// Wycheproof's AEADs with a nonce: AES-GCM, ChaCha20-Poly1305, XChaCha20-Poly1305 and AES-SIV in
// its nonce-based form.

#include <array>

#include "crypto/primitives/aes_gcm.h"
#include "crypto/primitives/aes_siv_general.h"
#include "crypto/primitives/chacha20_poly1305.h"
#include "crypto/primitives/xchacha20_poly1305.h"
#include "crypto/vectors/suites.h"
#include "crypto/vectors/wycheproof_case.h"

namespace paravent::crypto {
namespace {

using Seal = Status (*)(ByteView key, ByteView nonce, ByteView ad, ByteView in, MutableBytes out);

struct Aead {
  Seal seal;
  Seal open;
  bool tag_first;         // where the primitive puts the tag; the files keep it apart
  std::size_t max_nonce;  // longer ones are skipped
};

constexpr std::size_t kTagSize = 16;
constexpr std::size_t kAnyNonce = ~std::size_t{0};

Bytes joined(ByteView first, ByteView second) {
  Bytes both(first.begin(), first.end());
  both.insert(both.end(), second.begin(), second.end());
  return both;
}

void run_case(const Aead& aead, WycheproofCase& c, VectorReport& report) {
  const Bytes key = c.fields.hex("key");
  const Bytes nonce = c.fields.hex("iv");
  const Bytes ad = c.fields.hex("aad");
  const Bytes message = c.fields.hex("msg");
  const Bytes ciphertext = c.fields.hex("ct");
  const Bytes tag = c.fields.hex("tag");
  if (!c.fields.complete()) return report.check(c.id, false, kIncompleteCase);
  if (nonce.size() > aead.max_nonce) {
    return report.skip(c.id, "a nonce of " + std::to_string(nonce.size()) +
                                 " bytes is longer than the library takes");
  }
  if (c.valid && !tag.empty() && tag.size() < kTagSize) {
    return report.skip(c.id, "tags shorter than 128 bits are not offered");
  }
  const Bytes sealed = aead.tag_first ? joined(tag, ciphertext) : joined(ciphertext, tag);
  Bytes made(message.size() + kTagSize);
  Bytes opened(sealed.size() < kTagSize ? 0 : sealed.size() - kTagSize);
  const bool sealed_ok = aead.seal(key, nonce, ad, message, made).has_value();
  const bool opened_ok = aead.open(key, nonce, ad, sealed, opened).has_value();
  check_aead(c, report, sealed_ok && made == sealed, opened_ok && (!c.valid || opened == message));
}

void run_all(const Aead& aead, const boost::json::value& document, VectorReport& report) {
  for_each_case(document, report, [&](WycheproofCase& c) { run_case(aead, c, report); });
}

// RFC 5297 3: the nonce is the last string before the plaintext.
Status siv_seal(ByteView key, ByteView nonce, ByteView ad, ByteView in, MutableBytes out) {
  return aes_siv_seal(key, std::array{ad, nonce}, in, out);
}

Status siv_open(ByteView key, ByteView nonce, ByteView ad, ByteView in, MutableBytes out) {
  return aes_siv_open(key, std::array{ad, nonce}, in, out);
}

}  // namespace

void run_aes_gcm(const boost::json::value& document, VectorReport& report) {
  run_all({aes_gcm_seal, aes_gcm_open, false, kAesGcmMaxNonce}, document, report);
}

void run_chacha(const boost::json::value& document, VectorReport& report) {
  run_all({chacha20_poly1305_seal, chacha20_poly1305_open, false, kAnyNonce}, document, report);
}

void run_xchacha(const boost::json::value& document, VectorReport& report) {
  run_all({xchacha20_poly1305_seal, xchacha20_poly1305_open, false, kAnyNonce}, document, report);
}

void run_aead_aes_siv(const boost::json::value& document, VectorReport& report) {
  run_all({siv_seal, siv_open, true, kAnyNonce}, document, report);
}

}  // namespace paravent::crypto
