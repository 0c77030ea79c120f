// FlatMatcher: finds the rule for a field name of a flat carrier. Literal names first, by hash;
// then the patterns (`*` matches any run) in the order of the policy.
//
// Immutable, thread safe, no allocation in find(). A literal costs one hash and one comparison; a
// pattern at worst name times pattern, since its pieces are found from left to right and never
// looked for again.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policies/plan/field_action.h"

namespace paravent::policies {

class FlatMatcher {
 public:
  struct Entry {
    std::string name;
    bool is_pattern = false;
    const FieldAction* action = nullptr;
  };

  // `fold`: names compare without ASCII case (headers); then the entries' names are in lower case.
  FlatMatcher(std::vector<Entry> entries, bool fold);

  const FieldAction* find(std::string_view name) const noexcept {
    const FieldAction* action = find_literal(name);
    return action != nullptr ? action : find_pattern(name);
  }
  const FieldAction* find_literal(std::string_view name) const noexcept;
  // `beyond`: only patterns that spell out more than so many bytes in front of their first `*`.
  const FieldAction* find_pattern(std::string_view name, std::size_t beyond = 0) const noexcept;
  // Whether a rule can be about a name that begins with `path` and a '/'. Of patterns by what they
  // spell out in front of their first `*` alone. Linear in the rules.
  bool may_match_below(std::string_view path) const noexcept;

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t literal = 0;  // index + 1; 0: free
  };
  struct Pattern {
    std::string prefix;
    std::vector<std::string> middles;
    std::string suffix;
    std::size_t least = 0;  // bytes of all pieces
    const FieldAction* action = nullptr;
  };

  template <bool kFold>
  const FieldAction* literal_in(std::string_view name) const noexcept;
  template <bool kFold>
  const FieldAction* pattern_in(std::string_view name, std::size_t beyond) const noexcept;
  template <bool kFold>
  static bool matches(const Pattern& pattern, std::string_view name) noexcept;

  bool fold_;
  std::uint32_t mask_ = 0;
  std::size_t longest_ = 0;  // of the literals
  std::vector<Slot> slots_;
  std::vector<Entry> literals_;
  std::vector<Pattern> patterns_;
};

}  // namespace paravent::policies
