#include <array>
#include <utility>

#include "policies/model/policy_reader.h"

namespace paravent::policies {
namespace {

constexpr std::array<Word<ActionKind>, 10> kActionWords = {
    {{"keep", ActionKind::keep},
     {"drop", ActionKind::drop},
     {"refuse", ActionKind::refuse},
     {"replace", ActionKind::replace},
     {"mask", ActionKind::mask},
     {"truncate", ActionKind::truncate},
     {"generalise", ActionKind::generalise},
     {"pseudonymise", ActionKind::pseudonymise},
     {"tokenise", ActionKind::tokenise_vault},
     {"encrypt", ActionKind::encrypt}}};

constexpr std::array<Word<ActionKind>, 2> kModeWords = {
    {{"vault", ActionKind::tokenise_vault}, {"derived", ActionKind::tokenise_derived}}};

constexpr std::array<Word<crypto::Kind>, 5> kKindWords = {{{"text", crypto::Kind::text},
                                                           {"name", crypto::Kind::name},
                                                           {"email", crypto::Kind::email},
                                                           {"phone", crypto::Kind::phone},
                                                           {"ip", crypto::Kind::ip}}};

constexpr std::array<Word<Shape>, 1> kShapeWords = {{{"email", Shape::email}}};

constexpr std::array<Word<crypto::EpochLength>, 4> kEpochWords = {
    {{"none", crypto::EpochLength::none},
     {"day", crypto::EpochLength::day},
     {"week", crypto::EpochLength::week},
     {"month", crypto::EpochLength::month}}};

constexpr std::array<Word<Generalisation>, 1> kGeneralisationWords = {
    {{"browser-family", Generalisation::browser_family}}};

constexpr std::array<Word<bool>, 1> kScopeWords = {{{"person", true}}};

constexpr std::uint32_t kMaxLength = 1U << 20U;

// Says which actions a key belongs to when it stands beside another one.
void belongs_to(MapReader& map, std::string_view key, bool fits, std::string_view actions) {
  const YamlNode* node = map.find(key);
  if (node == nullptr || fits) return;
  map.diagnostics().error(node->at, map.key(key), "this key belongs to " + std::string(actions),
                          "Remove it");
}

void read_action(MapReader& map, Rule& rule) {
  const auto action = map.word<ActionKind>("do", kActionWords, {"scan"});
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

void read_arguments(MapReader& map, Rule& rule) {
  const ActionKind action = *rule.action;
  if (action == ActionKind::encrypt) {
    map.reserve("to", "Without it the gateway's own key is used");
  } else if (action == ActionKind::generalise) {
    rule.generalise_to = map.word<Generalisation>(
        "to", kGeneralisationWords,
        {"day", "month", "year", "department", "grid", "country", "bins", "age-band"});
    map.require("to", "Write to: browser-family");
  } else {
    belongs_to(map, "to", false, "generalise");
  }
  rule.replacement = map.text("with");
  belongs_to(map, "with", action == ActionKind::replace, "replace");
  if (action == ActionKind::replace) map.require("with", "The text that is written instead");
  rule.length = map.integer("length", 1, kMaxLength);
  belongs_to(map, "length", action == ActionKind::truncate, "truncate");
  map.reserve("bits", "Addresses are cut to 16 bits (IPv4) and 48 bits (IPv6)");
}

void read_protection(MapReader& map, Rule& rule) {
  const bool keyed = is_keyed(*rule.action);
  constexpr std::string_view kKeyed = "pseudonymise, tokenise and encrypt";
  if (auto space = map.name("space")) rule.space = std::move(*space);
  belongs_to(map, "space", keyed, kKeyed);
  rule.epoch = map.word<crypto::EpochLength>("epoch", kEpochWords);
  belongs_to(map, "epoch", keyed, kKeyed);
  map.word<bool>("scope", kScopeWords, {"relationship", "request"});
  belongs_to(map, "scope", keyed, kKeyed);
  if (const auto shape = map.word<Shape>(
          "shape", kShapeWords,
          {"opaque", "phone", "uuid", "hex16", "digits", "name-like", "url-safe", "ip"})) {
    rule.shape = *shape;
  }
  const bool can_shape = rule.action == ActionKind::tokenise_vault ||
                         rule.action == ActionKind::tokenise_derived ||
                         rule.action == ActionKind::pseudonymise;
  belongs_to(map, "shape", can_shape, "vault tokens and pseudonyms");
}

// Without a known action nobody can say which of these belong there; they are only taken note of.
void skip_dependent_keys(MapReader& map) {
  for (const std::string_view key :
       {"to", "with", "length", "bits", "space", "epoch", "scope", "shape"}) {
    map.find(key);
  }
}

}  // namespace

Rule read_rule(const YamlEntry& entry, const std::string& fields_key, Diagnostics& out) {
  Rule rule;
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
  if (!map.is_map()) return rule;
  read_action(map, rule);
  if (const auto kind = map.word<crypto::Kind>(
          "kind", kKindWords, {"date", "address", "iban", "url", "postcode", "number", "id"})) {
    rule.kind = *kind;
    rule.has_kind = true;
  }
  if (rule.action) {
    read_arguments(map, rule);
    read_protection(map, rule);
  } else {
    skip_dependent_keys(map);
  }
  rule.max_len = map.integer("max-len", 1, kMaxLength);
  if (const auto required = map.boolean("required")) rule.required = required->value;
  rule.on_error = map.word<OnError>("on-error", kOnErrorWords);
  map.reserve("erasable", "Subject keys come later");
  map.reserve("format");
  map.finish();
  return rule;
}

}  // namespace paravent::policies
