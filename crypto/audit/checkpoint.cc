#include "crypto/audit/checkpoint.h"

#include <charconv>

#include "crypto/base/encoding.h"

namespace paravent::crypto::audit {
namespace {

std::string_view take_line(std::string_view& text) noexcept {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return {};
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

std::string Checkpoint::text() const {
  std::string out = origin + "\n" + std::to_string(size) + "\n";
  append_base64(out, root);
  return out.append("\n").append(extensions);
}

Result<Checkpoint> parse_checkpoint_text(std::string_view text) {
  const Error bad(ErrorKind::malformed, "This is not a checkpoint.");
  Checkpoint checkpoint;
  std::string_view rest = text;
  checkpoint.origin = take_line(rest);
  if (!valid_note_name(checkpoint.origin)) return bad;
  const std::string_view size = take_line(rest);
  const auto [stop, error] =
      std::from_chars(size.data(), size.data() + size.size(), checkpoint.size);
  if (error != std::errc() || stop != size.data() + size.size()) return bad;
  const Result<Bytes> root_bytes = from_base64(take_line(rest));
  if (!root_bytes) return bad;
  const Result<Hash> root = hash_from_bytes(*root_bytes);
  if (!root) return bad;
  checkpoint.root = *root;
  checkpoint.extensions = rest;
  // Extension lines are complete and not empty; and one spelling, which refuses leading zeros.
  if (rest.starts_with('\n') || rest.find("\n\n") != std::string_view::npos) return bad;
  if ((!rest.empty() && !rest.ends_with('\n')) || checkpoint.text() != text) return bad;
  return checkpoint;
}

std::string sign_checkpoint(const Checkpoint& checkpoint, const Ed25519Signer& signer) {
  return sign_note(checkpoint.text(), checkpoint.origin, signer);
}

Result<Checkpoint> open_checkpoint(std::string_view bytes, const NoteKey& key) {
  const Result<SignedNote> note = parse_signed_note(bytes);
  if (!note) return note.error();
  if (Status verified = verify_note(*note, key); !verified) return verified.error();
  Result<Checkpoint> checkpoint = parse_checkpoint_text(note->text);
  if (!checkpoint) return checkpoint.error();
  if (checkpoint->origin != key.name) {
    return Error(ErrorKind::verification, "It belongs to another log.");
  }
  return checkpoint;
}

Result<Checkpoint> open_own_checkpoint(std::string_view bytes, const NoteKey& key) {
  Result<Checkpoint> checkpoint = open_checkpoint(bytes, key);
  if (!checkpoint) return checkpoint;
  const Result<SignedNote> note = parse_signed_note(bytes);
  if (!note) return note.error();
  // A second line by the same key would verify too; ours has exactly one and no extensions.
  if (note->signatures.size() != 1 || !checkpoint->extensions.empty()) {
    return Error(ErrorKind::verification, "It holds lines that this log did not write.");
  }
  return checkpoint;
}

}  // namespace paravent::crypto::audit
