#include "crypto/audit/journal_replay.h"

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "crypto/audit/leaf.h"
#include "crypto/audit/log_reader.h"
#include "crypto/audit/tail.h"

namespace paravent::crypto::audit {
namespace {

Error does_not_match(const std::string& log_folder, const std::string& what) {
  return {ErrorKind::data, "The journal of the audit log " + log_folder + " " + what +
                               ". Keep a copy of both: they tell different stories."};
}

// The log as it stood at `size`, a multiple of 256: its full tiles say all of it.
Result<Tail> tail_between_tiles(const std::string& log_folder, std::uint64_t size) {
  std::array<std::vector<Hash>, kMaxTileLevel + 1> levels;
  for (unsigned level = 1; level <= kMaxTileLevel; ++level) {
    const std::uint64_t count = level_count(size, level);
    for (std::uint64_t i = count - count % kTileWidth; i < count; ++i) {
      const std::string path =
          log_folder + "/" + tile_path({TileContent::hashes, level - 1, i, kTileWidth});
      const Result<Bytes> bytes = read_whole(path, std::size_t{kTileWidth} * kSha256Size);
      if (!bytes) return bytes.error();
      const Result<std::vector<Hash>> hashes = tile_hashes(*bytes, kTileWidth);
      if (!hashes) return Error(ErrorKind::data, path + " does not have the size of a tile.");
      levels.at(level).push_back(perfect_root(*hashes));
    }
  }
  return Tail::restored(size, {}, std::move(levels));
}

// Appends the journal's entries, and calls `at` before each and at the end. False where they are
// not entries of such a log.
bool append_entries(std::string_view entries, Tail& tail, std::vector<NewFile>& files,
                    const std::function<void(const Tail&)>& at) {
  while (!entries.empty()) {
    at(tail);
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
  at(tail);
  return true;
}

// Whether `earlier` is a beginning of the log of which `tail` is the edge.
bool continues(const std::string& log_folder, const Tail& tail, const Checkpoint& earlier) {
  if (earlier.size == 0) return earlier.root == empty_root();
  const LogReader reader(log_folder, std::make_shared<const Tail>(tail),
                         std::make_shared<const UnwrittenTiles>());
  const auto proof = consistency_proof(earlier.size, tail.size(), reader);
  return proof && verify_consistency(earlier.size, tail.size(), earlier.root, tail.root(), *proof);
}

// What the checkpoint file says; one that was torn as the power failed says nothing.
std::optional<Checkpoint> standing_checkpoint(const LogFolder& folder, const NoteKey& key) {
  const auto bytes = read_whole(folder.file(kCheckpointFile), kMaxNoteSize);
  if (!bytes) return std::nullopt;
  auto opened = open_own_checkpoint(as_text(*bytes), key);
  if (!opened) return std::nullopt;
  return std::move(*opened);
}

Status replay(LogFolder& folder, const JournalContent& journal, const Checkpoint& after,
              const std::optional<Checkpoint>& standing) {
  Result<Tail> tail = tail_between_tiles(folder.path(), journal.from);
  if (!tail) return tail.error();
  bool forks =
      standing && standing->size <= tail->size() && !continues(folder.path(), *tail, *standing);
  std::vector<NewFile> files;
  const bool whole = append_entries(journal.entries, *tail, files, [&](const Tail& now) {
    forks = forks || (standing && now.size() == standing->size && now.root() != standing->root);
  });
  if (!whole || tail->size() != after.size || tail->root() != after.root) {
    return does_not_match(folder.path(), "does not lead to its checkpoint");
  }
  if (forks) return does_not_match(folder.path(), "does not continue the log");
  for (NewFile& file : tail->partials_since(0)) files.push_back(std::move(file));
  return folder.restore(files, journal.checkpoint, journal.size);
}

}  // namespace

Result<RecoveredLog> recover_with_journal(LogFolder& folder, Disk& disk, const NoteKey& key,
                                          const std::string& journal) {
  if (journal.empty()) return recover_log(folder, key);
  const Result<std::optional<JournalContent>> left = read_journal(journal);
  if (!left) return left.error();
  std::optional<Checkpoint> after;
  std::optional<Checkpoint> standing;
  if (*left) {
    const Result<Checkpoint> opened = open_own_checkpoint((*left)->checkpoint, key);
    if (!opened || opened->size != (*left)->size) {
      return does_not_match(folder.path(), "belongs to another log");
    }
    after = *opened;
    standing = standing_checkpoint(folder, key);
    if (!standing || standing->size <= after->size) {
      if (Status done = replay(folder, **left, *after, standing); !done) return done.error();
    }
  }
  Result<RecoveredLog> recovered = recover_log(folder, key);
  if (!recovered) return recovered.error();
  // A commit that went without the journal, all of whose files were synced, comes after it.
  if (after && !continues(folder.path(), recovered->tail, *after)) {
    return does_not_match(folder.path(), "is not a beginning of the log");
  }
  // What it said stands in the log's own files.
  disk.remove_file(journal);
  disk.remove_folder(journal.substr(0, journal.rfind('/')));
  return recovered;
}

Status replay_left_journal(const std::string& log_folder, const std::string& journal) {
  const Result<Bytes> bytes = read_whole(log_folder + "/" + kPublicKeyFile, kMaxEntrySize);
  if (!bytes) return bytes.error();
  const std::string line(as_text(*bytes));
  const Result<NoteKey> key = parse_note_key(line.substr(0, line.find('\n')));
  if (!key) return Error(ErrorKind::data, log_folder + ": its public key file is damaged.");
  Disk disk;
  Result<LogFolder> folder = LogFolder::open(log_folder, disk, line, {}, false);
  if (!folder) return folder.error();
  const Result<RecoveredLog> recovered = recover_with_journal(*folder, disk, *key, journal);
  return recovered ? Status() : Status(recovered.error());
}

Result<JournalWalk> walk_journal(const std::string& log_folder, const JournalContent& journal,
                                 const std::set<std::uint64_t>& sizes) {
  Result<Tail> tail = tail_between_tiles(log_folder, journal.from);
  if (!tail) return tail.error();
  JournalWalk walk;
  std::vector<NewFile> files;
  const bool whole = append_entries(journal.entries, *tail, files, [&](const Tail& now) {
    if (sizes.contains(now.size())) walk.roots[now.size()] = now.root();
  });
  if (!whole) return Error(ErrorKind::malformed, "it holds no entries of this log");
  walk.root = tail->root();
  return walk;
}

}  // namespace paravent::crypto::audit
