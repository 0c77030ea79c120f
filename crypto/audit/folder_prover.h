// FolderProver: makes proofs from a log's folder, offline, with no key but the public one that lies
// there. What it gives has been verified against the folder's signed checkpoint.
//
// A running log may be read: it works on a snapshot. Immutable once opened; any thread.

#pragma once

#include <string>
#include <vector>

#include "crypto/audit/log_proof.h"
#include "crypto/audit/snapshot.h"

namespace paravent::crypto::audit {

class FolderProver {
 public:
  // ErrorKind::data: no log, or a checkpoint or key that cannot be read; verification: the
  // checkpoint is not signed by the folder's key.
  static Result<FolderProver> open(const std::string& folder);

  const NoteKey& key() const noexcept { return key_; }
  const Checkpoint& checkpoint() const noexcept { return checkpoint_; }
  const std::string& checkpoint_bytes() const noexcept { return checkpoint_bytes_; }

  // ErrorKind::usage: outside the log; verification: the folder's tiles do not give its root.
  Result<InclusionProof> prove(std::uint64_t index) const;
  Result<ConsistencyProof> prove_from(std::uint64_t old_size) const;

 private:
  explicit FolderProver(Snapshot snapshot) : snapshot_(std::move(snapshot)) {}
  Result<std::string> leaf_of(std::uint64_t index) const;

  Snapshot snapshot_;
  NoteKey key_;
  Checkpoint checkpoint_;
  std::string checkpoint_bytes_;
};

}  // namespace paravent::crypto::audit
