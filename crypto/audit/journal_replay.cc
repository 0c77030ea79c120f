#include "crypto/audit/journal_replay.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/audit/leaf.h"
#include "crypto/audit/tail.h"

namespace paravent::crypto::audit {
namespace {

Error does_not_match(const LogFolder& folder, const std::string& what) {
  return {ErrorKind::data, "The journal of the audit log " + folder.path() + " " + what +
                               ": restore the folder from a backup, without the journal."};
}

// The log as it stood at `size`, a multiple of 256: its full tiles say all of it.
Result<Tail> tail_between_tiles(const LogFolder& folder, std::uint64_t size) {
  std::array<std::vector<Hash>, kMaxTileLevel + 1> levels;
  for (unsigned level = 1; level <= kMaxTileLevel; ++level) {
    const std::uint64_t count = level_count(size, level);
    for (std::uint64_t i = count - count % kTileWidth; i < count; ++i) {
      const std::string path = folder.file({TileContent::hashes, level - 1, i, kTileWidth});
      const Result<Bytes> bytes = read_whole(path, std::size_t{kTileWidth} * kSha256Size);
      if (!bytes) return bytes.error();
      const Result<std::vector<Hash>> hashes = tile_hashes(*bytes, kTileWidth);
      if (!hashes) return Error(ErrorKind::data, path + " does not have the size of a tile.");
      levels.at(level).push_back(perfect_root(*hashes));
    }
  }
  return Tail::restored(size, {}, std::move(levels));
}

// Appends the journal's entries; false where they are not entries of such a log, or do not lead
// through `standing`.
bool append_entries(std::string_view entries, const std::optional<Checkpoint>& standing, Tail& tail,
                    std::vector<NewFile>& files) {
  const auto forks = [&] {
    return standing && tail.size() == standing->size && tail.root() != standing->root;
  };
  while (!entries.empty()) {
    if (forks()) return false;
    if (entries.size() < 2) return false;
    const auto* p = as_bytes(entries).data();
    const std::size_t size = (std::size_t{p[0]} << 8U) | p[1];
    if (entries.size() < 2 + size) return false;
    const ByteView bytes = as_bytes(entries.substr(2, size));
    const Result<DecodedEntry> entry = decode_entry(bytes);
    if (!entry || entry->leaf.open.sequence != tail.size()) return false;
    tail.append(bytes, hash_leaf(entry->leaf_bytes), files);
    entries.remove_prefix(2 + size);
  }
  return !forks();
}

}  // namespace

Status replay_journal(LogFolder& folder, const NoteKey& key, const JournalContent& journal) {
  const Result<Checkpoint> after = open_own_checkpoint(journal.checkpoint, key);
  if (!after || after->size != journal.size) {
    return does_not_match(folder, "belongs to another log");
  }
  std::optional<Checkpoint> standing;
  if (const auto bytes = read_whole(folder.file(kCheckpointFile), kMaxNoteSize)) {
    // One that was torn as the power failed says nothing.
    if (auto opened = open_own_checkpoint(as_text(*bytes), key)) standing = std::move(*opened);
  }
  // A commit that went without the journal, all of whose files were synced.
  if (standing && standing->size > after->size) return {};
  Result<Tail> tail = tail_between_tiles(folder, journal.from);
  if (!tail) return tail.error();
  std::vector<NewFile> files;
  if (!append_entries(journal.entries, standing, *tail, files) || tail->size() != after->size ||
      tail->root() != after->root) {
    return does_not_match(folder, "does not lead to its checkpoint");
  }
  for (NewFile& file : tail->partials_since(0)) files.push_back(std::move(file));
  return folder.restore(files, journal.checkpoint, journal.size);
}

}  // namespace paravent::crypto::audit
