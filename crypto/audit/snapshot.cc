#include "crypto/audit/snapshot.h"

#include <algorithm>
#include <utility>

namespace paravent::crypto::audit {
namespace {

constexpr std::size_t kMaxFileSize = kTileWidth * (2 + kMaxEntrySize);

bool may_change(const std::string& name) {
  if (!name.starts_with("tile/")) {
    return name == kCheckpointFile || name == kNextCheckpointFile || name == kPublicKeyFile;
  }
  const std::optional<TileName> tile = parse_tile_path(name);
  return tile && !tile->full();
}

}  // namespace

Result<Snapshot> Snapshot::take(const std::string& path) {
  const Result<OpenFile> folder = open_folder(path);
  if (!folder) return folder.error();
  const FolderLock lock(*folder, FolderLock::Mode::shared);
  Snapshot snapshot;
  snapshot.path_ = path;
  Result<FolderListing> listing = list_folder(path);
  if (!listing) return listing.error();
  snapshot.listing_ = std::move(*listing);
  for (const std::string& name : snapshot.listing_.files) {
    if (!may_change(name)) continue;
    Result<Bytes> bytes = read_whole(path + "/" + name, kMaxFileSize);
    if (!bytes) return bytes.error();
    snapshot.kept_.emplace(name, std::move(*bytes));
  }
  return snapshot;
}

bool Snapshot::has(const std::string& name) const {
  return std::binary_search(listing_.files.begin(), listing_.files.end(), name);
}

Result<Bytes> Snapshot::read(const std::string& name) const {
  const auto kept = kept_.find(name);
  if (kept != kept_.end()) return kept->second;
  return read_whole(path_ + "/" + name, kMaxFileSize);
}

}  // namespace paravent::crypto::audit
