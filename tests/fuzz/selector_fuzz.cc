// Any bytes as a field selector: never a crash; a parsed selector is the same as itself, and one
// without wildcards is found by the plan's matchers under the name that it stands for.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "policies/model/selector.h"
#include "policies/plan/flat_matcher.h"
#include "policies/plan/json_matcher.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent::policies;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = parse_selector(text);
  const auto* selector = std::get_if<FieldSelector>(&parsed);
  if (selector == nullptr) return 0;
  if (!selector->same_as(*selector)) std::abort();
  const FieldAction action;
  if (selector->carrier == Carrier::json) {
    const JsonMatcher matcher({{selector->steps, &action}});
    std::vector<PathStep> path;
    for (const SelectorStep& step : selector->steps) {
      const bool element = step.type == SelectorStep::Type::any_element ||
                           step.type == SelectorStep::Type::element ||
                           step.type == SelectorStep::Type::element_where;
      path.push_back({step.key, step.index, element, ~std::uint64_t{0}, ~std::uint64_t{0}});
    }
    if (matcher.find(path) != &action || !matcher.may_match_below(path)) std::abort();
    std::vector<std::string> keys;
    for (PathStep& step : path) {
      std::string& key = keys.emplace_back(step.key);
      for (char& c : key) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    for (std::size_t i = 0; i < path.size(); ++i) path[i].key = keys[i];
    if (matcher.find(path, true) != &action) std::abort();
  } else {
    // A pattern matches its own text: every `*` stands for itself.
    const FlatMatcher matcher({{selector->name, selector->is_pattern, &action}},
                              selector->carrier == Carrier::header);
    if (matcher.find(selector->name) != &action) std::abort();
  }
  return 0;
}
