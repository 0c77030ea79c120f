// SelectorTrie: the steps of many JSON selectors as a tree, where what begins alike shares its
// nodes. TrieWalk follows a document through it: what is known of a container is kept while the
// document is inside of it, so that a value costs a look-up for each selector that fits the
// containers around it in a way of its own, and nothing for those that do not. With a thousand
// rules about the elements of a thousand arrays an element costs as much as with one.
//
// The tree is immutable once its selectors are added, and may be shared by threads. A walk is owned
// by one thread and keeps its memory from text to text: at most a word for each node and depth.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "policies/model/selector.h"
#include "policies/plan/json_path.h"

namespace paravent::policies {

class SelectorTrie {
 public:
  // Which of the selectors count: see JsonMatcher on rules that keep.
  enum class Wanted : std::uint8_t { any, never_keeps, may_protect };
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  // `any_case`: names that differ in case alone are one name, and a [k=v] holds where it may for a
  // reader to whom they are.
  explicit SelectorTrie(bool any_case);

  // `index` of a [k=v] is the number of its filter, below 64. REQUIRES: ranks come ascending.
  void add(const std::vector<SelectorStep>& steps, std::uint32_t rank, bool never_keeps,
           bool may_protect);

 private:
  friend class TrieWalk;
  using Type = SelectorStep::Type;

  struct Node {
    std::array<std::uint32_t, 3> best{kNone, kNone, kNone};  // of those that end here, by Wanted
    std::uint64_t where = 0;                                 // the filters it has children for
    std::uint32_t any_member = 0;                            // a child, 0: none
    std::uint32_t any_element = 0;
    bool keys = false;
    bool elements = false;
    bool descendants = false;
    bool inner() const noexcept {
      return keys || elements || descendants || where != 0 || any_member != 0 || any_element != 0;
    }
  };
  // Of the types key, descendant, element and element_where.
  struct Edge {
    std::uint32_t from = 0;
    std::uint32_t hash = 0;  // of the key; of the others the index
    Type type = Type::key;
    std::string key;
    std::uint32_t to = 0;
  };

  std::uint32_t child(std::uint32_t from, const SelectorStep& step);
  // 0: none.
  std::uint32_t child(std::uint32_t from, Type type, std::string_view key,
                      std::uint32_t hash) const noexcept;
  std::size_t place_of(std::uint32_t from, Type type, std::uint32_t hash) const noexcept;
  void grow();

  bool any_case_;
  std::vector<Node> nodes_;  // the root first
  std::vector<Edge> edges_;
  std::vector<std::uint32_t> table_;  // 1 + index of an edge, 0: free; at most half full
};

class TrieWalk {
 public:
  // Before each text; null: nothing is to be followed.
  void begin(const SelectorTrie* trie);
  // A container begins whose path has `depth` steps: what was known of the one before it is void.
  void enter(std::size_t depth) noexcept {
    if (levels_.size() > depth) forget(depth);
  }
  // The lowest rank that is `wanted` and selects `path`; kNone: no selector does. REQUIRES: begun
  // with a trie, and enter() has been called for every container around.
  std::uint32_t find(JsonPath path, SelectorTrie::Wanted wanted);
  // Whether a selector could select something inside of the container at `path`. REQUIRES: as
  // find(), and enter() has been called for the container itself.
  bool leads_on(JsonPath path);

  // Look-ups so far, for tests: what the time is made of.
  std::uint64_t steps() const noexcept { return steps_; }

 private:
  struct Level {  // of one container
    std::uint32_t begin = 0;
    std::uint32_t end = 0;      // active_[begin, end): the nodes that its path leads to
    std::uint32_t sources = 0;  // sources_[0, sources): the nodes above whose `..` begins
  };

  void forget(std::size_t depth) noexcept;
  void push_root();
  void push(const PathStep& step);
  template <typename Take>
  void for_each_child(const Level& level, const PathStep& step, Take take);

  const SelectorTrie* trie_ = nullptr;
  std::vector<Level> levels_;  // by the number of steps
  std::vector<std::uint32_t> active_;
  std::vector<std::uint32_t> sources_;
  std::vector<bool> is_source_;  // by node
  std::uint64_t steps_ = 0;
};

}  // namespace paravent::policies
