#include "policies/plan/selector_trie.h"

#include <algorithm>
#include <bit>

#include "policies/plan/key_hash.h"

namespace paravent::policies {

SelectorTrie::SelectorTrie(bool any_case) : any_case_(any_case), nodes_(1), table_(16) {}

void SelectorTrie::add(const std::vector<SelectorStep>& steps, std::uint32_t rank, bool never_keeps,
                       bool may_protect) {
  std::uint32_t at = 0;
  for (const SelectorStep& step : steps) at = child(at, step);
  const std::array<bool, 3> counts = {true, never_keeps, may_protect};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    std::uint32_t& best = nodes_[at].best[i];
    if (counts[i]) best = std::min(best, rank);
  }
}

std::uint32_t SelectorTrie::child(std::uint32_t from, const SelectorStep& step) {
  const auto made = static_cast<std::uint32_t>(nodes_.size());
  const auto only = [&](std::uint32_t& child) {
    const std::uint32_t known = child;
    if (known == 0) child = made;
    return known;
  };
  const bool named = step.type == Type::key || step.type == Type::descendant;
  std::uint32_t known = 0;
  if (step.type == Type::any_member) {
    known = only(nodes_[from].any_member);
  } else if (step.type == Type::any_element) {
    known = only(nodes_[from].any_element);
  } else {
    const std::string_view key = named ? std::string_view(step.key) : std::string_view();
    const std::uint32_t hash = named ? folded_hash(key) : step.index;
    known = child(from, step.type, key, hash);
    if (known == 0) {
      Node& node = nodes_[from];
      node.keys |= step.type == Type::key;
      node.descendants |= step.type == Type::descendant;
      node.elements |= step.type == Type::element;
      if (step.type == Type::element_where) node.where |= std::uint64_t{1} << step.index;
      if (2 * (edges_.size() + 1) > table_.size()) grow();
      edges_.push_back({from, hash, step.type, std::string(key), made});
      std::size_t place = place_of(from, step.type, hash);
      while (table_[place] != 0) place = (place + 1) & (table_.size() - 1);
      table_[place] = static_cast<std::uint32_t>(edges_.size());
    }
  }
  if (known != 0) return known;
  nodes_.emplace_back();
  return made;
}

std::uint32_t SelectorTrie::child(std::uint32_t from, Type type, std::string_view key,
                                  std::uint32_t hash) const noexcept {
  for (std::size_t place = place_of(from, type, hash); table_[place] != 0;
       place = (place + 1) & (table_.size() - 1)) {
    const Edge& edge = edges_[table_[place] - 1];
    if (edge.from != from || edge.hash != hash || edge.type != type) continue;
    if (edge.key == key || (any_case_ && same_in_any_case(edge.key, key))) return edge.to;
  }
  return 0;
}

std::size_t SelectorTrie::place_of(std::uint32_t from, Type type,
                                   std::uint32_t hash) const noexcept {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15U;  // 2^64 / golden ratio
  const std::uint64_t mixed =
      ((std::uint64_t{from} << 3U | static_cast<std::uint64_t>(type)) * kMultiplier ^ hash) *
      kMultiplier;
  return static_cast<std::size_t>(mixed >> 32U) & (table_.size() - 1);
}

void SelectorTrie::grow() {
  table_.assign(table_.size() * 2, 0);
  for (std::size_t i = 0; i < edges_.size(); ++i) {
    std::size_t place = place_of(edges_[i].from, edges_[i].type, edges_[i].hash);
    while (table_[place] != 0) place = (place + 1) & (table_.size() - 1);
    table_[place] = static_cast<std::uint32_t>(i + 1);
  }
}

void TrieWalk::begin(const SelectorTrie* trie) {
  // Whatever state the text before has left: it may have broken off anywhere.
  for (const std::uint32_t source : sources_) is_source_[source] = false;
  sources_.clear();
  active_.clear();
  levels_.clear();
  trie_ = trie;
  if (trie != nullptr && is_source_.size() < trie->nodes_.size()) {
    is_source_.resize(trie->nodes_.size());
  }
}

void TrieWalk::forget(std::size_t depth) noexcept {
  if (levels_.size() <= depth) return;
  levels_.resize(depth);
  const Level last = levels_.empty() ? Level{} : levels_.back();
  active_.resize(last.end);
  for (std::size_t i = last.sources; i < sources_.size(); ++i) is_source_[sources_[i]] = false;
  sources_.resize(last.sources);
}

template <typename Take>
void TrieWalk::for_each_child(const Level& level, const PathStep& step, Take take) {
  using Type = SelectorStep::Type;
  const auto& nodes = trie_->nodes_;
  const std::uint32_t hash = step.is_index ? 0 : folded_hash(step.key);
  const auto look_up = [&](std::uint32_t from, Type type, std::uint32_t what) {
    ++steps_;
    const std::uint32_t found = trie_->child(from, type, step.key, what);
    if (found != 0) take(found);
  };
  // By number: `take` may add to the vectors behind what is read here.
  for (std::uint32_t i = level.begin; i < level.end; ++i) {
    const std::uint32_t at = active_[i];
    const SelectorTrie::Node& node = nodes[at];
    ++steps_;
    if (!step.is_index) {
      if (node.keys) look_up(at, Type::key, hash);
      if (node.any_member != 0) take(node.any_member);
      continue;
    }
    if (node.any_element != 0) take(node.any_element);
    if (node.elements) look_up(at, Type::element, step.index);
    std::uint64_t holding = node.where & (trie_->any_case_ ? step.filters_any_case : step.filters);
    for (; holding != 0; holding &= holding - 1) {
      look_up(at, Type::element_where, static_cast<std::uint32_t>(std::countr_zero(holding)));
    }
  }
  if (step.is_index) return;
  for (std::uint32_t i = 0; i < level.sources; ++i) look_up(sources_[i], Type::descendant, hash);
}

void TrieWalk::push_root() {
  active_.assign(1, 0);
  if (trie_->nodes_.front().descendants) {
    sources_.push_back(0);
    is_source_[0] = true;
  }
  levels_.push_back({0, 1, static_cast<std::uint32_t>(sources_.size())});
}

void TrieWalk::push(const PathStep& step) {
  const Level above = levels_.back();
  for_each_child(above, step, [this](std::uint32_t child) {
    const SelectorTrie::Node& node = trie_->nodes_[child];
    if (node.inner()) active_.push_back(child);
    if (!node.descendants || is_source_[child]) return;
    sources_.push_back(child);
    is_source_[child] = true;
  });
  levels_.push_back({above.end, static_cast<std::uint32_t>(active_.size()),
                     static_cast<std::uint32_t>(sources_.size())});
}

bool TrieWalk::leads_on(JsonPath path) {
  if (levels_.empty()) push_root();
  while (levels_.size() <= path.size()) push(path[levels_.size() - 1]);
  const Level& level = levels_[path.size()];
  return level.end > level.begin || level.sources > 0;
}

std::uint32_t TrieWalk::find(JsonPath path, SelectorTrie::Wanted wanted) {
  if (path.empty()) return SelectorTrie::kNone;
  if (levels_.empty()) push_root();
  while (levels_.size() < path.size()) push(path[levels_.size() - 1]);
  std::uint32_t best = SelectorTrie::kNone;
  for_each_child(levels_[path.size() - 1], path.back(), [&](std::uint32_t child) {
    best = std::min(best, trie_->nodes_[child].best[static_cast<std::size_t>(wanted)]);
  });
  return best;
}

}  // namespace paravent::policies
