// JsonWalk: where a JSON document under way stands in the trees of a JsonMatcher.
// JsonMatcher::begin() starts it for each text; enter() is told of every container. Owned by one
// thread, and reused.

#pragma once

#include <cstddef>
#include <cstdint>

#include "policies/plan/selector_trie.h"

namespace paravent::policies {

class JsonWalk {
 public:
  // A container begins at a path of so many steps.
  void enter(std::size_t depth) noexcept {
    exact_.enter(depth);
    any_case_.enter(depth);
  }
  std::uint64_t steps() const noexcept { return exact_.steps() + any_case_.steps(); }

 private:
  friend class JsonMatcher;
  TrieWalk exact_;
  TrieWalk any_case_;
};

}  // namespace paravent::policies
