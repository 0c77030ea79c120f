#include "policies/model/condition.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "policies/model/header_name.h"
#include "policies/model/php_name.h"
#include "policies/model/rule_context.h"
#include "policies/model/yaml_reader.h"

namespace paravent::policies {
namespace {

// Of the one carrier that forms are to conditions.
Carrier read_as(Carrier carrier) { return carrier == Carrier::multipart ? Carrier::form : carrier; }

bool is_usable(const FieldSelector& field, Position at, const std::string& key, Diagnostics& out) {
  if (!field.outer.empty()) {
    out.error(at, key, "a condition is about a field of the message itself",
              "Fields inside of opened ones cannot be asked");
    return false;
  }
  if (field.is_wild()) {
    out.error(at, key,
              "a condition is about one field; " + in_quotes(field.text) + " may match several",
              "Name a field without wildcards");
    return false;
  }
  const bool filtered = std::any_of(
      field.steps.begin(), field.steps.end(),
      [](const SelectorStep& step) { return step.type == SelectorStep::Type::element_where; });
  if (filtered) {
    out.error(at, key, "[k=v] chooses among several elements", "Name the one element: [0]");
    return false;
  }
  if (field.carrier == Carrier::path) {
    out.error(at, key, "the path is matched by match.path", "Name another field");
    return false;
  }
  if (field.carrier == Carrier::csv || field.carrier == Carrier::xml) {
    out.error(at, key, "conditions are not asked of csv and xml", "Name another field");
    return false;
  }
  if (field.carrier == Carrier::header && is_reserved_header(field.name)) {
    out.error(at, key, "the gateway handles this header itself", "Name another field");
    return false;
  }
  return true;
}

}  // namespace

bool Condition::same_field(const Condition& other) const {
  return read_as(field.carrier) == read_as(other.field.carrier) && name == other.name &&
         field.steps == other.field.steps;
}

bool Condition::same_as(const Condition& other) const {
  return same_field(other) && values == other.values;
}

bool Condition::follows_from(const Condition& other) const {
  return same_field(other) &&
         std::includes(values.begin(), values.end(), other.values.begin(), other.values.end());
}

bool Condition::contradicts(const Condition& other) const {
  return same_field(other) &&
         std::none_of(values.begin(), values.end(), [&](const std::string& value) {
           return std::binary_search(other.values.begin(), other.values.end(), value);
         });
}

std::vector<Condition> read_conditions(const YamlNode& node, const std::string& key,
                                       Diagnostics& out) {
  std::vector<Condition> conditions;
  const MapReader only_checks_the_type(node, key, out);
  if (node.is_map() && node.entries.empty()) {
    out.error(node.at, key, "no condition", "For example { form.consent: 'on' }");
  }
  for (const YamlEntry& entry : node.entries) {
    const std::string own_key = join_key(key, entry.key);
    auto parsed = parse_selector(entry.key);
    if (const auto* fault = std::get_if<SelectorFault>(&parsed)) {
      out.error(entry.at, own_key, fault->message, fault->hint);
      continue;
    }
    Condition condition;
    condition.field = std::move(*std::get_if<FieldSelector>(&parsed));
    condition.name = condition.field.name;
    condition.at = entry.at;
    for (auto& value : read_texts(entry.value, own_key, true, out)) {
      condition.values.push_back(std::move(value.value));
    }
    if (!is_usable(condition.field, entry.at, own_key, out)) continue;
    if (condition.values.size() > kMaxConditionValues) {
      out.error(entry.value.at, own_key,
                "more than " + std::to_string(kMaxConditionValues) + " values");
      continue;
    }
    if (condition.values.empty()) continue;  // reported where it was read
    std::sort(condition.values.begin(), condition.values.end());
    conditions.push_back(std::move(condition));
  }
  return conditions;
}

void fold_names(std::vector<Condition>& conditions) {
  for (Condition& condition : conditions) {
    if (is_php_carrier(condition.field.carrier)) condition.name = php_name(condition.field.name);
  }
}

}  // namespace paravent::policies
