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

// Those patterns that speak of elements of one array: `tags[*`, not `*`.
Entries patterns_of_elements(Entries entries) {
  const auto is_other = [](const FlatMatcher::Entry& entry) {
    return !entry.is_pattern || entry.name.find('[') > entry.name.find('*');
  };
  entries.erase(std::remove_if(entries.begin(), entries.end(), is_other), entries.end());
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

}  // namespace

NameRules::NameRules(Entries entries, Reading reading, bool keeps_unlisted)
    : php_(reading == Reading::php),
      keeps_unlisted_(keeps_unlisted),
      exact_(php_ ? as_php_reads(entries) : entries, reading == Reading::header) {
  if (php_) {
    Entries elements = patterns_of_elements(as_php_reads(entries));
    if (!elements.empty()) elements_ = std::make_unique<FlatMatcher>(std::move(elements), false);
  }
  const bool has_pattern = std::any_of(entries.begin(), entries.end(),
                                       [](const auto& entry) { return entry.is_pattern; });
  if (reading == Reading::any_case && (keeps_unlisted || has_pattern)) {
    any_case_ = std::make_unique<FlatMatcher>(in_lower_case(std::move(entries)), true);
  }
}

// No literal is spelt so.
const FieldAction* NameRules::find_unspelt(std::string_view name) const noexcept {
  const FieldAction* action = exact_.find_pattern(name);
  if (!any_case_) return action;
  if (action == nullptr) return keeps_unlisted_ ? any_case_->find(name) : nullptr;
  if (!may_keep(*action)) return action;
  const FieldAction* other = any_case_->find_literal(name);
  return other != nullptr && !always_keeps(*other) ? other : action;
}

// The literal for the name itself and the patterns that speak of the array's elements; then the
// literals of every array that it may be an element of, the innermost first; and only then patterns
// that do not.
const FieldAction* NameRules::find_php(std::string_view field) const noexcept {
  std::array<char, kMaxPhpName> buffer;
  if (field.size() > buffer.size()) return nullptr;
  const std::string_view name = php_name(field, buffer.data());
  if (const FieldAction* action = exact_.find_literal(name)) return action;
  if (elements_) {
    if (const FieldAction* action = elements_->find_pattern(name)) return action;
  }
  for (std::size_t bracket = name.rfind('['); bracket != std::string_view::npos && bracket > 0;
       bracket = name.rfind('[', bracket - 1)) {
    if (const FieldAction* action = exact_.find_literal(name.substr(0, bracket))) return action;
  }
  if (const FieldAction* action = exact_.find_pattern(name)) return action;
  const std::size_t bracket = name.find('[');
  return bracket == std::string_view::npos ? nullptr : exact_.find_pattern(name.substr(0, bracket));
}

}  // namespace paravent::policies
