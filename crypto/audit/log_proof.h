// Proofs as files, which verify offline with the log's public key and nothing else.
//
// That an entry is in a log (C2SP tlog-proof; the extra data is the entry's leaf, so that the file
// says which entry it is about):
//
//   "c2sp.org/tlog-proof@v1\n" "extra " base64(leaf 87) "\n" "index " index "\n"
//   base64(hash) "\n" ...   "\n"   checkpoint
//
// That a log continues an earlier one (the request of C2SP tlog-witness add-checkpoint, which a
// witness takes as it is):
//
//   "old " size "\n"   base64(hash) "\n" ...   "\n"   checkpoint
//
// Numbers are decimal without leading zeros; at most 63 hashes; one spelling. The checkpoint may be
// co-signed. Pure functions; any thread.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/audit/checkpoint.h"
#include "crypto/audit/leaf.h"
#include "crypto/audit/merkle_proof.h"

namespace paravent::crypto::audit {

inline constexpr std::size_t kMaxProofHashes = 63;

struct InclusionProof {
  std::string leaf;  // 87 bytes
  std::uint64_t index = 0;
  std::vector<Hash> hashes;
  std::string checkpoint;  // a signed note
};

std::string inclusion_proof_text(const InclusionProof& proof);
// ErrorKind::malformed with the line at fault.
Result<InclusionProof> parse_inclusion_proof(std::string_view text);

// What an inclusion proof shows.
struct ProvenEntry {
  Checkpoint checkpoint;
  Leaf leaf;
};
// ErrorKind::verification: the checkpoint is not `key`'s, or the entry is not in its log at that
// place.
Result<ProvenEntry> verify_inclusion_proof(const InclusionProof& proof, const NoteKey& key);

struct ConsistencyProof {
  std::uint64_t old_size = 0;
  std::vector<Hash> hashes;
  std::string checkpoint;  // of the newer log
};

std::string consistency_proof_text(const ConsistencyProof& proof);
Result<ConsistencyProof> parse_consistency_proof(std::string_view text);
// The newer checkpoint. `old_checkpoint`: bytes of the older one. ErrorKind::verification.
Result<Checkpoint> verify_consistency_proof(const ConsistencyProof& proof,
                                            std::string_view old_checkpoint, const NoteKey& key);

// Several checkpoints in one file, one after the other: what an anchor writes and a verifier
// remembers. A note ends with its last signature line. ErrorKind::malformed: at most 4096 of them
// in 16 MiB; not each of them a signed note.
inline constexpr std::size_t kMaxCheckpointList = std::size_t{16} << 20U;
Result<std::vector<std::string>> split_checkpoints(std::string_view text);

}  // namespace paravent::crypto::audit
