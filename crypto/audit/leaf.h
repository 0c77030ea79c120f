// The entry of the audit log, as stored and as hashed (docs/audit-format.md is normative).
//
//   entry  = leaf (87 bytes) | encrypted detail
//   leaf   = public part (23) | SHA-256(detail plaintext) (32) | SHA-256(encrypted detail) (32)
//   public = "PVA1" | u64be time (ms, UTC) | u64be sequence | u16be event | u8 outcome
//
// The Merkle tree is over leaves. So every stored byte is covered by the root, and the key of the
// detail can be destroyed without breaking a proof (constructions 4.11). Pure functions; any
// thread.

#pragma once

#include <cstdint>
#include <string>

#include "crypto/audit/event.h"
#include "crypto/audit/merkle.h"
#include "crypto/base/clock.h"

namespace paravent::crypto::audit {

inline constexpr std::size_t kPublicPartSize = 23;
inline constexpr std::size_t kLeafSize = kPublicPartSize + 2 * kSha256Size;

// What somebody without keys may know.
struct PublicPart {
  WallTime time;
  std::uint64_t sequence = 0;  // equals the index in the log
  EventKind event = EventKind::start;
  Outcome outcome = Outcome::done;

  bool operator==(const PublicPart&) const = default;
};

struct Leaf {
  PublicPart open;
  Hash detail_commitment{};  // salted: the plaintext begins with 32 random bytes
  Hash ciphertext_hash{};

  bool operator==(const Leaf&) const = default;
};

// A view into the bytes that were decoded.
struct DecodedEntry {
  Leaf leaf;
  ByteView leaf_bytes;
  ByteView encrypted_detail;
};

// REQUIRES: 0 <= time.
void append_public_part(std::string& out, const PublicPart& part);
void append_leaf(std::string& out, const Leaf& leaf);

// The 87 bytes alone. ErrorKind::malformed as below.
Result<Leaf> decode_leaf(ByteView leaf);

// ErrorKind::malformed: wrong magic, an unknown event or outcome, a time after the year 9999, a
// size that no encrypted detail has, or an encrypted detail that is not the one the leaf was made
// for.
Result<DecodedEntry> decode_entry(ByteView entry);

}  // namespace paravent::crypto::audit
