// Signed notes (C2SP signed-note): a text of lines, an empty line, one or more signature lines.
//
//   "— " name " " base64(key id 4 | signature) "\n"        key id = SHA-256(name | 0x0A | 0x01 |
//   key)[0..4]
//
// Only Ed25519 keys (signature type 0x01) are known here; signatures by others are carried, not
// judged. Parsing is strict and bounded: at most 64 KiB and 64 signatures, valid UTF-8, no control
// character but the newline, one spelling of base64. Pure functions; any thread.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/primitives/ed25519.h"

namespace paravent::crypto::audit {

inline constexpr std::size_t kMaxNoteSize = 65536;
inline constexpr std::size_t kMaxNoteSignatures = 64;

using NoteKeyId = std::array<std::uint8_t, 4>;

// Whose signature is expected. As text, the "verifier key" of the same specification:
// name "+" 8 hex digits of the key id "+" base64(0x01 | public key).
struct NoteKey {
  std::string name;
  Ed25519PublicKey public_key{};

  NoteKeyId id() const;
  std::string text() const;
  bool operator==(const NoteKey&) const = default;
};

// ErrorKind::malformed: not the one spelling of an Ed25519 verifier key, or a wrong key id in it.
Result<NoteKey> parse_note_key(std::string_view text);

// What keys of every type have alike; `type` is the byte in front of the public key.
NoteKeyId note_key_id(std::string_view name, std::uint8_t type, const Ed25519PublicKey& key);
std::string note_key_text(std::string_view name, std::uint8_t type, const Ed25519PublicKey& key);
// nullopt: not the one spelling of a key of that type.
std::optional<NoteKey> parse_key_text(std::string_view text, std::uint8_t type);

// Not empty, valid UTF-8, at most 255 bytes, without white space, control characters and "+".
bool valid_note_name(std::string_view name) noexcept;

struct NoteSignature {
  std::string name;
  NoteKeyId key_id{};
  Bytes signature;
};

struct SignedNote {
  std::string text;  // with its final newline; this is what is signed
  std::vector<NoteSignature> signatures;
};

// ErrorKind::malformed, with the byte position of the fault.
Result<SignedNote> parse_signed_note(std::string_view bytes);

// One signature line; `blob` is the key id and what it signed with.
std::string signature_line(std::string_view name, ByteView blob);

// Appends one signature line for `text`, which ends in a newline.
std::string sign_note(std::string_view text, std::string_view name, const Ed25519Signer& signer);

// At least one signature is by `key`, and every one that claims to be is valid; else
// ErrorKind::verification. Signatures by other keys are ignored, as the specification says.
Status verify_note(const SignedNote& note, const NoteKey& key);

}  // namespace paravent::crypto::audit
