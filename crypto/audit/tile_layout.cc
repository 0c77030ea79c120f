#include "crypto/audit/tile_layout.h"

#include <array>
#include <charconv>

namespace paravent::crypto::audit {
namespace {

// Tiles of 256 hashes number every leaf of 64 bits.
constexpr std::uint64_t kMaxTileIndex = (std::uint64_t{1} << 56U) - 1;

void append_index(std::string& out, std::uint64_t index) {
  std::vector<std::uint64_t> groups;
  do {
    groups.push_back(index % 1000);
    index /= 1000;
  } while (index != 0);
  while (!groups.empty()) {
    const std::uint64_t group = groups.back();
    groups.pop_back();
    if (!groups.empty()) out.push_back('x');
    out.push_back(static_cast<char>('0' + group / 100));
    out.push_back(static_cast<char>('0' + group / 10 % 10));
    out.push_back(static_cast<char>('0' + group % 10));
    if (!groups.empty()) out.push_back('/');
  }
}

void append_stem(std::string& out, const TileName& name) {
  out.append("tile/");
  if (name.content == TileContent::entries) {
    out.append("entries");
  } else {
    out.append(std::to_string(name.level));
  }
  out.push_back('/');
  append_index(out, name.index);
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

template <typename Number>
bool take_digits(std::string_view& text, std::size_t count, Number& value) {
  if (text.size() < count) return false;
  const auto* const end = text.data() + count;
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return false;
  text.remove_prefix(count);
  return true;
}

// Reads loosely; parse_tile_path compares with the one spelling afterwards.
bool take_index(std::string_view& text, std::uint64_t& index) {
  index = 0;
  for (int groups = 0; groups < 6; ++groups) {
    const bool more = take(text, "x");
    std::uint64_t group = 0;
    if (!take_digits(text, 3, group)) return false;
    index = index * 1000 + group;
    if (!more) return true;
    if (!take(text, "/")) return false;
  }
  return false;
}

}  // namespace

std::string tile_path(const TileName& name) {
  std::string path;
  append_stem(path, name);
  if (!name.full()) path.append(".p/").append(std::to_string(name.width));
  return path;
}

std::string partial_folder(const TileName& name) {
  std::string path;
  append_stem(path, name);
  return path.append(".p");
}

std::optional<TileName> parse_tile_path(std::string_view path) {
  TileName name;
  std::string_view rest = path;
  if (!take(rest, "tile/")) return std::nullopt;
  if (take(rest, "entries/")) {
    name.content = TileContent::entries;
  } else if (!take_digits(rest, 1, name.level) || name.level > kMaxTileLevel || !take(rest, "/")) {
    return std::nullopt;
  }
  if (!take_index(rest, name.index) || name.index > kMaxTileIndex) return std::nullopt;
  if (!rest.empty()) {
    if (!take(rest, ".p/") || rest.size() > 3) return std::nullopt;
    if (!take_digits(rest, rest.size(), name.width)) return std::nullopt;
    if (name.width == 0 || name.width >= kTileWidth) return std::nullopt;
  }
  if (tile_path(name) != path) return std::nullopt;
  return name;
}

std::vector<TileName> tiles_of(std::uint64_t size) {
  std::vector<TileName> names;
  const auto add = [&names](TileContent content, unsigned level, std::uint64_t count) {
    for (std::uint64_t index = 0; index < count / kTileWidth; ++index) {
      names.push_back({content, level, index, kTileWidth});
    }
    const auto rest = static_cast<unsigned>(count % kTileWidth);
    if (rest != 0) names.push_back({content, level, count / kTileWidth, rest});
  };
  for (unsigned level = 0; level <= kMaxTileLevel; ++level) {
    add(TileContent::hashes, level, level_count(size, level));
  }
  add(TileContent::entries, 0, size);
  return names;
}

Result<std::vector<ByteView>> split_bundle(ByteView bundle, unsigned count) {
  std::vector<ByteView> entries;
  entries.reserve(count);
  std::size_t at = 0;
  const auto fault = [&at](const char* what) {
    return Error(ErrorKind::malformed, "byte " + std::to_string(at) + ": " + what);
  };
  for (unsigned i = 0; i < count; ++i) {
    if (bundle.size() - at < 2) return fault("an entry is missing or cut short");
    const std::size_t size = std::size_t{bundle[at]} << 8U | bundle[at + 1];
    if (bundle.size() - at - 2 < size) return fault("an entry is cut short");
    entries.push_back(bundle.subspan(at + 2, size));
    at += 2 + size;
  }
  if (at != bundle.size()) return fault("bytes follow the last entry");
  return entries;
}

}  // namespace paravent::crypto::audit
