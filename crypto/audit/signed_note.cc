#include "crypto/audit/signed_note.h"

#include <algorithm>

#include "crypto/base/encoding.h"
#include "crypto/primitives/sha256.h"
#include "crypto/tokens/utf8.h"

namespace paravent::crypto::audit {
namespace {

constexpr std::uint8_t kEd25519Type = 0x01;
constexpr std::string_view kSignaturePrefix = "\xE2\x80\x94 ";  // em dash, space

// White_Space of Unicode beyond ASCII.
bool is_space(char32_t c) noexcept {
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

Error malformed_at(std::size_t position, const char* what) {
  return {ErrorKind::malformed, "byte " + std::to_string(position) + ": " + what};
}

Bytes typed_key(std::uint8_t type, const Ed25519PublicKey& key) {
  Bytes bytes(1 + kEd25519PublicKeySize, type);
  std::copy(key.begin(), key.end(), bytes.begin() + 1);
  return bytes;
}

Result<NoteSignature> parse_signature_line(std::string_view line) {
  const Error bad = ErrorKind::malformed;
  if (!line.starts_with(kSignaturePrefix)) return bad;
  line.remove_prefix(kSignaturePrefix.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return bad;
  NoteSignature signature;
  signature.name = line.substr(0, space);
  if (!valid_note_name(signature.name)) return bad;
  const Result<Bytes> bytes = from_base64(line.substr(space + 1));
  if (!bytes || bytes->size() <= signature.key_id.size()) return bad;
  const auto split = bytes->begin() + static_cast<std::ptrdiff_t>(signature.key_id.size());
  std::copy(bytes->begin(), split, signature.key_id.begin());
  signature.signature.assign(split, bytes->end());
  return signature;
}

}  // namespace

NoteKeyId note_key_id(std::string_view name, std::uint8_t type, const Ed25519PublicKey& key) {
  const std::array<std::uint8_t, 1> newline{'\n'};
  const Sha256Digest digest =
      Sha256().update(as_bytes(name)).update(newline).update(typed_key(type, key)).finish();
  NoteKeyId id;
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

std::string note_key_text(std::string_view name, std::uint8_t type, const Ed25519PublicKey& key) {
  return std::string(name) + "+" + to_hex(note_key_id(name, type, key)) + "+" +
         to_base64(typed_key(type, key));
}

std::optional<NoteKey> parse_key_text(std::string_view text, std::uint8_t type) {
  const std::size_t first = text.find('+');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = text.find('+', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const Result<Bytes> bytes = from_base64(text.substr(second + 1));
  if (!bytes || bytes->size() != 1 + kEd25519PublicKeySize) return std::nullopt;
  NoteKey key;
  key.name = text.substr(0, first);
  std::copy(bytes->begin() + 1, bytes->end(), key.public_key.begin());
  // One spelling: writing what was understood must give the same text, type and key id included.
  const bool same = note_key_text(key.name, type, key.public_key) == text;
  if (!valid_note_name(key.name) || !same) return std::nullopt;
  return key;
}

NoteKeyId NoteKey::id() const { return note_key_id(name, kEd25519Type, public_key); }

std::string NoteKey::text() const { return note_key_text(name, kEd25519Type, public_key); }

Result<NoteKey> parse_note_key(std::string_view text) {
  auto key = parse_key_text(text, kEd25519Type);
  if (!key) {
    return Error(ErrorKind::malformed, "This is not a verifier key (NAME+ID+KEY, Ed25519).");
  }
  return *std::move(key);
}

bool valid_note_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > 255) return false;
  for (std::size_t at = 0; at < name.size();) {
    const char32_t c = next_code_point(name, at);
    if (c == kInvalidCodePoint || c <= 0x20 || c == 0x7F || c == U'+' || is_space(c)) return false;
  }
  return true;
}

Result<SignedNote> parse_signed_note(std::string_view bytes) {
  if (bytes.size() > kMaxNoteSize) return malformed_at(kMaxNoteSize, "the note is too long");
  if (!is_utf8(bytes)) return malformed_at(0, "the note is not valid UTF-8");
  const auto* const control = std::find_if(bytes.begin(), bytes.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\n';
  });
  if (control != bytes.end()) {
    return malformed_at(static_cast<std::size_t>(control - bytes.begin()), "a control character");
  }
  // The last empty line separates: the text may itself contain one.
  const std::size_t blank = bytes.rfind("\n\n");
  if (blank == std::string_view::npos) return malformed_at(bytes.size(), "no signature follows");
  SignedNote note;
  note.text = bytes.substr(0, blank + 1);
  for (std::size_t at = blank + 2; at < bytes.size();) {
    const std::size_t end = bytes.find('\n', at);
    if (end == std::string_view::npos) return malformed_at(at, "the last line has no end");
    if (note.signatures.size() == kMaxNoteSignatures)
      return malformed_at(at, "too many signatures");
    Result<NoteSignature> signature = parse_signature_line(bytes.substr(at, end - at));
    if (!signature) return malformed_at(at, "this is not a signature line");
    note.signatures.push_back(std::move(*signature));
    at = end + 1;
  }
  if (note.signatures.empty()) return malformed_at(bytes.size(), "no signature follows");
  return note;
}

std::string signature_line(std::string_view name, ByteView blob) {
  std::string line(kSignaturePrefix);
  line.append(name).append(" ");
  append_base64(line, blob);
  return line.append("\n");
}

std::string sign_note(std::string_view text, std::string_view name, const Ed25519Signer& signer) {
  const NoteKeyId id = NoteKey{std::string(name), signer.public_key()}.id();
  const Ed25519Signature signature = signer.sign(as_bytes(text));
  Bytes blob(id.size() + signature.size());
  std::copy(signature.begin(), signature.end(), std::copy(id.begin(), id.end(), blob.begin()));
  return std::string(text).append("\n").append(signature_line(name, blob));
}

Status verify_note(const SignedNote& note, const NoteKey& key) {
  const NoteKeyId id = key.id();
  bool signed_by_key = false;
  for (const NoteSignature& signature : note.signatures) {
    if (signature.name != key.name || signature.key_id != id) continue;
    if (!ed25519_verify(key.public_key, as_bytes(note.text), signature.signature)) {
      return Error(ErrorKind::verification, "The signature is wrong.");
    }
    signed_by_key = true;
  }
  if (!signed_by_key) {
    return Error(ErrorKind::verification, "It is not signed by the expected key.");
  }
  return {};
}

}  // namespace paravent::crypto::audit
