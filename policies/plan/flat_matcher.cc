#include "policies/plan/flat_matcher.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "policies/model/php_name.h"
#include "policies/plan/name_hash.h"

namespace paravent::policies {
namespace {

char fold_char(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// `stored` is already in lower case when folding.
template <bool kFold>
bool equal(std::string_view stored, std::string_view text) noexcept {
  if (stored.size() != text.size()) return false;
  if constexpr (!kFold) {
    return same_name(stored, text);
  } else {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (stored[i] != fold_char(text[i])) return false;
    }
    return true;
  }
}

template <bool kFold>
std::size_t find_piece(std::string_view text, std::string_view piece) noexcept {
  if constexpr (!kFold) {
    return text.find(piece);
  } else {
    for (std::size_t at = 0; at + piece.size() <= text.size(); ++at) {
      if (equal<true>(piece, text.substr(at, piece.size()))) return at;
    }
    return std::string_view::npos;
  }
}

std::uint32_t hash_of(std::string_view text, bool fold) {
  return fold ? name_hash<true>(text) : name_hash<false>(text);
}

}  // namespace

FlatMatcher::FlatMatcher(std::vector<Entry> entries, bool fold) : fold_(fold) {
  for (Entry& entry : entries) {
    if (!entry.is_pattern) {
      longest_ = std::max(longest_, entry.name.size());
      literals_.push_back(std::move(entry));
      continue;
    }
    Pattern pattern;
    pattern.action = entry.action;
    const std::string& text = entry.name;
    std::size_t begin = text.find('*');
    pattern.prefix = text.substr(0, begin);
    for (std::size_t end = text.find('*', begin + 1); end != std::string::npos;
         begin = end, end = text.find('*', begin + 1)) {
      if (end > begin + 1) pattern.middles.push_back(text.substr(begin + 1, end - begin - 1));
    }
    pattern.suffix = text.substr(begin + 1);
    pattern.least = pattern.prefix.size() + pattern.suffix.size();
    for (const std::string& middle : pattern.middles) pattern.least += middle.size();
    patterns_.push_back(std::move(pattern));
  }
  const std::size_t size = std::bit_ceil(std::max<std::size_t>(4, literals_.size() * 2));
  slots_.resize(size);
  mask_ = static_cast<std::uint32_t>(size - 1);
  for (std::size_t i = 0; i < literals_.size(); ++i) {
    const std::uint32_t hash = hash_of(literals_[i].name, fold_);
    std::uint32_t at = hash & mask_;
    while (slots_[at].literal != 0) at = (at + 1) & mask_;
    slots_[at] = {hash, static_cast<std::uint32_t>(i + 1)};
  }
}

const FieldAction* FlatMatcher::find_literal(std::string_view name) const noexcept {
  return fold_ ? literal_in<true>(name) : literal_in<false>(name);
}

const FieldAction* FlatMatcher::find_pattern(std::string_view name,
                                             std::size_t beyond) const noexcept {
  return fold_ ? pattern_in<true>(name, beyond) : pattern_in<false>(name, beyond);
}

template <bool kFold>
const FieldAction* FlatMatcher::literal_in(std::string_view name) const noexcept {
  if (name.size() > longest_) return nullptr;
  const std::uint32_t hash = name_hash<kFold>(name);
  for (std::uint32_t at = hash & mask_; slots_[at].literal != 0; at = (at + 1) & mask_) {
    if (slots_[at].hash != hash) continue;
    const Entry& entry = literals_[slots_[at].literal - 1];
    if (equal<kFold>(entry.name, name)) return entry.action;
  }
  return nullptr;
}

template <bool kFold>
const FieldAction* FlatMatcher::pattern_in(std::string_view name,
                                           std::size_t beyond) const noexcept {
  for (const Pattern& pattern : patterns_) {
    if (beyond > 0 && pattern.prefix.size() <= beyond) continue;
    if (matches<kFold>(pattern, name)) return pattern.action;
  }
  return nullptr;
}

bool FlatMatcher::may_match_below(std::string_view path) const noexcept {
  return std::any_of(literals_.begin(), literals_.end(),
                     [path](const Entry& literal) {
                       const std::string_view name = literal.name;
                       return name.size() > path.size() && name[path.size()] == '/' &&
                              name.starts_with(path);
                     }) ||
         std::any_of(patterns_.begin(), patterns_.end(), [path](const Pattern& pattern) {
           const std::size_t both = std::min(path.size(), pattern.prefix.size());
           return path.substr(0, both) == std::string_view(pattern.prefix).substr(0, both);
         });
}

template <bool kFold>
bool FlatMatcher::matches(const Pattern& pattern, std::string_view name) noexcept {
  if (name.size() < pattern.least) return false;
  if (!equal<kFold>(pattern.prefix, name.substr(0, pattern.prefix.size()))) return false;
  const std::size_t tail = name.size() - pattern.suffix.size();
  if (!equal<kFold>(pattern.suffix, name.substr(tail))) return false;
  std::string_view rest = name.substr(pattern.prefix.size(), tail - pattern.prefix.size());
  for (const std::string& middle : pattern.middles) {
    const std::size_t at = find_piece<kFold>(rest, middle);
    if (at == std::string_view::npos) return false;
    rest.remove_prefix(at + middle.size());
  }
  return true;
}

}  // namespace paravent::policies
