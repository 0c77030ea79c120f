// NameRules: the rules of one flat carrier, found under a name as the readers behind the gateway
// may read it.
//
// PHP folds names (php_name.h), and a rule about `name` is about every element of the array
// `name[...]` too. ASP.NET and others match names without case: where a field would go on that no
// rule spells out (`unlisted: keep`, a pattern that keeps), a name in another case counts as the
// rule's, as it does in JSON (json_matcher.h). Literal names win over patterns in every reading.
//
// Immutable, thread safe, no allocation in find().

#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "policies/plan/field_action.h"
#include "policies/plan/flat_matcher.h"

namespace paravent::policies {

class NameRules {
 public:
  enum class Reading : unsigned char {
    exact,
    php,
    any_case,  // exact, and in another case where the field would go on otherwise
    header,    // without case, always; then the entries' names are in lower case
  };

  // `keeps_unlisted`: what no rule is about goes on. Folds the entries' names as it needs them.
  NameRules(std::vector<FlatMatcher::Entry> entries, Reading reading, bool keeps_unlisted);

  const FieldAction* find(std::string_view name) const noexcept {
    if (php_) return find_php(name);
    const FieldAction* action = exact_.find_literal(name);
    return action != nullptr || only_literals_ ? action : find_unspelt(name);
  }

  // As FlatMatcher, by the rules' own spelling.
  bool may_match_below(std::string_view path) const noexcept {
    return exact_.may_match_below(path);
  }

 private:
  const FieldAction* find_php(std::string_view name) const noexcept;
  const FieldAction* find_unspelt(std::string_view name) const noexcept;

  bool php_;
  bool keeps_unlisted_;
  bool only_literals_;  // and no other reading of a name
  FlatMatcher exact_;
  std::unique_ptr<const FlatMatcher> any_case_;  // null: case matters, or never does
};

}  // namespace paravent::policies
