#include "policies/model/previous_field.h"

#include <algorithm>
#include <string>
#include <utility>

#include "policies/model/yaml_reader.h"

namespace paravent::policies {
namespace {

std::string quoted(std::string_view name) {
  std::string out = "'";
  for (const char c : name) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

std::string step_text(const SelectorStep& step) {
  if (step.type == SelectorStep::Type::any_element) return "[*]";
  const bool plain = is_name(step.key) && step.key.find('.') == std::string::npos;
  return plain ? "." + step.key : "[" + quoted(step.key) + "]";
}

}  // namespace

std::variant<FieldSelector, SelectorFault> previous_selector(const Rule& rule) {
  const std::string& name = rule.previous.value;
  const FieldSelector& mine = rule.selector;
  const bool printable =
      std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c != '\x7F'; });
  if (!printable) return SelectorFault{in_quotes(name) + " is no field name", {}};
  std::string text(carrier_name(mine.carrier));
  if (mine.carrier == Carrier::multipart || mine.carrier == Carrier::path ||
      mine.carrier == Carrier::csv || mine.carrier == Carrier::xml) {
    return SelectorFault{"nothing can be put beside a field of this carrier",
                         "form, query, json, header and cookie can carry two"};
  }
  if (mine.carrier != Carrier::json) {
    if (mine.is_pattern) {
      return SelectorFault{"several fields cannot share one field for the epoch before",
                           "Write a rule for each of them, without '*'"};
    }
    const bool plain = name.find('*') == std::string::npos && !name.starts_with('\'');
    return parse_selector(text + "." + (plain ? name : quoted(name)));
  }
  const bool exact =
      std::all_of(mine.steps.begin(), mine.steps.end(), [](const SelectorStep& step) {
        return step.type == SelectorStep::Type::key || step.type == SelectorStep::Type::any_element;
      });
  // Behind `.*` and `..` another rule could name a single such place and let the sender write
  // there.
  if (!exact || mine.steps.empty() || mine.steps.back().type != SelectorStep::Type::key) {
    return SelectorFault{"a field beside this one cannot be named",
                         "Write its selector with .key and [*] only, and .key at the end"};
  }
  std::vector<SelectorStep> steps = mine.steps;
  steps.back().key = name;
  for (const SelectorStep& step : steps) text += step_text(step);
  return parse_selector(text);
}

}  // namespace paravent::policies
