#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "policies/model/rule_parts.h"

namespace paravent::policies {
namespace {

constexpr std::array<Word<Generalisation>, 12> kWords = {
    {{"browser-family", Generalisation::browser_family},
     {"browser-version", Generalisation::browser_version},
     {"language", Generalisation::language},
     {"department", Generalisation::department},
     {"year", Generalisation::year},
     {"month", Generalisation::month},
     {"day", Generalisation::day},
     {"age-band", Generalisation::age_band},
     {"shifted-date", Generalisation::shifted_date},
     {"grid", Generalisation::grid},
     {"bins", Generalisation::bins},
     {"url", Generalisation::url}}};

constexpr std::array<Word<GridAxis>, 3> kAxisWords = {{{"both", GridAxis::both},
                                                       {"latitude", GridAxis::latitude},
                                                       {"longitude", GridAxis::longitude}}};

constexpr double kLeastGridStep = 0.0001;  // eleven metres
constexpr double kMostGridStep = 45;
constexpr std::string_view kDefaultGridStep = "0.01";
constexpr std::size_t kMostGridDecimals = 6;
constexpr std::size_t kMaxEdges = 64;
constexpr std::size_t kMaxDigits = 15;
constexpr std::size_t kMaxTemplates = 64;
constexpr std::size_t kMaxTemplateBytes = 256;
constexpr std::string_view kNumberHint = "A number such as '0.01', without needless zeros";

std::optional<Decimal> number_of(const std::string& text, Position at, std::string key,
                                 Diagnostics& out) {
  auto number = parse_decimal(text);
  if (!number) {
    out.error(at, std::move(key), in_quotes(text) + " is no number", std::string(kNumberHint));
  }
  return number;
}

std::size_t decimals_of(const Decimal& number) {
  const std::size_t point = number.text.find('.');
  return point == std::string::npos ? 0 : number.text.size() - point - 1;
}

std::size_t whole_digits_of(const Decimal& number) {
  const std::size_t sign = number.text.starts_with('-') ? 1 : 0;
  return std::min(number.text.find('.'), number.text.size()) - sign;
}

void read_grid_step(MapReader& map, GeneraliseOptions& options) {
  options.step = *parse_decimal(kDefaultGridStep);
  const auto text = map.text("step");
  if (!text) return;
  auto step = number_of(text->value, text->at, map.key("step"), map.diagnostics());
  if (!step) return;
  if (step->value < kLeastGridStep || step->value > kMostGridStep) {
    map.diagnostics().error(text->at, map.key("step"),
                            "a grid step lies between 0.0001 and 45 degrees",
                            "0.01 degree is about a kilometre");
    return;
  }
  if (decimals_of(*step) > kMostGridDecimals) {
    map.diagnostics().error(text->at, map.key("step"), "a grid step has at most six decimals",
                            "Positions are worked with to about a centimetre");
    return;
  }
  options.step = std::move(*step);
}

void read_edges(MapReader& map, GeneraliseOptions& options) {
  const YamlNode* node = map.find("edges");
  if (node == nullptr) return;
  const auto texts = read_texts(*node, map.key("edges"), false, map.diagnostics());
  if (node->is_sequence() && (node->items.empty() || node->items.size() > kMaxEdges)) {
    map.diagnostics().error(node->at, map.key("edges"),
                            "a list of 1 to " + std::to_string(kMaxEdges) + " numbers is needed");
    return;
  }
  for (const auto& text : texts) {
    auto edge = number_of(text.value, text.at, map.key("edges"), map.diagnostics());
    if (!edge) continue;
    if (!options.edges.empty() && edge->value <= options.edges.back().value) {
      map.diagnostics().error(text.at, map.key("edges"),
                              in_quotes(text.value) + " is not above the number before it",
                              "Write them in ascending order");
      continue;
    }
    options.edges.push_back(std::move(*edge));
  }
  // Bins work at the precision of the finest edge, exactly.
  std::size_t decimals = 0;
  std::size_t whole = 0;
  for (const Decimal& edge : options.edges) {
    decimals = std::max(decimals, decimals_of(edge));
    whole = std::max(whole, whole_digits_of(edge));
  }
  if (decimals + whole <= kMaxDigits) return;
  map.diagnostics().error(node->at, map.key("edges"),
                          "the largest edge at the precision of the finest has more than 15 digits",
                          "Write the edges with fewer decimals");
}

void read_bins(MapReader& map, GeneraliseOptions& options) {
  const auto text = map.text("step");
  read_edges(map, options);
  const bool has_edges = map.find("edges") != nullptr;
  if (text && has_edges) {
    map.diagnostics().error(text->at, map.key("step"), "bins have a step or edges, not both",
                            "Remove one of the two");
  } else if (!text && !has_edges && map.find("step") == nullptr) {
    map.require("step", "How wide a bin is, for example step: '100'; or the edges between them");
  } else if (text) {
    auto step = number_of(text->value, text->at, map.key("step"), map.diagnostics());
    if (!step) return;
    if (step->value <= 0) {
      map.diagnostics().error(text->at, map.key("step"), "a bin is wider than nothing");
      return;
    }
    options.step = std::move(*step);
  }
}

void read_age_band(MapReader& map, GeneraliseOptions& options) {
  if (const auto band = map.integer("band", 2, 50)) options.band = band->value;
  const auto top = map.integer("top", 10, 120);
  if (top) options.top = top->value;
  if (options.top % options.band == 0) return;
  map.diagnostics().error(top ? top->at : map.at(), map.key("top"),
                          std::to_string(options.top) + " is no multiple of the band of " +
                              std::to_string(options.band) + " years",
                          "The last whole band ends where `top` begins");
}

// A path whose segments are literal or `*`; without parameters, which are taken off before paths
// are compared, and not one that would name a host.
bool is_template(std::string_view text) {
  if (!text.starts_with('/') || text.starts_with("//") || text.size() > kMaxTemplateBytes)
    return false;
  const bool clean = std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < '\x7F' && c != '?' && c != '#' && c != ';' && c != '\\';
  });
  if (!clean) return false;
  for (std::size_t at = 1; at <= text.size();) {
    const std::size_t end = std::min(text.find('/', at), text.size());
    const std::string_view segment = text.substr(at, end - at);
    if (segment != "*" && segment.find('*') != std::string_view::npos) return false;
    at = end + 1;
  }
  return true;
}

void read_url(MapReader& map, GeneraliseOptions& options) {
  if (const YamlNode* node = map.find("keep-query")) {
    for (auto& name : read_texts(*node, map.key("keep-query"), false, map.diagnostics())) {
      options.keep_query.push_back(std::move(name.value));
    }
  }
  const YamlNode* node = map.find("templates");
  if (node == nullptr) return;
  for (auto& text : read_texts(*node, map.key("templates"), false, map.diagnostics())) {
    if (!is_template(text.value)) {
      map.diagnostics().error(text.at, map.key("templates"),
                              in_quotes(text.value) + " is no template of a path",
                              "For example /user/*/orders, where * is one whole segment");
      continue;
    }
    options.templates.push_back(std::move(text.value));
  }
  if (options.templates.size() > kMaxTemplates) {
    map.diagnostics().error(node->at, map.key("templates"),
                            "more than " + std::to_string(kMaxTemplates) + " templates");
  }
}

// Which generalisations have a key, for the ones that do not.
void check_owners(MapReader& map, Generalisation to) {
  using enum Generalisation;
  belongs_to(map, "step", to == grid || to == bins, "generalise with to: grid and to: bins");
  belongs_to(map, "axis", to == grid, "generalise with to: grid");
  belongs_to(map, "edges", to == bins, "generalise with to: bins");
  belongs_to(map, "band", to == age_band, "generalise with to: age-band");
  belongs_to(map, "top", to == age_band, "generalise with to: age-band");
  belongs_to(map, "days", to == shifted_date, "generalise with to: shifted-date");
  belongs_to(map, "keep-query", to == url, "generalise with to: url");
  belongs_to(map, "templates", to == url, "generalise with to: url");
}

}  // namespace

void read_generalisation(MapReader& map, Rule& rule) {
  if (rule.action != ActionKind::generalise) {
    check_owners(map, Generalisation::none);
    return;
  }
  rule.generalise_to = map.word<Generalisation>("to", kWords, {"country"});
  if (map.require("to", "For example to: browser-family") == nullptr || !rule.generalise_to) {
    for (const auto key :
         {"step", "axis", "edges", "band", "top", "days", "keep-query", "templates"}) {
      map.find(key);
    }
    return;
  }
  check_owners(map, rule.generalise_to->value);
  switch (rule.generalise_to->value) {
    case Generalisation::grid:
      read_grid_step(map, rule.options);
      if (const auto axis = map.word<GridAxis>("axis", kAxisWords)) rule.options.axis = axis->value;
      break;
    case Generalisation::bins:
      read_bins(map, rule.options);
      break;
    case Generalisation::age_band:
      read_age_band(map, rule.options);
      break;
    case Generalisation::shifted_date:
      rule.action = ActionKind::shift_date;
      if (const auto days = map.integer("days", 1, 365)) rule.options.days = days->value;
      break;
    case Generalisation::url:
      read_url(map, rule.options);
      break;
    default:
      break;
  }
}

}  // namespace paravent::policies
