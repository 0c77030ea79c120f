#include "policies/plan/name_rules.h"

#include <algorithm>
#include <array>
#include <utility>

#include "policies/model/php_name.h"

namespace paravent::policies {
namespace {

using Entries = std::vector<FlatMatcher::Entry>;

Entries as_php_reads(Entries entries) {
  for (FlatMatcher::Entry& entry : entries) {
    entry.name = entry.is_pattern ? php_pattern(entry.name) : php_name(entry.name);
  }
  return entries;
}

Entries in_lower_case(Entries entries) {
  for (FlatMatcher::Entry& entry : entries) {
    for (char& c : entry.name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return entries;
}

int rank_of(const FlatMatcher::Entry& entry) noexcept {
  if (entry.is_pattern) return 3;  // in the order of the policy
  if (!may_keep(*entry.action)) return 0;
  return always_keeps(*entry.action) ? 2 : 1;
}

}  // namespace

NameRules::NameRules(Entries entries, Reading reading, bool keeps_unlisted)
    : php_(reading == Reading::php),
      keeps_unlisted_(keeps_unlisted),
      only_literals_(false),
      exact_(php_ ? as_php_reads(entries) : entries, reading == Reading::header) {
  const bool has_pattern = std::any_of(entries.begin(), entries.end(),
                                       [](const auto& entry) { return entry.is_pattern; });
  if (reading == Reading::any_case && (keeps_unlisted || has_pattern)) {
    // Of two literals that differ in case alone the one that protects counts for a third spelling.
    std::stable_sort(entries.begin(), entries.end(),
                     [](const auto& a, const auto& b) { return rank_of(a) < rank_of(b); });
    any_case_ = std::make_unique<FlatMatcher>(in_lower_case(std::move(entries)), true);
  }
  only_literals_ = !has_pattern && !any_case_;
}

// No literal is spelt so.
const FieldAction* NameRules::find_unspelt(std::string_view name) const noexcept {
  const FieldAction* action = exact_.find_pattern(name);
  if (!any_case_) return action;
  if (action == nullptr) return keeps_unlisted_ ? any_case_->find(name) : nullptr;
  if (!may_keep(*action)) return action;
  const FieldAction* other = any_case_->find(name);
  return other != nullptr && !always_keeps(*other) ? other : action;
}

// The literal for the name itself; then, of every array that it may be an element of, the innermost
// first, a pattern that reaches into it (`tags[*`) or the literal for the array; and only then the
// patterns.
const FieldAction* NameRules::find_php(std::string_view field) const noexcept {
  std::array<char, kMaxPhpName> buffer;
  if (field.size() > buffer.size()) return nullptr;
  const std::string_view name = php_name(field, buffer.data());
  if (const FieldAction* action = exact_.find_literal(name)) return action;
  for (std::size_t bracket = name.rfind('['); bracket != std::string_view::npos && bracket > 0;
       bracket = name.rfind('[', bracket - 1)) {
    const FieldAction* array = exact_.find_literal(name.substr(0, bracket));
    if (array == nullptr) continue;
    const FieldAction* element = exact_.find_pattern(name, bracket);
    return element != nullptr ? element : array;
  }
  if (const FieldAction* action = exact_.find_pattern(name)) return action;
  const std::size_t bracket = name.find('[');
  return bracket == std::string_view::npos ? nullptr : exact_.find_pattern(name.substr(0, bracket));
}

}  // namespace paravent::policies
