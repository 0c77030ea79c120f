// Selectors, a line each, an empty line, and a JSON text: following the document finds the rule
// that comparing every selector finds, for each of its values and containers. The first byte says
// which rules keep, and whether unlisted fields do.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "policies/model/selector.h"
#include "policies/plan/json_matcher.h"
#include "proxy/body/element_filters.h"
#include "proxy/body/json.h"
#include "tests/fuzz/law_input.h"

namespace {

using namespace paravent::policies;
namespace body = paravent::proxy::body;

class Visitor final : public body::JsonVisitor {
 public:
  Visitor(const JsonMatcher& matcher, bool any_case, JsonWalk& walk, body::ElementFilters& filters)
      : matcher_(matcher), any_case_(any_case), walk_(walk), filters_(filters) {
    matcher.begin(walk);
    filters.begin_text();
  }
  bool on_value(JsonPath path, const body::Field&) override {
    if (matcher_.find(path, any_case_, walk_) != matcher_.find(path, any_case_)) std::abort();
    return true;
  }
  bool on_container(JsonPath path, bool) override {
    on_value(path, {});
    walk_.enter(path.size());
    return true;
  }
  bool wants_filters() const override { return !matcher_.filters().empty(); }
  body::FilterBits filters_of(std::string_view object) override {
    return filters_.of(object, matcher_.filters());
  }

 private:
  const JsonMatcher& matcher_;
  const bool any_case_;
  JsonWalk& walk_;
  body::ElementFilters& filters_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMost = 40;
  if (size == 0) return 0;
  std::string_view text = body::test::as_text(data + 1, size - 1);
  std::array<FieldAction, kMost> actions;
  for (std::size_t i = 0; i < kMost; ++i) {
    actions[i].action = (data[0] >> i % 6 & 1U) != 0 ? ActionKind::keep : ActionKind::mask;
    if (i % 7 == 6) actions[i].otherwise = &actions[0];
  }
  std::vector<JsonMatcher::Entry> entries;
  while (!text.empty()) {
    const std::size_t line = text.find('\n');
    const std::string_view selector = text.substr(0, line);
    text = line == std::string_view::npos ? std::string_view() : text.substr(line + 1);
    if (selector.empty() || entries.size() == kMost) break;
    auto parsed = parse_selector(selector);
    auto* field = std::get_if<FieldSelector>(&parsed);
    if (field == nullptr || field->carrier != Carrier::json || !field->outer.empty()) return 0;
    entries.push_back({std::move(field->steps), &actions[entries.size()]});
  }
  if (entries.empty()) return 0;
  const JsonMatcher matcher(std::move(entries));
  static JsonWalk walk;
  static body::ElementFilters filters;
  static body::JsonScanner scanner(7);
  Visitor visitor(matcher, data[0] >= 128, walk, filters);
  scanner.scan(text, {}, visitor);
  return 0;
}
