#include "crypto/audit/tail.h"

#include <algorithm>
#include <bit>

namespace paravent::crypto::audit {

Tail Tail::restored(std::uint64_t size, std::string bundle,
                    std::array<std::vector<Hash>, kMaxTileLevel + 1> levels) {
  Tail tail;
  // Each level's partial tile holds the perfect subtrees of its eight bits of the size, largest
  // first.
  for (unsigned level = kMaxTileLevel + 1; level-- > 0;) {
    const std::span<const Hash> hashes = levels.at(level);
    auto rest = static_cast<unsigned>(level_count(size, level) % kTileWidth);
    std::size_t at = 0;
    while (rest != 0) {
      const unsigned width = std::bit_floor(rest);
      const auto bit = static_cast<unsigned>(std::countr_zero(width));
      tail.range_.append_peak(kTileHeight * level + bit, perfect_root(hashes.subspan(at, width)));
      at += width;
      rest -= width;
    }
  }
  tail.bundle_ = std::move(bundle);
  tail.levels_ = std::move(levels);
  return tail;
}

void Tail::append(ByteView entry, const Hash& leaf_hash, std::vector<NewFile>& full) {
  append_lp(bundle_, as_text(entry));
  range_.append(leaf_hash);
  if (size() % kTileWidth == 0) {
    full.push_back(
        {{TileContent::entries, 0, size() / kTileWidth - 1, kTileWidth}, std::move(bundle_)});
    bundle_.clear();
  }
  append_hash(0, leaf_hash, full);
}

void Tail::append_hash(unsigned level, const Hash& hash, std::vector<NewFile>& full) {
  std::vector<Hash>& hashes = levels_.at(level);
  hashes.push_back(hash);
  if (hashes.size() < kTileWidth) return;
  const std::uint64_t index = level_count(size(), level) / kTileWidth - 1;
  full.push_back({{TileContent::hashes, level, index, kTileWidth}, tile_bytes(hashes)});
  const Hash root = perfect_root(hashes);
  hashes.clear();
  if (level < kMaxTileLevel) append_hash(level + 1, root, full);
}

std::vector<NewFile> Tail::partials_since(std::uint64_t old_size) const {
  std::vector<NewFile> files;
  for (const TileName& name : superseded_partials(size(), old_size)) {
    const bool entries = name.content == TileContent::entries;
    files.push_back({name, entries ? bundle_ : tile_bytes(levels_.at(name.level))});
  }
  return files;
}

std::vector<TileName> partials_of(std::uint64_t size) {
  std::vector<TileName> names;
  const auto add = [&](TileContent content, unsigned level) {
    const std::uint64_t count = level_count(size, level);
    const auto width = static_cast<unsigned>(count % kTileWidth);
    if (width != 0) names.push_back({content, level, count / kTileWidth, width});
  };
  add(TileContent::entries, 0);
  for (unsigned level = 0; level <= kMaxTileLevel; ++level) add(TileContent::hashes, level);
  return names;
}

std::vector<TileName> superseded_partials(std::uint64_t old_size, std::uint64_t new_size) {
  std::vector<TileName> names = partials_of(old_size);
  const std::vector<TileName> kept = partials_of(new_size);
  std::erase_if(names, [&](const TileName& name) {
    return std::find(kept.begin(), kept.end(), name) != kept.end();
  });
  return names;
}

std::string tile_bytes(std::span<const Hash> hashes) {
  std::string bytes;
  bytes.reserve(hashes.size() * kSha256Size);
  for (const Hash& hash : hashes) append_bytes(bytes, hash);
  return bytes;
}

Result<std::vector<Hash>> tile_hashes(ByteView bytes, unsigned width) {
  if (bytes.size() != std::size_t{width} * kSha256Size) return Error(ErrorKind::malformed);
  std::vector<Hash> hashes(width);
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const ByteView hash = bytes.subspan(i * kSha256Size, kSha256Size);
    std::copy(hash.begin(), hash.end(), hashes[i].begin());
  }
  return hashes;
}

}  // namespace paravent::crypto::audit
