// Tail: the growing edge of a log in memory: its partial tiles, its unfinished bundle, its root.
//
// A plain value, cheap enough to copy once per commit (at most 255 entries and 255 hashes a level):
// the committer works on a copy and publishes it when the disk has it. No thread rules of its own.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "crypto/audit/merkle.h"
#include "crypto/audit/tile_layout.h"

namespace paravent::crypto::audit {

struct NewFile {
  TileName name;
  std::string bytes;
};

class Tail {
 public:
  // The edge of a log of `size` entries, from the contents of its partial files: the bundle's
  // framed bytes, and for each level its hashes. REQUIRES: as many hashes as partial tiles of that
  // size hold.
  static Tail restored(std::uint64_t size, std::string bundle,
                       std::array<std::vector<Hash>, kMaxTileLevel + 1> levels);

  // Appends an entry and, to `full`, the tiles and the bundle that it completes.
  // REQUIRES: entry.size() <= 65535.
  void append(ByteView entry, const Hash& leaf_hash, std::vector<NewFile>& full);

  std::uint64_t size() const noexcept { return range_.size(); }
  Hash root() const noexcept { return range_.root(); }
  const std::string& bundle() const noexcept { return bundle_; }
  const std::vector<Hash>& hashes(unsigned level) const { return levels_.at(level); }

  // The partial files that this size needs and a log of `old_size` entries does not have.
  std::vector<NewFile> partials_since(std::uint64_t old_size) const;

 private:
  void append_hash(unsigned level, const Hash& hash, std::vector<NewFile>& full);

  CompactRange range_;
  std::string bundle_;
  std::array<std::vector<Hash>, kMaxTileLevel + 1> levels_;
};

// The partial files of a log of `size` entries.
std::vector<TileName> partials_of(std::uint64_t size);

// Partial files of a log of `old_size` entries that one of `new_size` does not have.
std::vector<TileName> superseded_partials(std::uint64_t old_size, std::uint64_t new_size);

std::string tile_bytes(std::span<const Hash> hashes);
// ErrorKind::malformed unless `bytes` are exactly `width` hashes.
Result<std::vector<Hash>> tile_hashes(ByteView bytes, unsigned width);

}  // namespace paravent::crypto::audit
