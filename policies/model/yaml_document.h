// YamlDocument: a strict subset of YAML 1.2 as a tree with positions, for the files that people
// write (policy, gateway, tests). yaml-cpp finds the structure; what words mean is ours, so that
// `NO`, `on` and `010` never turn into something else.
//
// Refused, each with its place: anchors, aliases, tags, several documents, duplicate keys, keys
// that are not scalars, bytes that are not UTF-8 or are control characters, more than the limits.
// Pure function; the tree owns its texts. yaml-cpp's exceptions end here.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/model/diagnostics.h"

namespace paravent::policies {

struct YamlEntry;

struct YamlNode {
  enum class Type : std::uint8_t { null, scalar, sequence, map };

  Type type = Type::null;
  bool is_quoted = false;  // a scalar in quotes (or a block scalar) is never a number or a boolean
  Position at;
  std::string text;                // scalar
  std::vector<YamlNode> items;     // sequence
  std::vector<YamlEntry> entries;  // map, in the order of the file, keys unique

  bool is_scalar() const noexcept { return type == Type::scalar; }
  bool is_sequence() const noexcept { return type == Type::sequence; }
  bool is_map() const noexcept { return type == Type::map; }
};

struct YamlEntry {
  std::string key;
  Position at;
  YamlNode value;
};

struct YamlLimits {
  std::size_t bytes = 256 * 1024;
  std::size_t depth = 16;
  std::size_t nodes = 65536;
};

// The tree, or nothing when the text is no tree at all; then, and for every smaller fault, `out`
// has the reasons. A map loses the second value of a duplicate key.
std::optional<YamlNode> parse_yaml(std::string_view text, const YamlLimits& limits,
                                   Diagnostics& out);

}  // namespace paravent::policies
