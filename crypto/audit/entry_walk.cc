#include "crypto/audit/entry_walk.h"

#include <algorithm>

namespace paravent::crypto::audit {
namespace {

std::uint64_t end_of(const TileName& name) { return name.index * kTileWidth + name.width; }

// All widths of one tile lie together in the order of TileName, the widest last.
TileName narrowest(TileContent content, unsigned level, std::uint64_t index) {
  return {content, level, index, 0};
}

}  // namespace

EntryWalk::EntryWalk(const Snapshot& snapshot, std::uint64_t size, std::uint64_t limit)
    : snapshot_(snapshot), size_(size), limit_(limit) {
  for (const std::string& name : snapshot.listing().files) {
    if (const std::optional<TileName> tile = parse_tile_path(name)) present_.insert(*tile);
  }
  watch(0);
  watch(size);
  watch(limit);
}

std::optional<Hash> EntryWalk::root_at(std::uint64_t size) const {
  const auto found = roots_.find(size);
  return found == roots_.end() ? std::nullopt : found->second;
}

std::optional<Fault> EntryWalk::run() {
  if (auto fault = find_missing_or_beyond()) return fault;
  roots_.at(0) = range_.root();
  for (std::uint64_t index = 0;; ++index) {
    auto at = present_.lower_bound(narrowest(TileContent::entries, 0, index + 1));
    if (at == present_.begin()) break;
    --at;
    if (at->content != TileContent::entries || at->index != index) break;
    if (auto fault = walk_bundle(index, at->width)) return fault;
    constexpr std::uint64_t kBundlesBetween = 64;
    if (progress_ && index % kBundlesBetween == 0) progress_(range_.size());
    if (!at->full()) break;
  }
  for (unsigned level = 0; level <= kMaxTileLevel; ++level) {
    if (auto fault = finish_tile(level)) return fault;
  }
  for (const TileName& name : present_) {
    if (!checked_.contains(name)) {
      return Fault{tile_path(name), std::nullopt, "no entries stand behind this file"};
    }
  }
  return std::nullopt;
}

std::optional<Fault> EntryWalk::find_missing_or_beyond() const {
  for (const TileName& name : tiles_of(size_)) {
    if (!present_.contains(name)) return Fault{tile_path(name), std::nullopt, "is missing"};
  }
  for (const TileName& name : present_) {
    if (end_of(name) > level_count(limit_, name.level)) {
      return Fault{tile_path(name), std::nullopt,
                   "holds more than the checkpoint covers: the checkpoint is not the latest, or "
                   "the file was not written by this log"};
    }
  }
  return std::nullopt;
}

std::optional<Fault> EntryWalk::walk_bundle(std::uint64_t index, unsigned width) {
  const std::string path = tile_path({TileContent::entries, 0, index, width});
  const Result<Bytes> content = snapshot_.read(path);
  if (!content) return Fault{path, std::nullopt, content.error().sentence()};
  const Result<std::vector<ByteView>> entries = split_bundle(*content, width);
  if (!entries) return Fault{path, std::nullopt, entries.error().sentence()};
  std::vector<std::size_t> ends;
  for (const ByteView entry : *entries) {
    const auto position = static_cast<std::size_t>(entry.data() - content->data());
    const Result<DecodedEntry> decoded = decode_entry(entry);
    if (!decoded) return Fault{path, position, decoded.error().sentence()};
    if (decoded->leaf.open.sequence != range_.size()) {
      return Fault{path, position, "entry " + std::to_string(range_.size()) + " was expected here"};
    }
    if (listener_ && range_.size() < size_) {
      const Status heard = listener_(*decoded);
      if (!heard) return Fault{path, position, heard.error().sentence()};
    }
    ends.push_back(position + entry.size());
    const Hash leaf_hash = hash_leaf(decoded->leaf_bytes);
    range_.append(leaf_hash);
    const auto watched = roots_.find(range_.size());
    if (watched != roots_.end()) watched->second = range_.root();
    if (auto fault = add_hash(0, leaf_hash)) return fault;
  }
  return check_bundle_files(index, *content, ends);
}

std::optional<Fault> EntryWalk::check_bundle_files(std::uint64_t index, ByteView content,
                                                   const std::vector<std::size_t>& ends) {
  for (auto at = present_.lower_bound(narrowest(TileContent::entries, 0, index));
       at != present_.end() && at->content == TileContent::entries && at->index == index; ++at) {
    if (at->width == ends.size()) {  // the file that was just read
      bytes_ += content.size();
      checked_.insert(*at);
      continue;
    }
    if (auto fault = compare(*at, content.first(ends.at(at->width - 1)))) return fault;
  }
  return std::nullopt;
}

std::optional<Fault> EntryWalk::add_hash(unsigned level, const Hash& hash) {
  std::vector<Hash>& hashes = levels_.at(level);
  hashes.push_back(hash);
  return hashes.size() == kTileWidth ? finish_tile(level) : std::nullopt;
}

std::optional<Fault> EntryWalk::finish_tile(unsigned level) {
  std::vector<Hash>& hashes = levels_.at(level);
  if (hashes.empty()) return std::nullopt;
  const bool full = hashes.size() == kTileWidth;
  const std::uint64_t index = level_count(range_.size(), level) / kTileWidth - (full ? 1 : 0);
  const std::string bytes = tile_bytes(hashes);
  for (auto at = present_.lower_bound(narrowest(TileContent::hashes, level, index));
       at != present_.end() && at->content == TileContent::hashes && at->level == level &&
       at->index == index;
       ++at) {
    if (at->width > hashes.size()) {
      return Fault{tile_path(*at), std::nullopt, "holds hashes of entries that do not exist"};
    }
    const ByteView expected = as_bytes(bytes).first(std::size_t{at->width} * kSha256Size);
    if (auto fault = compare(*at, expected)) return fault;
  }
  if (!full) return std::nullopt;
  const Hash root = perfect_root(hashes);
  hashes.clear();
  return level < kMaxTileLevel ? add_hash(level + 1, root) : std::nullopt;
}

std::optional<Fault> EntryWalk::compare(const TileName& name, ByteView expected) {
  const std::string path = tile_path(name);
  const Result<Bytes> content = snapshot_.read(path);
  if (!content) return Fault{path, std::nullopt, content.error().sentence()};
  const auto [here, there] =
      std::mismatch(content->begin(), content->end(), expected.begin(), expected.end());
  if (here != content->end() || there != expected.end()) {
    return Fault{path, static_cast<std::uint64_t>(here - content->begin()),
                 "differs from what the entries give"};
  }
  bytes_ += expected.size();
  checked_.insert(name);
  if (!name.full() && end_of(name) < level_count(size_, name.level)) ++superseded_;
  return std::nullopt;
}

}  // namespace paravent::crypto::audit
