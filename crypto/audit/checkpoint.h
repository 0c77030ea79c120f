// Checkpoints (C2SP tlog-checkpoint): what a log says about itself at one size, as a signed note.
//
//   origin "\n" size "\n" base64(root) "\n"   [ further lines, ignored ]
//
// The size is decimal without leading zeros. The log signs with a key whose name is its origin. An
// origin never holds a newline: it is a valid note name. Pure functions; any thread.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/audit/merkle.h"
#include "crypto/audit/signed_note.h"

namespace paravent::crypto::audit {

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Hash root{};
  std::string extensions;  // complete lines; empty in our own logs

  // The text that is signed.
  std::string text() const;
  bool operator==(const Checkpoint&) const = default;
};

// The text of a note. ErrorKind::malformed for anything but the one spelling.
Result<Checkpoint> parse_checkpoint_text(std::string_view text);

// The bytes of a checkpoint file of ours.
std::string sign_checkpoint(const Checkpoint& checkpoint, const Ed25519Signer& signer);

// For a checkpoint from elsewhere (saved earlier, perhaps witnessed): `key` must have signed it,
// and its origin is the key's name; other signatures are ignored. ErrorKind::malformed or
// ::verification.
Result<Checkpoint> open_checkpoint(std::string_view bytes, const NoteKey& key);

// For the checkpoint file of a log: the same, and not one byte in it that `key` does not vouch for.
Result<Checkpoint> open_own_checkpoint(std::string_view bytes, const NoteKey& key);

}  // namespace paravent::crypto::audit
