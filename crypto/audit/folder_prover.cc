#include "crypto/audit/folder_prover.h"

#include <algorithm>

#include "crypto/audit/tail.h"

namespace paravent::crypto::audit {
namespace {

// The tile or bundle of that place as a log of `size` entries has it.
TileName name_of(TileContent content, unsigned level, std::uint64_t index, std::uint64_t size) {
  const std::uint64_t left = level_count(size, level) - index * kTileWidth;
  return {content, level, index, static_cast<unsigned>(std::min<std::uint64_t>(left, kTileWidth))};
}

class SnapshotNodes final : public NodeSource {
 public:
  SnapshotNodes(const Snapshot& snapshot, std::uint64_t size) : snapshot_(snapshot), size_(size) {}

  Result<Hash> node(unsigned level, std::uint64_t index) const override {
    const unsigned inside = level % kTileHeight;
    if (level >= 64 || index >= (size_ >> level)) {
      return Error(ErrorKind::usage, "The node lies outside the log.");
    }
    const std::uint64_t first = index << inside;
    const TileName name =
        name_of(TileContent::hashes, level / kTileHeight, first / kTileWidth, size_);
    const Result<Bytes> bytes = snapshot_.read(tile_path(name));
    if (!bytes) return bytes.error();
    const Result<std::vector<Hash>> hashes = tile_hashes(*bytes, name.width);
    if (!hashes) return Error(ErrorKind::data, tile_path(name) + " has not the size of a tile.");
    return perfect_root(
        std::span<const Hash>(*hashes).subspan(first % kTileWidth, std::size_t{1} << inside));
  }

 private:
  const Snapshot& snapshot_;
  std::uint64_t size_;
};

Error altered() {
  return {ErrorKind::verification,
          "The files of the log do not give the root of its checkpoint; verify the log to see "
          "where."};
}

}  // namespace

Result<FolderProver> FolderProver::open(const std::string& folder) {
  Result<Snapshot> snapshot = Snapshot::take(folder);
  if (!snapshot) return snapshot.error();
  FolderProver prover(std::move(*snapshot));
  const Result<Bytes> key_bytes = prover.snapshot_.read(kPublicKeyFile);
  if (!key_bytes) return key_bytes.error();
  std::string_view key_text = as_text(*key_bytes);
  if (key_text.ends_with('\n')) key_text.remove_suffix(1);
  Result<NoteKey> key = parse_note_key(key_text);
  if (!key) return Error(ErrorKind::data, "The public key in " + folder + " cannot be read.");
  prover.key_ = std::move(*key);
  const Result<Bytes> bytes = prover.snapshot_.read(kCheckpointFile);
  if (!bytes) return bytes.error();
  prover.checkpoint_bytes_ = as_text(*bytes);
  Result<Checkpoint> checkpoint = open_own_checkpoint(prover.checkpoint_bytes_, prover.key_);
  if (!checkpoint) {
    return Error(ErrorKind::verification,
                 "The checkpoint in " + folder + " does not verify with the key beside it.");
  }
  prover.checkpoint_ = std::move(*checkpoint);
  return prover;
}

Result<std::string> FolderProver::leaf_of(std::uint64_t index) const {
  const TileName name = name_of(TileContent::entries, 0, index / kTileWidth, checkpoint_.size);
  const Result<Bytes> bytes = snapshot_.read(tile_path(name));
  if (!bytes) return bytes.error();
  const auto entries = split_bundle(*bytes, name.width);
  if (!entries) return altered();
  const ByteView entry = (*entries)[index % kTileWidth];
  if (!decode_entry(entry)) return altered();
  return std::string(as_text(entry.first(kLeafSize)));
}

Result<InclusionProof> FolderProver::prove(std::uint64_t index) const {
  if (index >= checkpoint_.size) {
    return Error(ErrorKind::usage,
                 "The log has " + std::to_string(checkpoint_.size) + " entries, counted from 0.");
  }
  InclusionProof proof;
  proof.index = index;
  proof.checkpoint = checkpoint_bytes_;
  Result<std::string> leaf = leaf_of(index);
  if (!leaf) return leaf.error();
  proof.leaf = std::move(*leaf);
  auto hashes =
      inclusion_proof(index, checkpoint_.size, SnapshotNodes(snapshot_, checkpoint_.size));
  if (!hashes) return hashes.error();
  proof.hashes = std::move(*hashes);
  if (!verify_inclusion_proof(proof, key_)) return altered();
  return proof;
}

Result<ConsistencyProof> FolderProver::prove_from(std::uint64_t old_size) const {
  if (old_size > checkpoint_.size) {
    return Error(
        ErrorKind::verification,
        "The log has " + std::to_string(checkpoint_.size) +
            " entries in its files, fewer than the earlier checkpoint: it was rolled back, "
            "or the rest is in the journal of a gateway that was killed; start that one "
            "and ask again.");
  }
  const SnapshotNodes nodes(snapshot_, checkpoint_.size);
  auto hashes = consistency_proof(old_size, checkpoint_.size, nodes);
  if (!hashes) return hashes.error();
  const Result<Hash> root = tree_root(checkpoint_.size, nodes);
  if (!root) return root.error();
  if (*root != checkpoint_.root) return altered();
  return ConsistencyProof{old_size, std::move(*hashes), checkpoint_bytes_};
}

}  // namespace paravent::crypto::audit
