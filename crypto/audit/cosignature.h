// Co-signatures of witnesses (C2SP tlog-cosignature, the Ed25519 form "cosignature/v1"): somebody
// else's statement that the log had this checkpoint at that time, and continues what they saw
// before.
//
//   line    = "— " name " " base64(key id 4 | u64be time | Ed25519 signature 64) "\n"
//   signed  = "cosignature/v1\n" "time " time "\n" text of the checkpoint
//   key id  = first 4 bytes of SHA-256(name | 0x0A | 0x04 | public key)
//
// The time is in seconds since 1970, at most 2^63 - 1. Pure functions; any thread.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/audit/signed_note.h"

namespace paravent::crypto::audit {

// A witness. As text: name "+" 8 hex digits of the key id "+" base64(0x04 | public key).
struct WitnessKey {
  std::string name;
  Ed25519PublicKey public_key{};

  NoteKeyId id() const;
  std::string text() const;
  bool operator==(const WitnessKey&) const = default;
};

// ErrorKind::malformed: not the one spelling, or a wrong key id in it.
Result<WitnessKey> parse_witness_key(std::string_view text);

// The time of the witness's co-signature under `note`. ErrorKind::verification: there is none, or
// one that claims to be the witness's is wrong.
Result<std::uint64_t> verify_cosignature(const SignedNote& note, const WitnessKey& witness);

// One signature line, for a witness of our own and for tests. `text` is the checkpoint's.
std::string cosign(std::string_view text, std::string_view name, const Ed25519Signer& signer,
                   std::uint64_t seconds);

// The lines of `answer` that are valid co-signatures by one of `witnesses` under the checkpoint
// `note`, in the order of the answer; what is not is left out (C2SP tlog-witness). An answer that
// is no list of signature lines gives nothing.
std::string take_cosignatures(std::string_view checkpoint, std::string_view answer,
                              const std::vector<WitnessKey>& witnesses);

}  // namespace paravent::crypto::audit
