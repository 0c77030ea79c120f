#include "policies/model/access_reader.h"

#include <algorithm>
#include <array>
#include <utility>

namespace paravent::policies {
namespace {

constexpr std::array<Word<RevealLevel>, 4> kLevels = {{{"clear", RevealLevel::clear},
                                                       {"masked", RevealLevel::masked},
                                                       {"replaced", RevealLevel::replaced},
                                                       {"refused", RevealLevel::refused}}};

constexpr std::uint32_t kMostCounted = 1'000'000;
constexpr std::uint32_t kMostMinutes = 24 * 60;

std::optional<crypto::Kind> read_kind(const std::string& name, Position at, const std::string& key,
                                      Diagnostics& out) {
  const auto kind = crypto::kind_from_name(name);
  if (!kind) {
    out.error(at, key, in_quotes(name) + " is no kind",
              "For example email, phone, name, iban or text");
  }
  return kind;
}

void read_kinds(const YamlNode& node, const std::string& key, Role& role, Diagnostics& out) {
  MapReader map(node, key, out);
  if (!map.is_map()) return;
  for (const YamlEntry& entry : node.entries) {
    const auto kind = read_kind(entry.key, entry.at, map.key(entry.key), out);
    const auto level = map.word<RevealLevel>(entry.key, kLevels);
    if (kind && level) role.kinds.push_back({*kind, level->value, entry.at});
  }
  map.finish();
}

void read_budget(MapReader& above, std::string_view name, Budget& budget) {
  const YamlNode* node = above.find(name);
  if (node == nullptr) return;
  MapReader map(*node, above.key(name), above.diagnostics());
  budget = Budget();
  const auto read = [&map](std::string_view key, std::optional<std::uint32_t>& to) {
    if (const auto number = map.integer(key, 1, kMostCounted)) to = number->value;
  };
  read("values-per-hour", budget.values_per_hour);
  read("values-per-day", budget.values_per_day);
  read("subjects-per-hour", budget.subjects_per_hour);
  read("subjects-per-day", budget.subjects_per_day);
  if (const auto minutes = map.integer("cooling-off-minutes", 1, kMostMinutes)) {
    budget.cooling_off = minutes->value;
  }
  if (map.is_map() && !budget.is_limited()) {
    above.diagnostics().error(map.at(), map.key(), "the budget limits nothing",
                              "For example subjects-per-day: 10");
  }
  map.finish();
}

void check_names(const std::vector<Located<std::string>>& names, std::string_view key,
                 std::string_view what, const std::vector<std::string_view>& known,
                 Diagnostics& out) {
  for (const auto& name : names) {
    if (std::find(known.begin(), known.end(), name.value) != known.end()) continue;
    out.error(name.at, std::string(key),
              "there is no " + std::string(what) + " " + in_quotes(name.value),
              suggestion(name.value, known, "Define it first"));
  }
}

}  // namespace

void read_role_terms(MapReader& map, Role& role) {
  if (const YamlNode* node = map.find("kinds")) {
    read_kinds(*node, map.key("kinds"), role, map.diagnostics());
  }
  read_budget(map, "budget", role.budget);
  read_budget(map, "budget-together", role.budget_together);
  if (const auto protect = map.boolean("protect")) role.protect = protect->value;
  read_budget(map, "protect-budget", role.protect_budget);
  role.hours = read_hours(map);
}

FourEyes read_four_eyes(const YamlNode& node, Diagnostics& out) {
  FourEyes terms;
  terms.at = node.at;
  MapReader map(node, "four-eyes", out);
  if (const YamlNode* list = map.require("approve", "The roles that approve, for example [dpo]")) {
    terms.approve = read_texts(*list, map.key("approve"), false, out);
  }
  if (const YamlNode* list = map.find("purposes")) {
    terms.purposes = read_texts(*list, map.key("purposes"), false, out);
  }
  if (const YamlNode* list = map.find("kinds")) {
    for (const auto& name : read_texts(*list, map.key("kinds"), false, out)) {
      const auto kind = read_kind(name.value, name.at, map.key("kinds"), out);
      if (kind) terms.kinds.push_back({*kind, name.at});
    }
  }
  terms.subjects = map.integer("subjects", 1, kMostCounted);
  if (map.is_map() && terms.purposes.empty() && terms.kinds.empty() && !terms.subjects) {
    out.error(node.at, "four-eyes", "nothing is said that needs two people",
              "Name purposes, kinds or a number of subjects");
  }
  map.finish();
  return terms;
}

void check_four_eyes(const Policy& policy, Diagnostics& out) {
  if (!policy.four_eyes) return;
  std::vector<std::string_view> roles;
  for (const Role& role : policy.roles) roles.push_back(role.name);
  std::vector<std::string_view> purposes;
  for (const Purpose& purpose : policy.purposes) purposes.push_back(purpose.name);
  check_names(policy.four_eyes->approve, "four-eyes.approve", "role", roles, out);
  check_names(policy.four_eyes->purposes, "four-eyes.purposes", "purpose", purposes, out);
}

}  // namespace paravent::policies
