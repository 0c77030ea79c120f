// FieldSelector: which field a rule speaks about, e.g. `form.email`, `form.'input_1.*'`,
// `query.utm_*`, `json.items[*].email`, `json..email`.
//
// In the flat carriers everything after the first dot is the literal name; `*` matches any run; a
// name in single quotes is literal throughout ('' is one quote). In json: `.key`, `.*` (any
// member), `['key']`,
// `[*]` (any element), `..key` (at any depth).
//
// `OUTER > INNER` is a field inside another one that the policy opens: INNER is json, query, or the
// bare word `value`; see inside.h. The name of an uploaded file is `multipart.NAME > file-name`
// (file_rule.h). Plain values; parsing is a pure function.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policies/model/vocabulary.h"

namespace paravent::policies {

inline constexpr std::size_t kMaxSelectorBytes = 512;
inline constexpr std::size_t kMaxSelectorSteps = 32;
// Different [k=v] of one route or opened field.
inline constexpr std::size_t kMaxFilters = 64;

struct SelectorStep {
  enum class Type : std::uint8_t {
    key,            // the member `key`
    any_member,     // .*
    any_element,    // [*]
    element,        // [N]: the element of this index, from 0
    element_where,  // [k=v]: an element that is an object whose member k is the string v
    descendant,     // ..key: the member `key` of this value or of anything below it
  };
  Type type = Type::key;
  std::string key;
  std::string value{};      // element_where
  std::uint32_t index = 0;  // element
  friend bool operator==(const SelectorStep&, const SelectorStep&) = default;
};

struct FieldSelector {
  std::string text;   // as the policy wrote it
  std::string outer;  // the text of the opened field that this one is inside of; empty: none
  Carrier carrier = Carrier::form;
  Carrier root = Carrier::form;     // of the message's field that holds this one; else `carrier`
  std::string name;                 // flat carriers; header names in lower case
  bool is_pattern = false;          // `name` holds `*` that match any run
  std::vector<SelectorStep> steps;  // json

  // Whether two selectors select exactly the same, however they are spelled.
  bool same_as(const FieldSelector& other) const;
  // Whether it may match more than one place of a message by design.
  bool is_wild() const;
};

struct SelectorFault {
  std::string message;
  std::string hint;
};

std::variant<FieldSelector, SelectorFault> parse_selector(std::string_view text);

}  // namespace paravent::policies
