// The vectors of RFC 9180: a list of set-ups, each with messages and exported secrets. Base mode of
// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305 runs; other suites are skipped by
// their numbers.

#include <boost/json/array.hpp>
#include <string>

#include "crypto/primitives/hpke.h"
#include "crypto/vectors/suites.h"
#include "crypto/vectors/vector_case.h"
#include "crypto/vectors/wycheproof_case.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kMaxExport = 255 * 32;

// A message's number is told by its nonce: base_nonce xor sequence.
std::uint64_t sequence_of(ByteView base_nonce, ByteView nonce) {
  std::uint64_t sequence = 0;
  for (std::size_t i = 0; i < nonce.size(); ++i) {
    sequence = (sequence << 8U) | static_cast<std::uint8_t>(base_nonce[i] ^ nonce[i]);
  }
  return sequence;
}

void run_message(const std::string& id, const boost::json::value& entry, ByteView base_nonce,
                 HpkeContext& sender, HpkeContext& receiver, VectorReport& report) {
  VectorCase fields(entry);
  const Bytes ad = fields.hex("aad");
  const Bytes message = fields.hex("pt");
  const Bytes nonce = fields.hex("nonce");
  const Bytes sealed = fields.hex("ct");
  if (!fields.complete() || nonce.size() != base_nonce.size() ||
      sealed.size() != message.size() + kHpkeTagSize) {
    return report.check(id, false, kIncompleteCase);
  }
  const std::uint64_t sequence = sequence_of(base_nonce, nonce);
  Bytes made(sealed.size());
  Bytes opened(message.size());
  const bool right = sender.seal(sequence, ad, message, made) && made == sealed &&
                     receiver.open(sequence, ad, sealed, opened) && opened == message;
  report.check(id, right, "the ciphertext differs, or does not open");
}

void run_export(const std::string& id, const boost::json::value& entry, const HpkeContext& sender,
                const HpkeContext& receiver, VectorReport& report) {
  VectorCase fields(entry);
  const Bytes context = fields.hex("exporter_context");
  const Bytes expected = fields.hex("exported_value");
  if (!fields.complete() || expected.empty() || expected.size() > kMaxExport) {
    return report.check(id, false, kIncompleteCase);
  }
  Bytes sent(expected.size());
  Bytes received(expected.size());
  report.check(id,
               sender.export_secret(context, sent) && sent == expected &&
                   receiver.export_secret(context, received) && received == expected,
               "the exported secret differs");
}

bool derives(ByteView input_key, ByteView private_key, ByteView public_key) {
  const auto derived = hpke_derive_private_key(input_key);
  if (!derived || !equal(derived->bytes(), private_key)) return false;
  const auto made = x25519_public_key(private_key);
  return made && equal(*made, public_key);
}

void run_setup(const std::string& id, const boost::json::value& entry, VectorReport& report) {
  VectorCase fields(entry);
  const Bytes info = fields.hex("info");
  const Bytes ephemeral = fields.hex("skEm");
  const Bytes recipient_private = fields.hex("skRm");
  const Bytes recipient_public = fields.hex("pkRm");
  const Bytes enc = fields.hex("enc");
  const Bytes base_nonce = fields.hex("base_nonce");
  const Bytes ephemeral_input = fields.hex("ikmE");
  const Bytes recipient_input = fields.hex("ikmR");
  if (!fields.complete()) return report.check(id, false, kIncompleteCase);
  report.check(id + ", key pairs",
               derives(ephemeral_input, ephemeral, enc) &&
                   derives(recipient_input, recipient_private, recipient_public),
               "a derived key pair differs");
  X25519PublicKey made_enc{};
  auto sender = HpkeContext::sender(recipient_public, info, ephemeral, made_enc);
  auto receiver = HpkeContext::receiver(recipient_private, enc, info);
  const bool set_up = sender && receiver && equal(made_enc, enc);
  report.check(id + ", encapsulation", set_up, "the encapsulated key differs or is refused");
  if (!set_up) return;
  std::size_t number = 0;
  for (const auto& message : array_member(entry, "encryptions")) {
    run_message(id + ", message " + std::to_string(++number), message, base_nonce, *sender,
                *receiver, report);
  }
  number = 0;
  for (const auto& exported : array_member(entry, "exports")) {
    run_export(id + ", export " + std::to_string(++number), exported, *sender, *receiver, report);
  }
}

}  // namespace

bool is_hpke(const boost::json::value& document) {
  const auto* list = document.if_array();
  if (list == nullptr || list->empty()) return false;
  const auto* first = list->front().if_object();
  return first != nullptr && first->contains("kem_id") && first->contains("encryptions");
}

void run_hpke(const boost::json::value& document, VectorReport& report) {
  std::size_t number = 0;
  for (const auto& entry : document.get_array()) {
    const std::string id = "set-up " + std::to_string(++number);
    VectorCase fields(entry);
    const std::uint64_t mode = fields.number("mode");
    const std::uint64_t kem = fields.number("kem_id");
    const std::uint64_t kdf = fields.number("kdf_id");
    const std::uint64_t aead = fields.number("aead_id");
    if (!fields.complete()) {
      report.check(id, false, kIncompleteCase);
    } else if (mode != 0 || kem != 0x20 || kdf != 1 || aead != 3) {
      report.skip(id, "HPKE mode " + std::to_string(mode) + " with KEM " + std::to_string(kem) +
                          ", KDF " + std::to_string(kdf) + ", AEAD " + std::to_string(aead) +
                          " is not offered, only base mode 0 with 32, 1, 3");
    } else {
      run_setup(id, entry, report);
    }
  }
}

}  // namespace paravent::crypto
