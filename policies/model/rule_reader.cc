#include <array>
#include <utility>
#include <vector>

#include "policies/model/policy_reader.h"
#include "policies/model/rule_parts.h"

namespace paravent::policies {
namespace {

constexpr std::array<Word<ActionKind>, 11> kActionWords = {
    {{"keep", ActionKind::keep},
     {"drop", ActionKind::drop},
     {"refuse", ActionKind::refuse},
     {"replace", ActionKind::replace},
     {"mask", ActionKind::mask},
     {"truncate", ActionKind::truncate},
     {"generalise", ActionKind::generalise},
     {"pseudonymise", ActionKind::pseudonymise},
     {"tokenise", ActionKind::tokenise_vault},
     {"encrypt", ActionKind::encrypt},
     {"open", ActionKind::open}}};

constexpr std::array<Word<ActionKind>, 5> kModeWords = {
    {{"vault", ActionKind::tokenise_vault},
     {"derived", ActionKind::tokenise_derived},
     {"ipcrypt-deterministic", ActionKind::tokenise_address},
     {"ipcrypt-pfx", ActionKind::tokenise_address_prefix},
     {"ipcrypt-ndx", ActionKind::tokenise_address_random}}};

constexpr std::uint32_t kMaxLength = 1U << 20U;
constexpr std::uint32_t kMostShown = 4;  // characters that a mask leaves (constructions 4.10)

void read_action(MapReader& map, Rule& rule) {
  const bool about_file = read_file(map, rule);
  const auto action = map.word<ActionKind>("do", kActionWords, {"scan"});
  if (about_file && map.find("do") == nullptr) {
    rule.action = ActionKind::refuse;  // what is no file
    rule.action_at = map.at();
    return;
  }
  if (map.require("do", "What is done with the field, for example tokenise") == nullptr) return;
  if (action) {
    rule.action = action->value;
    rule.action_at = action->at;
  }
  const bool tokenises = rule.action == ActionKind::tokenise_vault;
  const auto mode = map.word<ActionKind>("mode", kModeWords);
  if (rule.action) belongs_to(map, "mode", tokenises, "tokenise");
  if (mode && tokenises) rule.action = mode->value;
}

void read_kind(MapReader& map, Rule& rule) {
  std::vector<Word<crypto::Kind>> words;
  for (const crypto::KindInfo& info : crypto::kinds()) words.push_back({info.name, info.kind});
  const auto kind = map.word<crypto::Kind>("kind", words, {"date", "postcode", "number", "id"});
  if (!kind) return;
  rule.kind = *kind;
  rule.has_kind = true;
}

// Wrappings, then at most one content.
void read_inside(MapReader& map, Rule& rule) {
  const bool opens = rule.action == ActionKind::open;
  const YamlNode* node = map.find("as");
  belongs_to(map, "as", opens, "open");
  if (opens) map.require("as", "What is inside, for example json or [base64url, json]");
  if (node == nullptr || !opens) return;
  rule.inside.at = node->at;
  InsideForm& form = rule.inside.value;
  bool ended = false;
  for (const auto& word : read_texts(*node, map.key("as"), true, map.diagnostics())) {
    const auto wrapping = wrapping_of(word.value);
    const auto content = content_of(word.value);
    if (!wrapping && !content) {
      map.diagnostics().error(
          word.at, map.key("as"), "unknown word " + in_quotes(word.value),
          "base64, base64url, percent, gzip, then json, query, url, mailto or value");
    } else if (ended || form.wrappings.size() == kMaxWrappings) {
      map.diagnostics().error(
          word.at, map.key("as"),
          ended ? "what is inside has rules of its own, by OUTER > INNER" : "too many wrappings",
          "Open the field inside by a rule about it");
      return;
    } else if (wrapping) {
      form.wrappings.push_back(*wrapping);
    } else {
      form.content = *content;
      ended = true;
    }
  }
}

void read_arguments(MapReader& map, Rule& rule) {
  read_inside(map, rule);
  const ActionKind action = *rule.action;
  rule.replacement = map.text("with");
  belongs_to(map, "with", action == ActionKind::replace, "replace");
  if (action == ActionKind::replace) map.require("with", "The text that is written instead");
  const bool truncates = action == ActionKind::truncate;
  rule.length = map.integer("length", 1, kMaxLength);
  belongs_to(map, "length", truncates, "truncate");
  rule.ipv4_bits = map.integer("ipv4-bits", 8, 31);
  belongs_to(map, "ipv4-bits", truncates, "truncate");
  rule.ipv6_bits = map.integer("ipv6-bits", 16, 127);
  belongs_to(map, "ipv6-bits", truncates, "truncate");
  const bool masks = action == ActionKind::mask;
  rule.show_first = map.integer("show-first", 1, kMostShown);
  belongs_to(map, "show-first", masks, "mask");
  rule.show_last = map.integer("show-last", 1, kMostShown);
  belongs_to(map, "show-last", masks, "mask");
}

}  // namespace

void belongs_to(MapReader& map, std::string_view key, bool fits, std::string_view what) {
  const YamlNode* node = map.find(key);
  if (node == nullptr || fits) return;
  map.diagnostics().error(node->at, map.key(key), "this key belongs to " + std::string(what),
                          "Remove it");
}

namespace {

// What a rule says about itself, but for its conditions.
void read_treatment(MapReader& map, Rule& rule) {
  read_action(map, rule);
  read_kind(map, rule);
  if (rule.action) {
    read_arguments(map, rule);
    read_generalisation(map, rule);
    read_protection(map, rule);
  } else {
    skip_dependent_keys(map);
  }
  rule.max_len = map.integer("max-len", 1, kMaxLength);
  if (const auto required = map.boolean("required")) rule.required = required->value;
  rule.on_error = map.word<OnError>("on-error", kOnErrorWords);
  constexpr std::array<Word<bool>, 1> kErasableWords = {{{"subject", true}}};
  if (const auto erasable = map.word<bool>("erasable", kErasableWords))
    rule.erasable = erasable->at;
  if (rule.action) belongs_to(map, "erasable", is_keyed(*rule.action), "tokenise and encrypt");
  map.reserve("format");
}

// `else: drop`, or a whole action: `else: { do: mask, show-last: 2 }`.
Rule read_else(const YamlNode& node, const Rule& rule, Diagnostics& out) {
  Rule other;
  other.selector = rule.selector;
  other.has_selector = rule.has_selector;
  other.at = node.at;
  other.key = rule.key + ".else";
  other.is_else = true;
  other.kind = rule.kind;
  other.has_kind = rule.has_kind;
  YamlNode word;
  if (node.is_scalar()) {
    word.type = YamlNode::Type::map;
    word.at = node.at;
    word.entries.push_back({"do", node.at, node});
  }
  // Of a file these two words say enough.
  if (rule.file && node.is_scalar() && (node.text == "drop" || node.text == "refuse")) {
    word.entries.push_back({"file", node.at, node});
  }
  MapReader map(node.is_scalar() ? word : node, other.key, out);
  if (!map.is_map()) return other;
  read_treatment(map, other);
  if (rule.file.has_value() != other.file.has_value()) {
    out.error(node.at, other.key + ".file",
              rule.file ? "it is not said what happens to a file otherwise"
                        : "the rule itself says nothing about files",
              rule.file ? "drop, refuse, or { file: ... }" : "Add file to the rule itself");
  }
  for (const std::string_view key : {"required", "overlap", "previous"}) {
    belongs_to(map, key, false, "the rule itself");
  }
  if (other.action == ActionKind::open) {
    out.error(other.action_at, other.key + ".do", "only the rule itself can open the field",
              "Swap the two and their conditions");
    other.action.reset();
  }
  other.required = rule.required;
  map.finish();
  return other;
}

// `when` and `else` belong together: what happens otherwise has to be said.
std::optional<Rule> read_when(MapReader& map, Rule& rule) {
  const YamlNode* when = map.find("when");
  const YamlNode* otherwise = map.find("else");
  if (when != nullptr) rule.when = read_conditions(*when, map.key("when"), map.diagnostics());
  if (when != nullptr && otherwise == nullptr) {
    map.require("else",
                "drop, refuse, or another action: what happens where a condition does not hold");
  } else if (when == nullptr && otherwise != nullptr) {
    map.diagnostics().error(otherwise->at, map.key("else"), "there is no when", "Remove the key");
  } else if (otherwise != nullptr) {
    return read_else(*otherwise, rule, map.diagnostics());
  }
  return std::nullopt;
}

}  // namespace

void read_rule(const YamlEntry& entry, const std::string& fields_key, Diagnostics& out,
               std::vector<Rule>& rules) {
  Rule& rule = rules.emplace_back();
  rule.at = entry.at;
  rule.key = join_key(fields_key, entry.key);
  auto parsed = parse_selector(entry.key);
  if (auto* fault = std::get_if<SelectorFault>(&parsed)) {
    out.error(entry.at, rule.key, fault->message, fault->hint);
    rule.selector.text = entry.key;
  } else {
    rule.selector = std::move(*std::get_if<FieldSelector>(&parsed));
    rule.has_selector = true;
  }
  MapReader map(entry.value, rule.key, out);
  if (!map.is_map()) return;
  read_treatment(map, rule);
  auto otherwise = read_when(map, rule);
  map.finish();
  if (otherwise) rules.push_back(std::move(*otherwise));
}

}  // namespace paravent::policies
