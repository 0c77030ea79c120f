#include <array>
#include <string>
#include <utility>

#include "policies/model/period.h"
#include "policies/model/rule_parts.h"

namespace paravent::policies {
namespace {

using crypto::Shape;

constexpr std::array<Word<Shape>, 10> kShapeWords = {{{"email", Shape::email},
                                                      {"phone", Shape::phone},
                                                      {"digits", Shape::digits},
                                                      {"digits.digits", Shape::digits_digits},
                                                      {"hex16", Shape::hex16},
                                                      {"uuid", Shape::uuid},
                                                      {"alphanumeric", Shape::alphanumeric},
                                                      {"ip", Shape::ip},
                                                      {"ipv4", Shape::ipv4},
                                                      {"preserve", Shape::preserve}}};

constexpr std::array<Word<crypto::EpochLength>, 4> kEpochWords = {
    {{"none", crypto::EpochLength::none},
     {"day", crypto::EpochLength::day},
     {"week", crypto::EpochLength::week},
     {"month", crypto::EpochLength::month}}};

constexpr std::array<Word<Scope>, 3> kScopeWords = {{{"person", Scope::person},
                                                     {"relationship", Scope::relationship},
                                                     {"request", Scope::request}}};

constexpr std::array<Word<ActionKind>, 2> kSealWords = {
    {{"amortised", ActionKind::seal}, {"per-field", ActionKind::seal_single}}};

constexpr std::string_view kSurrogates = "pseudonymise, tokenise and encrypt";
constexpr std::string_view kKeyed = "actions with a key";
constexpr std::uint32_t kMostBits = 159;  // a whole pseudonym has 160
constexpr std::uint32_t kMostShapeLength = 32;
constexpr std::uint32_t kMostValues = 0xFFFFFFFF;

bool is_tokenise(ActionKind action) { return action_name(action) == "tokenise"; }

void read_shape(MapReader& map, Rule& rule) {
  const bool fits = is_tokenise(*rule.action) || rule.action == ActionKind::pseudonymise;
  if (const auto shape =
          map.word<Shape>("shape", kShapeWords, {"opaque", "name-like", "url-safe"})) {
    rule.shape = *shape;
  }
  belongs_to(map, "shape", fits, "pseudonymise and tokenise");
  const bool has_length =
      rule.shape.value == Shape::digits || rule.shape.value == Shape::alphanumeric;
  rule.shape_length = map.integer("shape-length", 1, kMostShapeLength);
  belongs_to(map, "shape-length", has_length, "shape: digits and shape: alphanumeric");
  if (rule.action == ActionKind::tokenise_derived && rule.shape.value == Shape::preserve) {
    rule.action = ActionKind::tokenise_preserve;
  }
}

void read_overlap(MapReader& map, Rule& rule) {
  const bool fits = rule.action == ActionKind::pseudonymise;
  const auto text = map.text("overlap");
  belongs_to(map, "overlap", fits, "pseudonymise");
  if (text && fits) {
    const auto hours = parse_hours(text->value);
    rule.overlap = Located<std::uint32_t>{hours.value_or(0), text->at};
    if (!hours) {
      map.diagnostics().error(text->at, map.key("overlap"),
                              in_quotes(text->value) + " is no number of hours",
                              "PT1H to PT24H, for example PT2H");
    }
  }
  if (auto previous = map.text("previous"); previous && fits) rule.previous = std::move(*previous);
  belongs_to(map, "previous", fits, "pseudonymise");
}

void read_seal(MapReader& map, Rule& rule) {
  if (rule.action != ActionKind::encrypt) {
    belongs_to(map, "seal", false, "encrypt with to:");
    if (action_name(*rule.action) != "generalise") {
      belongs_to(map, "to", false, "generalise and encrypt");
    }
    return;
  }
  if (auto name = map.text("to")) rule.sealed_to = std::move(*name);
  const bool sealed = map.find("to") != nullptr;
  const auto mode = map.word<ActionKind>("seal", kSealWords);
  belongs_to(map, "seal", sealed, "encrypt with to:");
  if (sealed) rule.action = mode ? mode->value : ActionKind::seal;
}

void read_own_tokens(MapReader& map, Rule& rule) {
  constexpr std::array<Word<bool>, 2> kWords = {{{"refuse", false}, {"accept", true}}};
  const auto word = map.word<bool>("own-tokens", kWords);
  belongs_to(map, "own-tokens", rule.action == ActionKind::tokenise_vault,
             "tokenise with mode: vault");
  if (word && word->value) rule.own_tokens = word->at;
}

}  // namespace

void read_protection(MapReader& map, Rule& rule) {
  read_seal(map, rule);
  read_shape(map, rule);
  read_overlap(map, rule);
  const bool surrogate = makes_surrogate(*rule.action);
  const bool keyed = is_keyed(*rule.action);
  if (auto space = map.name("space")) rule.space = std::move(*space);
  belongs_to(map, "space", surrogate, kSurrogates);
  rule.epoch = map.word<crypto::EpochLength>("epoch", kEpochWords);
  belongs_to(map, "epoch", keyed, kSurrogates);
  if (const auto scope = map.word<Scope>("scope", kScopeWords)) rule.scope = *scope;
  belongs_to(map, "scope", surrogate, kSurrogates);
  if (auto field = map.text("relationship")) rule.relationship = std::move(*field);
  belongs_to(map, "relationship", rule.scope.value == Scope::relationship, "scope: relationship");
  rule.bits = map.integer("bits", 1, kMostBits);
  belongs_to(map, "bits", rule.action == ActionKind::pseudonymise, "pseudonymise");
  if (auto reason = map.text("because")) rule.because = std::move(*reason);
  belongs_to(map, "because", keyed, kKeyed);
  rule.values = map.integer("values", 1, kMostValues);
  belongs_to(map, "values", keyed, kKeyed);
  read_own_tokens(map, rule);
}

void skip_dependent_keys(MapReader& map) {
  for (const auto key :
       {"to",           "with",       "length",    "space",     "epoch",      "scope",
        "shape",        "bits",       "ipv4-bits", "ipv6-bits", "values",     "shape-length",
        "because",      "overlap",    "seal",      "previous",  "show-first", "step",
        "relationship", "show-last",  "edges",     "axis",      "band",       "top",
        "days",         "keep-query", "templates", "as",        "own-tokens"}) {
    map.find(key);
  }
}

}  // namespace paravent::policies
