// JsonMatcher: finds the rule for a value in a JSON document. Selectors without wildcards come
// first, then the others in the order of the policy. The last step decides by hash which selectors
// can match at all; those few are compared from the top down.
//
// Members whose names differ only in case (key_case.h) are different fields, and not to every
// reader: where what no rule lists would go on, other spellings count as the rule's (`any_case`),
// behind the exact one; and always where a rule that keeps what it does not spell out (`.*`, `..`)
// would be theirs, and a rule that protects what they resemble stands before it. The same where a
// [k=v] holds for some readers only. A rule that keeps never wins by resemblance. It costs nothing
// where no name resembles a rule's, because the hash is of the folded name.
//
// Up to kFew selectors of one last step are compared one by one, which is quicker than any
// bookkeeping. Where there may be more, a JsonWalk follows the document through a tree of them
// (selector_trie.h): a value then costs what fits the containers around it, however many rules the
// policy has.
//
// Immutable, thread safe. Look-ups allocate nothing, but for the walk's own memory until it has
// grown. Without a walk: at worst path times steps for a selector.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/model/selector.h"
#include "policies/plan/field_action.h"
#include "policies/plan/json_path.h"
#include "policies/plan/json_walk.h"

namespace paravent::policies {

class JsonMatcher {
 public:
  struct Entry {
    std::vector<SelectorStep> steps;  // not empty
    const FieldAction* action = nullptr;
  };

  // REQUIRES: at most kMaxFilters different [k=v].
  explicit JsonMatcher(std::vector<Entry> entries);

  const FieldAction* find(JsonPath path, bool any_case = false) const {
    return may_find(path) ? find_in_table(path, any_case, nullptr) : nullptr;
  }
  // The same, for the values and containers of one document in their order. REQUIRES: begin(walk)
  // before the document, and walk.enter() behind the look-up of each container, if there is one.
  const FieldAction* find(JsonPath path, bool any_case, JsonWalk& walk) const {
    return may_find(path) ? find_in_table(path, any_case, &walk) : nullptr;
  }
  void begin(JsonWalk& walk) const {
    walk.exact_.begin(exact_.get());
    walk.any_case_.begin(any_case_.get());
  }
  // Whether some selector selects `path` or something that could lie below it.
  bool may_match_below(JsonPath path) const noexcept;
  // Of a container that the walk has entered: whether a selector could select something inside, by
  // the names' own spelling. As may_match_below(), and however many selectors there are.
  bool leads_below(JsonPath path, JsonWalk& walk) const {
    return exact_ != nullptr ? walk.exact_.leads_on(path) : may_match_below(path);
  }
  // Whether some selector ends in the member `key`.
  bool ends_in(std::string_view key) const noexcept;

  // The [k=v] of all selectors, each once. PathStep::filters has their bits in this order.
  struct Filter {
    std::string key;
    std::string value;
    bool operator==(const Filter&) const = default;
  };
  const std::vector<Filter>& filters() const noexcept { return filters_; }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t first = 0;  // keyed_[first, last) end in a key of this hash
    std::uint32_t last = 0;   // 0: free
  };

  static constexpr std::size_t kFew = 8;

  void number_filters();
  void plant();
  void mark_edges(std::string_view key, std::uint8_t bit);
  // The selector of the lowest rank below `limit` that matches and whose action will do.
  template <bool kFold>
  const Entry* find_in(const Slot* slot, JsonPath path, std::uint32_t limit,
                       SelectorTrie::Wanted wanted, JsonWalk* walk) const;
  std::span<const std::uint32_t> ranks_of(const Slot& slot) const noexcept;
  const Slot* slot_of(std::string_view key) const noexcept;
  bool may_end_in(std::string_view key) const noexcept {
    if (key.empty()) return true;
    const auto first = static_cast<unsigned char>(key.front());
    const auto last = static_cast<unsigned char>(key.back());
    return (first_bytes_[first] & last_bytes_[last]) != 0;
  }
  // False for most values of a document, at the cost of two bytes of their name.
  bool may_find(JsonPath path) const noexcept {
    if (path.empty()) return false;
    const PathStep& last = path.back();
    if (last.is_index) return !any_element_.empty();
    return may_end_in(last.key) || !any_member_.empty();
  }
  const FieldAction* find_in_table(JsonPath path, bool any_case, JsonWalk* walk) const;

  std::vector<Entry> selectors_;  // by rank; the index of element_where is that of its filter
  std::vector<Filter> filters_;
  std::vector<std::uint32_t>
      keyed_;  // ranks, grouped by the hash of the last key, each group ascending
  std::vector<std::uint32_t> any_member_;   // ranks of the selectors that end in .*
  std::vector<std::uint32_t> any_element_;  // ranks of those that end in [*], [N] or [k=v]
  std::vector<Slot> slots_;
  std::uint32_t mask_ = 0;
  // By the first and the last byte of a key, one bit for some of the keyed selectors: where no bit
  // is in both, none of them ends in it. Most members of a document are told by that alone.
  std::array<std::uint8_t, 256> first_bytes_{};
  std::array<std::uint8_t, 256> last_bytes_{};
  // Of all selectors; null where there are not more than kFew.
  std::unique_ptr<const SelectorTrie> exact_;
  std::unique_ptr<const SelectorTrie> any_case_;
};

}  // namespace paravent::policies
