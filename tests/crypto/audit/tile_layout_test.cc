// Paths and bundles of C2SP tlog-tiles (requirements R10).

#include "crypto/audit/tile_layout.h"

#include <gtest/gtest.h>

#include <map>

namespace paravent::crypto::audit {
namespace {

TEST(TileLayout, PathsOfTheSpecification) {
  EXPECT_EQ(tile_path({TileContent::hashes, 0, 1234067, 256}), "tile/0/x001/x234/067");
  EXPECT_EQ(tile_path({TileContent::hashes, 3, 0, 1}), "tile/3/000.p/1");
  EXPECT_EQ(tile_path({TileContent::entries, 0, 1000, 255}), "tile/entries/x001/000.p/255");
  EXPECT_EQ(partial_folder({TileContent::entries, 0, 999, 17}), "tile/entries/999.p");
}

TEST(TileLayout, ParsingIsTheExactInverse) {
  for (const std::uint64_t index : {0ULL, 1ULL, 999ULL, 1000ULL, 1234067ULL, 999999999ULL}) {
    for (const unsigned width : {1U, 42U, 255U, 256U}) {
      for (const unsigned level : {0U, 1U, 7U}) {
        const TileName hashes{TileContent::hashes, level, index, width};
        EXPECT_EQ(parse_tile_path(tile_path(hashes)), hashes);
      }
      const TileName entries{TileContent::entries, 0, index, width};
      EXPECT_EQ(parse_tile_path(tile_path(entries)), entries);
    }
  }
}

TEST(TileLayout, OtherSpellingsAreRefused) {
  for (const char* path : {"",
                           "tile",
                           "tile/",
                           "tile/0",
                           "tile/0/",
                           "tile/0/0",
                           "tile/0/00",
                           "tile/0/0000",
                           "tile/0/x000/001",
                           "tile/0/x001",
                           "tile/0/x001/",
                           "tile/0/001/002",
                           "tile/8/000",
                           "tile/00/000",
                           "tile/-/000",
                           "tile/0/-01",
                           "tile/0/+01",
                           "tile/0/000.p",
                           "tile/0/000.p/",
                           "tile/0/000.p/0",
                           "tile/0/000.p/256",
                           "tile/0/000.p/01",
                           "tile/0/000.p/1/",
                           "tile/0/000/1",
                           "tile/0/000.p/1000",
                           "tile/Entries/000",
                           "Tile/0/000",
                           "/tile/0/000",
                           "tile/0/000 ",
                           "tile/0/000.q/1",
                           "tile/entries",
                           "tile/0/x999/x999/x999/x999/x999/x999/999",
                           "tile/0/x999/x999/x999/x999/x999/999"}) {
    EXPECT_FALSE(parse_tile_path(path).has_value()) << path;
  }
}

TEST(TileLayout, SizeSeventyThousand) {
  std::map<unsigned, std::pair<int, unsigned>> levels;  // full tiles, width of the partial one
  std::pair<int, unsigned> entries{0, 0};
  for (const TileName& name : tiles_of(70'000)) {
    auto& at = name.content == TileContent::entries ? entries : levels[name.level];
    if (name.full()) {
      ++at.first;
    } else {
      at.second = name.width;
    }
  }
  EXPECT_EQ(levels.size(), 3U);
  EXPECT_EQ(levels[0], std::pair(273, 112U));
  EXPECT_EQ(levels[1], std::pair(1, 17U));
  EXPECT_EQ(levels[2], std::pair(0, 1U));
  EXPECT_EQ(entries, std::pair(273, 112U));
  EXPECT_TRUE(tiles_of(0).empty());
}

TEST(TileLayout, BundlesAreExactlyTheirEntries) {
  const Bytes bundle{0, 2, 'a', 'b', 0, 0, 0, 1, 'c'};
  const auto entries = split_bundle(bundle, 3);
  ASSERT_TRUE(entries.has_value());
  EXPECT_EQ(as_text((*entries)[0]), "ab");
  EXPECT_EQ(as_text((*entries)[1]), "");
  EXPECT_EQ(as_text((*entries)[2]), "c");
  EXPECT_FALSE(split_bundle(bundle, 2).has_value());
  EXPECT_FALSE(split_bundle(bundle, 4).has_value());
  for (std::size_t size = 0; size < bundle.size(); ++size) {
    EXPECT_FALSE(split_bundle(ByteView(bundle).first(size), 3).has_value()) << size;
  }
  EXPECT_TRUE(split_bundle({}, 0).has_value());
}

}  // namespace
}  // namespace paravent::crypto::audit
