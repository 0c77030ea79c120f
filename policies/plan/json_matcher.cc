#include "policies/plan/json_matcher.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <utility>

#include "policies/plan/key_hash.h"

namespace paravent::policies {
namespace {

using Type = SelectorStep::Type;

bool is_wild(const JsonMatcher::Entry& entry) {
  return std::any_of(entry.steps.begin(), entry.steps.end(),
                     [](const SelectorStep& step) { return step.type != Type::key; });
}

template <bool kFold>
bool same_key(std::string_view a, std::string_view b) noexcept {
  if constexpr (kFold) return same_in_any_case(a, b);
  return a == b;
}

// Every byte that the edge of a name may have whose folded edge is `folded`: what is not ASCII may
// fold to anything.
void mark_edge(std::array<std::uint8_t, 256>& edges, char folded, std::uint8_t bit) noexcept {
  const auto byte = static_cast<unsigned char>(folded);
  edges[byte] |= bit;
  if (byte >= 'a' && byte <= 'z') edges[byte - 0x20U] |= bit;
  for (std::size_t high = 0x80; high < edges.size(); ++high) edges[high] |= bit;
}

template <bool kFold>
bool step_matches(const SelectorStep& selector, const PathStep& step) noexcept {
  switch (selector.type) {
    case Type::key:
    case Type::descendant:
      return !step.is_index && same_key<kFold>(step.key, selector.key);
    case Type::any_member:
      return !step.is_index;
    case Type::any_element:
      return step.is_index;
    case Type::element:
      return step.is_index && step.index == selector.index;
    case Type::element_where:
      return step.is_index &&
             ((kFold ? step.filters_any_case : step.filters) >> selector.index & 1U) != 0;
  }
  return false;
}

// As a glob whose `*` is the any-depth part of a descendant step: the latest one is enough to retry
// from.
template <bool kFold>
bool matches(const std::vector<SelectorStep>& steps, JsonPath path) noexcept {
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t s = 0;
  std::size_t p = 0;
  std::size_t descendant = kNone;
  std::size_t retry = 0;
  while (p < path.size()) {
    if (s < steps.size()) {
      if (steps[s].type == Type::descendant) {
        descendant = s;
        retry = p;
      }
      if (step_matches<kFold>(steps[s], path[p])) {
        ++s;
        ++p;
        continue;
      }
    }
    if (descendant == kNone) return false;
    s = descendant;
    p = ++retry;
  }
  return s == steps.size();
}

// `.*` and the like: what such a selector lets pass without spelling it out is as good as unlisted.
bool is_vague(const JsonMatcher::Entry& entry) noexcept {
  return std::any_of(entry.steps.begin(), entry.steps.end(), [](const SelectorStep& step) {
    return step.type == Type::any_member || step.type == Type::descendant;
  });
}

// Some [k=v] holds for some readers only.
bool is_doubtful(JsonPath path) noexcept {
  return std::any_of(path.begin(), path.end(),
                     [](const PathStep& step) { return step.filters != step.filters_any_case; });
}

using Wanted = SelectorTrie::Wanted;

bool will_do(const FieldAction& action, Wanted wanted) noexcept {
  switch (wanted) {
    case Wanted::any:
      return true;
    case Wanted::never_keeps:
      return !may_keep(action);
    case Wanted::may_protect:
      return !always_keeps(action);
  }
  return false;
}

// The lowest rank of `ranks` whose selector matches and whose action will do, below `best`.
template <bool kFold, typename Ranks>
std::uint32_t best_of(const Ranks& ranks, std::uint32_t best,
                      const std::vector<JsonMatcher::Entry>& selectors, JsonPath path,
                      Wanted wanted) noexcept {
  for (const std::uint32_t rank : ranks) {
    if (rank >= best) return best;
    if (wanted != Wanted::any && !will_do(*selectors[rank].action, wanted)) continue;
    if (matches<kFold>(selectors[rank].steps, path)) return rank;
  }
  return best;
}

}  // namespace

JsonMatcher::JsonMatcher(std::vector<Entry> entries) : selectors_(std::move(entries)) {
  number_filters();
  std::stable_partition(selectors_.begin(), selectors_.end(),
                        [](const Entry& entry) { return !is_wild(entry); });
  struct Keyed {
    std::uint32_t hash;
    std::uint32_t rank;
  };
  std::vector<Keyed> keyed;
  for (std::uint32_t rank = 0; rank < selectors_.size(); ++rank) {
    const SelectorStep& last = selectors_[rank].steps.back();
    if (last.type == Type::any_member) {
      any_member_.push_back(rank);
    } else if (last.type == Type::any_element || last.type == Type::element ||
               last.type == Type::element_where) {
      any_element_.push_back(rank);
    } else {
      keyed.push_back({folded_hash(last.key), rank});
      mark_edges(last.key, static_cast<std::uint8_t>(1U << keyed.size() % 8U));
    }
  }
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const Keyed& a, const Keyed& b) { return a.hash < b.hash; });
  slots_.resize(std::bit_ceil(std::max<std::size_t>(4, keyed.size() * 2)));
  mask_ = static_cast<std::uint32_t>(slots_.size() - 1);
  for (std::size_t i = 0; i < keyed.size();) {
    std::size_t end = i;
    while (end < keyed.size() && keyed[end].hash == keyed[i].hash) {
      keyed_.push_back(keyed[end++].rank);
    }
    std::uint32_t at = keyed[i].hash & mask_;
    while (slots_[at].last != 0) at = (at + 1) & mask_;
    slots_[at] = {keyed[i].hash, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(end)};
    i = end;
  }
  plant();
}

void JsonMatcher::plant() {
  if (selectors_.size() <= kFew) return;
  auto exact = std::make_unique<SelectorTrie>(false);
  auto any_case = std::make_unique<SelectorTrie>(true);
  for (std::uint32_t rank = 0; rank < selectors_.size(); ++rank) {
    const FieldAction& action = *selectors_[rank].action;
    const bool never_keeps = will_do(action, Wanted::never_keeps);
    const bool may_protect = will_do(action, Wanted::may_protect);
    exact->add(selectors_[rank].steps, rank, never_keeps, may_protect);
    any_case->add(selectors_[rank].steps, rank, never_keeps, may_protect);
  }
  exact_ = std::move(exact);
  any_case_ = std::move(any_case);
}

void JsonMatcher::number_filters() {
  for (Entry& entry : selectors_) {
    for (SelectorStep& step : entry.steps) {
      if (step.type != Type::element_where) continue;
      Filter filter{step.key, step.value};
      auto known = std::find(filters_.begin(), filters_.end(), filter);
      if (known == filters_.end()) known = filters_.insert(known, std::move(filter));
      step.index = static_cast<std::uint32_t>(known - filters_.begin());
    }
  }
  if (filters_.size() > kMaxFilters) std::abort();
}

void JsonMatcher::mark_edges(std::string_view key, std::uint8_t bit) {
  std::string folded(key.size(), '\0');
  folded.resize(fold_text(key, folded.data()));
  if (folded.empty()) return;  // asked for by its size
  mark_edge(first_bytes_, folded.front(), bit);
  mark_edge(last_bytes_, folded.back(), bit);
}

const JsonMatcher::Slot* JsonMatcher::slot_of(std::string_view key) const noexcept {
  if (!may_end_in(key)) return nullptr;
  const std::uint32_t hash = folded_hash(key);
  for (std::uint32_t at = hash & mask_; slots_[at].last != 0; at = (at + 1) & mask_) {
    if (slots_[at].hash == hash) return &slots_[at];
  }
  return nullptr;
}

const FieldAction* JsonMatcher::find_in_table(JsonPath path, bool any_case, JsonWalk* walk) const {
  const bool in_array = path.back().is_index;
  const Slot* slot = in_array ? nullptr : slot_of(path.back().key);
  if (slot == nullptr && (in_array ? any_element_ : any_member_).empty()) return nullptr;
  const auto none = static_cast<std::uint32_t>(selectors_.size());
  const Entry* const exact = find_in<false>(slot, path, none, Wanted::any, walk);
  // Where the value would go on as it is, a rule that would have it otherwise for some reader wins.
  if (exact == nullptr ? !any_case : !may_keep(*exact->action)) {
    return exact == nullptr ? nullptr : exact->action;
  }
  const bool doubtful = is_doubtful(path);
  if (exact != nullptr && !doubtful && !is_vague(*exact)) return exact->action;
  // What stands behind the exact one would not have won for any reader, unless they differ about
  // a [k=v].
  const std::uint32_t limit =
      exact == nullptr || doubtful ? none : static_cast<std::uint32_t>(exact - selectors_.data());
  if (const Entry* other = find_in<true>(slot, path, limit, Wanted::never_keeps, walk)) {
    return other->action;
  }
  if (exact == nullptr || always_keeps(*exact->action)) {
    if (const Entry* other = find_in<true>(slot, path, limit, Wanted::may_protect, walk)) {
      return other->action;
    }
  }
  return exact == nullptr ? nullptr : exact->action;
}

std::span<const std::uint32_t> JsonMatcher::ranks_of(const Slot& slot) const noexcept {
  return std::span(keyed_).subspan(slot.first, slot.last - slot.first);
}

template <bool kFold>
const JsonMatcher::Entry* JsonMatcher::find_in(const Slot* slot, JsonPath path, std::uint32_t limit,
                                               Wanted wanted, JsonWalk* walk) const {
  const bool in_array = path.back().is_index;
  if (walk != nullptr && exact_ != nullptr) {
    const std::size_t candidates =
        in_array ? any_element_.size()
                 : any_member_.size() + (slot != nullptr ? slot->last - slot->first : 0);
    if (candidates > kFew) {
      const std::uint32_t best = (kFold ? walk->any_case_ : walk->exact_).find(path, wanted);
      return best >= limit ? nullptr : &selectors_[best];
    }
  }
  std::uint32_t best = limit;
  if (in_array) {
    best = best_of<kFold>(any_element_, best, selectors_, path, wanted);
  } else {
    if (slot != nullptr) best = best_of<kFold>(ranks_of(*slot), best, selectors_, path, wanted);
    best = best_of<kFold>(any_member_, best, selectors_, path, wanted);
  }
  return best == limit ? nullptr : &selectors_[best];
}

bool JsonMatcher::may_match_below(JsonPath path) const noexcept {
  return std::any_of(selectors_.begin(), selectors_.end(), [&](const Entry& entry) {
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (i == entry.steps.size()) return false;  // the selector ends above
      if (entry.steps[i].type == Type::descendant) return true;
      if (!step_matches<false>(entry.steps[i], path[i])) return false;
    }
    return true;
  });
}

bool JsonMatcher::ends_in(std::string_view key) const noexcept {
  const Slot* slot = slot_of(key);
  if (slot == nullptr) return false;
  for (std::uint32_t i = slot->first; i < slot->last; ++i) {
    if (selectors_[keyed_[i]].steps.back().key == key) return true;
  }
  return false;
}

}  // namespace paravent::policies
