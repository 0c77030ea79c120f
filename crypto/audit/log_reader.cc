#include "crypto/audit/log_reader.h"

#include <algorithm>

#include "crypto/audit/disk.h"

namespace paravent::crypto::audit {
namespace {

constexpr std::size_t kMaxBundleSize = kTileWidth * (2 + kMaxEntrySize);

}  // namespace

Result<Hash> LogReader::node(unsigned level, std::uint64_t index) const {
  const unsigned tile_level = level / kTileHeight;
  const unsigned inside = level % kTileHeight;
  if (level >= 64 || index >= (size() >> level)) {
    return Error(ErrorKind::usage, "The node lies outside the log.");
  }
  const std::uint64_t first = index << inside;
  const Result<std::vector<Hash>> hashes = tile(tile_level, first / kTileWidth);
  if (!hashes) return hashes.error();
  const std::span<const Hash> all(*hashes);
  return perfect_root(all.subspan(first % kTileWidth, std::size_t{1} << inside));
}

Result<std::vector<Hash>> LogReader::tile(unsigned level, std::uint64_t index) const {
  if (index == level_count(size(), level) / kTileWidth) return tail_->hashes(level);
  const TileName name{TileContent::hashes, level, index, kTileWidth};
  const Result<Bytes> bytes = full(name, kTileWidth * kSha256Size);
  if (!bytes) return bytes.error();
  Result<std::vector<Hash>> hashes = tile_hashes(*bytes, kTileWidth);
  if (!hashes) {
    return Error(ErrorKind::data,
                 path_ + "/" + tile_path(name) + " does not have the size of a tile.");
  }
  return hashes;
}

Result<Bytes> LogReader::bundle(std::uint64_t index) const {
  if (index == size() / kTileWidth) {
    const ByteView bytes = as_bytes(tail_->bundle());
    return Bytes(bytes.begin(), bytes.end());
  }
  return full({TileContent::entries, 0, index, kTileWidth}, kMaxBundleSize);
}

Result<Bytes> LogReader::full(const TileName& name, std::size_t limit) const {
  for (const auto& file : *unwritten_) {
    if (file->name != name) continue;
    const ByteView bytes = as_bytes(file->bytes);
    return Bytes(bytes.begin(), bytes.end());
  }
  return read_whole(path_ + "/" + tile_path(name), limit);
}

Result<std::vector<Bytes>> LogReader::entries(std::uint64_t begin, std::size_t count) const {
  std::vector<Bytes> found;
  const std::uint64_t end =
      begin >= size() ? begin : begin + std::min<std::uint64_t>(count, size() - begin);
  for (std::uint64_t at = begin; at < end;) {
    const std::uint64_t index = at / kTileWidth;
    const Result<Bytes> bytes = bundle(index);
    if (!bytes) return bytes.error();
    const std::uint64_t in_bundle =
        std::min<std::uint64_t>(kTileWidth, size() - index * kTileWidth);
    const Result<std::vector<ByteView>> split =
        split_bundle(*bytes, static_cast<unsigned>(in_bundle));
    if (!split) return Error(ErrorKind::data, "An entry bundle of the audit log is damaged.");
    for (; at < end && at / kTileWidth == index; ++at) {
      const ByteView entry = (*split)[at % kTileWidth];
      found.emplace_back(entry.begin(), entry.end());
    }
  }
  return found;
}

}  // namespace paravent::crypto::audit
