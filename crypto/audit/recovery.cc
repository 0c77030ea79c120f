#include "crypto/audit/recovery.h"

#include "crypto/audit/leaf.h"

namespace paravent::crypto::audit {
namespace {

constexpr std::size_t kMaxBundleSize = kTileWidth * (2 + kMaxEntrySize);

Error mismatch(const std::string& path, const std::string& what) {
  return {ErrorKind::data, path + ": " + what +
                               " The audit log does not match its checkpoint; run "
                               "'paravent audit verify' and restore the folder from a backup."};
}

// Reads the last bundle and compares it with the hashes of its tile.
Result<std::string> read_last_bundle(const std::string& path, const TileName& name,
                                     std::span<const Hash> hashes) {
  const Result<Bytes> bytes = read_whole(path, kMaxBundleSize);
  if (!bytes) return bytes.error();
  const Result<std::vector<ByteView>> entries = split_bundle(*bytes, name.width);
  if (!entries) return mismatch(path, entries.error().sentence() + ".");
  for (std::size_t i = 0; i < entries->size(); ++i) {
    const Result<DecodedEntry> entry = decode_entry((*entries)[i]);
    if (!entry || entry->leaf.open.sequence != name.index * kTileWidth + i ||
        hash_leaf(entry->leaf_bytes) != hashes[i]) {
      return mismatch(path, "Entry " + std::to_string(i) + " is not the one that was hashed.");
    }
  }
  return std::string(as_text(*bytes));
}

Result<Tail> read_tail(const LogFolder& folder, std::uint64_t size) {
  std::array<std::vector<Hash>, kMaxTileLevel + 1> levels;
  std::string bundle;
  for (const TileName& name : partials_of(size)) {
    if (name.content == TileContent::entries) continue;
    const std::string path = folder.file(name);
    const Result<Bytes> bytes = read_whole(path, kTileWidth * kSha256Size);
    if (!bytes) return bytes.error();
    Result<std::vector<Hash>> hashes = tile_hashes(*bytes, name.width);
    if (!hashes) return mismatch(path, "The size is wrong.");
    levels.at(name.level) = std::move(*hashes);
  }
  const auto width = static_cast<unsigned>(size % kTileWidth);
  if (width != 0) {
    const TileName name{TileContent::entries, 0, size / kTileWidth, width};
    Result<std::string> read = read_last_bundle(folder.file(name), name, levels[0]);
    if (!read) return read.error();
    bundle = std::move(*read);
  }
  return Tail::restored(size, std::move(bundle), std::move(levels));
}

}  // namespace

Result<RecoveredLog> recover_log(LogFolder& folder, const NoteKey& key) {
  const std::string path = folder.file(kCheckpointFile);
  const Result<Bytes> bytes = read_whole(path, kMaxNoteSize);
  if (!bytes) return bytes.error();
  const Result<Checkpoint> checkpoint = open_own_checkpoint(as_text(*bytes), key);
  if (!checkpoint) return mismatch(path, checkpoint.error().sentence());
  Result<Tail> tail = read_tail(folder, checkpoint->size);
  if (!tail) return tail.error();
  if (tail->root() != checkpoint->root) return mismatch(path, "The root is another.");
  if (Status done = folder.remove_leftovers(checkpoint->size); !done) return done.error();
  return RecoveredLog{std::move(*tail), std::string(as_text(*bytes))};
}

}  // namespace paravent::crypto::audit
