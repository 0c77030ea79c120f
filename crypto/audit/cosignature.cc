#include "crypto/audit/cosignature.h"

#include <algorithm>
#include <optional>

#include "crypto/base/encoding.h"
#include "crypto/primitives/sha256.h"

namespace paravent::crypto::audit {
namespace {

constexpr std::uint8_t kCosignatureType = 0x04;
constexpr std::size_t kTimeSize = 8;
constexpr std::uint64_t kMaxSeconds = ~std::uint64_t{0} >> 1U;

std::string signed_message(std::string_view text, std::uint64_t seconds) {
  return "cosignature/v1\ntime " + std::to_string(seconds) + "\n" + std::string(text);
}

bool is_by(const NoteSignature& signature, const WitnessKey& witness) {
  return signature.name == witness.name && signature.key_id == witness.id();
}

// The time; ErrorKind::verification.
Result<std::uint64_t> check(const NoteSignature& signature, std::string_view text,
                            const WitnessKey& witness) {
  const Error wrong(ErrorKind::verification, "The co-signature of " + witness.name + " is wrong.");
  if (signature.signature.size() != kTimeSize + kEd25519SignatureSize) return wrong;
  const std::uint8_t* const p = signature.signature.data();
  const std::uint64_t seconds =
      std::uint64_t{load_u32be(p)} << 32U | std::uint64_t{load_u32be(p + 4)};
  if (seconds > kMaxSeconds) return wrong;
  const std::string message = signed_message(text, seconds);
  const ByteView bytes = ByteView(signature.signature).subspan(kTimeSize);
  if (!ed25519_verify(witness.public_key, as_bytes(message), bytes)) return wrong;
  return seconds;
}

}  // namespace

NoteKeyId WitnessKey::id() const { return note_key_id(name, kCosignatureType, public_key); }

std::string WitnessKey::text() const { return note_key_text(name, kCosignatureType, public_key); }

Result<WitnessKey> parse_witness_key(std::string_view text) {
  const auto key = parse_key_text(text, kCosignatureType);
  if (!key) {
    return Error(ErrorKind::malformed,
                 "This is not the key of a witness (NAME+ID+KEY, Ed25519 co-signatures).");
  }
  return WitnessKey{key->name, key->public_key};
}

Result<std::uint64_t> verify_cosignature(const SignedNote& note, const WitnessKey& witness) {
  std::optional<std::uint64_t> latest;
  for (const NoteSignature& signature : note.signatures) {
    if (!is_by(signature, witness)) continue;
    const Result<std::uint64_t> seconds = check(signature, note.text, witness);
    if (!seconds) return seconds.error();
    latest = std::max(latest.value_or(0), *seconds);
  }
  if (!latest) {
    return Error(ErrorKind::verification, "It is not co-signed by " + witness.name + ".");
  }
  return *latest;
}

std::string cosign(std::string_view text, std::string_view name, const Ed25519Signer& signer,
                   std::uint64_t seconds) {
  const std::string message = signed_message(text, seconds);
  const Ed25519Signature signature = signer.sign(as_bytes(message));
  std::string blob;
  append_bytes(blob, WitnessKey{std::string(name), signer.public_key()}.id());
  append_u64be(blob, seconds);
  append_bytes(blob, signature);
  return signature_line(name, as_bytes(blob));
}

std::string take_cosignatures(std::string_view checkpoint, std::string_view answer,
                              const std::vector<WitnessKey>& witnesses) {
  const Result<SignedNote> own = parse_signed_note(checkpoint);
  // The answer is signature lines alone; behind the text they are a note.
  const Result<SignedNote> note =
      own ? parse_signed_note(own->text + "\n" + std::string(answer)) : Result<SignedNote>(own);
  std::string lines;
  if (!note || note->text != own->text) return lines;
  for (const NoteSignature& signature : note->signatures) {
    const auto witness = std::find_if(witnesses.begin(), witnesses.end(),
                                      [&](const WitnessKey& key) { return is_by(signature, key); });
    if (witness == witnesses.end() || !check(signature, note->text, *witness)) continue;
    std::string blob;
    append_bytes(blob, signature.key_id);
    append_bytes(blob, signature.signature);
    lines.append(signature_line(signature.name, as_bytes(blob)));
  }
  return lines;
}

}  // namespace paravent::crypto::audit
