// TextTable and PathTable: which of many texts equal a given one, and which of many paths take it.
// What is exact is found by hash, so that a thousand cost what ten do; patterns are asked one after
// the other.
//
// Internal to policies/plan. Built by add(), then immutable and thread safe; look-ups allocate
// nothing. Texts and paths are borrowed and must stay where they are. A number is whatever the
// owner knows a text by; several may have one text.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "policies/model/path_pattern.h"
#include "policies/plan/name_hash.h"

namespace paravent::policies {

class TextTable {
 public:
  void add(std::string_view text, std::uint32_t number);

  bool empty() const noexcept { return items_.empty(); }
  static std::uint32_t hash_of(std::string_view text) noexcept { return name_hash<false>(text); }

  // Calls `visit(number)` for each that equals `text`. REQUIRES: hash == hash_of(text).
  template <typename Visit>
  void for_equal(std::string_view text, std::uint32_t hash, const Visit& visit) const {
    if (slots_.empty()) return;
    for (std::uint32_t at = slots_[hash & (slots_.size() - 1)]; at != 0; at = items_[at - 1].next) {
      const Item& item = items_[at - 1];
      if (item.hash == hash && same_name(item.text, text)) visit(item.number);
    }
  }

 private:
  struct Item {
    std::string_view text;
    std::uint32_t hash = 0;
    std::uint32_t number = 0;
    std::uint32_t next = 0;  // of its slot, + 1; 0: the last one
  };

  void link(std::uint32_t item) noexcept;

  std::vector<Item> items_;
  std::vector<std::uint32_t> slots_;  // index + 1 of the first item; a power of two of them
};

class PathTable {
 public:
  void add(const PathPattern& path, std::uint32_t number);

  // Calls `visit(number)` for each that takes `path`. REQUIRES: hash == TextTable::hash_of(path).
  template <typename Visit>
  void for_path(std::string_view path, std::uint32_t hash, const Visit& visit) const {
    exact_.for_equal(path, hash, visit);
    for (const Pattern& pattern : patterns_) {
      if (pattern.path->matches(path)) visit(pattern.number);
    }
  }
  // Those alone that are no patterns.
  template <typename Visit>
  void for_exact(std::string_view path, const Visit& visit) const {
    if (!exact_.empty()) exact_.for_equal(path, TextTable::hash_of(path), visit);
  }

 private:
  struct Pattern {
    const PathPattern* path;
    std::uint32_t number;
  };

  TextTable exact_;
  std::vector<Pattern> patterns_;
};

}  // namespace paravent::policies
