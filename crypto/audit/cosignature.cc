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

Bytes typed_key(const WitnessKey& key) {
  Bytes bytes(1 + kEd25519PublicKeySize, kCosignatureType);
  std::copy(key.public_key.begin(), key.public_key.end(), bytes.begin() + 1);
  return bytes;
}

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

NoteKeyId WitnessKey::id() const {
  const std::array<std::uint8_t, 1> newline{'\n'};
  const Sha256Digest digest =
      Sha256().update(as_bytes(name)).update(newline).update(typed_key(*this)).finish();
  NoteKeyId id;
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

std::string WitnessKey::text() const {
  return name + "+" + to_hex(id()) + "+" + to_base64(typed_key(*this));
}

Result<WitnessKey> parse_witness_key(std::string_view text) {
  const Error bad(ErrorKind::malformed,
                  "This is not the key of a witness (NAME+ID+KEY, Ed25519 co-signatures).");
  const std::size_t first = text.find('+');
  if (first == std::string_view::npos) return bad;
  const std::size_t second = text.find('+', first + 1);
  if (second == std::string_view::npos) return bad;
  const Result<Bytes> bytes = from_base64(text.substr(second + 1));
  if (!bytes || bytes->size() != 1 + kEd25519PublicKeySize || bytes->front() != kCosignatureType) {
    return bad;
  }
  WitnessKey key;
  key.name = text.substr(0, first);
  std::copy(bytes->begin() + 1, bytes->end(), key.public_key.begin());
  if (!valid_note_name(key.name) || key.text() != text) return bad;
  return key;
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
