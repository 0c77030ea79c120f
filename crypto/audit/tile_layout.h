// Where a log's hashes and entries lie: the paths and the bundle framing of C2SP tlog-tiles.
//
//   tile/<L>/<N>             a full tile: 256 hashes of level 8 * L, 8192 bytes
//   tile/<L>/<N>.p/<W>       a partial tile: its first W hashes, 1 <= W <= 255
//   tile/entries/<N>[.p/<W>] the entries under the level 0 tile of the same number, each with a
//   u16be
//                            length before it
//
// N is written in groups of three digits, all but the last behind an "x": 1234067 is x001/x234/067.
// Each path has one spelling; parse_tile_path accepts no other. Pure functions.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace paravent::crypto::audit {

inline constexpr unsigned kTileHeight = 8;
inline constexpr unsigned kTileWidth = 256;
inline constexpr std::size_t kMaxEntrySize = 65535;
// Levels 0 to 7 hold every node of a tree of fewer than 2^64 leaves.
inline constexpr unsigned kMaxTileLevel = 7;

enum class TileContent : std::uint8_t { hashes, entries };

struct TileName {
  TileContent content = TileContent::hashes;
  unsigned level = 0;           // of tiles, not of nodes; 0 for entries
  std::uint64_t index = 0;      // N
  unsigned width = kTileWidth;  // W; 256: a full tile

  bool full() const noexcept { return width == kTileWidth; }
  auto operator<=>(const TileName&) const = default;
};

// Relative to the log's folder, with "/" between the parts.
std::string tile_path(const TileName& name);
std::optional<TileName> parse_tile_path(std::string_view path);

// The folder of the partial tiles of `name` ("tile/0/000.p").
std::string partial_folder(const TileName& name);

// How many hashes of tile level `level` a log of `size` entries has.
inline std::uint64_t level_count(std::uint64_t size, unsigned level) noexcept {
  return size >> (kTileHeight * level);
}

// Every tile and bundle that a log of `size` entries consists of, in the order of TileName.
std::vector<TileName> tiles_of(std::uint64_t size);

// The entries of a bundle, borrowed from it. ErrorKind::malformed unless `bundle` is exactly
// `count` framed entries; the position of the fault is then in the sentence.
Result<std::vector<ByteView>> split_bundle(ByteView bundle, unsigned count);

}  // namespace paravent::crypto::audit
