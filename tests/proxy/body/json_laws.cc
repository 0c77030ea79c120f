// The laws for JSON: the model is the list of what a scan reports, containers included.

#include <map>
#include <vector>

#include "proxy/body/json.h"
#include "proxy/body/splice.h"
#include "tests/proxy/body/laws.h"
#include "tests/proxy/body/random.h"
#include "tests/proxy/body/support.h"

namespace paravent::proxy::body::test {
namespace {

constexpr std::uint64_t kHashKey = 0x5eed;

struct Event {
  std::string path;
  bool is_container = false;
  bool is_array = false;
  ValueKind kind = ValueKind::null;
  std::string value;

  bool operator==(const Event&) const = default;
};

// Plans edits while the first scan goes by, and writes down what a second scan must see.
class Planner final : public JsonVisitor {
 public:
  Planner(std::string_view text, Random* random) : text_(text), random_(random) {}

  bool on_container(JsonPath path, bool is_array) override {
    expected.push_back({shifted(path), true, is_array, ValueKind::null, {}});
    return true;
  }

  bool on_value(JsonPath path, const Field& field) override {
    Event event{shifted(path), false, false, field.kind, {}};
    decode_json_value(field.value.in(text_), field.kind, event.value);
    const std::size_t choice = random_ == nullptr ? 2 : random_->below(3);
    if (choice == 0) {
      edits.push_back({field, {}, true});
      if (!path.empty()) {
        if (path.back().is_index) ++removed_[path_text(path.first(path.size() - 1))];
        return true;
      }
      event.kind = ValueKind::null;
      event.value = "null";
    } else if (choice == 1) {
      event.kind = ValueKind::string;
      event.value = random_->text(6);
      const auto begin = static_cast<std::uint32_t>(arena.size());
      encode_json_string(event.value, arena);
      edits.push_back({field, {begin, static_cast<std::uint32_t>(arena.size())}, false});
    }
    expected.push_back(std::move(event));
    return true;
  }

  std::vector<Event> expected;
  std::vector<FieldEdit> edits;
  std::string arena;

 private:
  // The path after the removals so far: elements behind a removed one move up.
  std::string shifted(JsonPath path) {
    if (removed_.empty()) return path_text(path);
    std::vector<PathStep> steps(path.begin(), path.end());
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (!steps[i].is_index) continue;
      const auto found = removed_.find(path_text(path.first(i)));
      if (found != removed_.end()) steps[i].index -= found->second;
    }
    return path_text(steps);
  }

  std::string_view text_;
  Random* random_;
  std::map<std::string, std::uint32_t> removed_;  // by the array's own path before any edit
};

}  // namespace

Verdict check_json_laws(std::string_view text, std::uint64_t seed) {
  JsonScanner scanner(kHashKey);
  Random random(seed);
  Planner planner(text, &random);
  if (scanner.scan(text, JsonLimits{}, planner) != ScanStatus::ok) return {};
  if (splice(text, {}, {}) != text) return {"splicing nothing changed the text", true};

  std::vector<Edit> edits;
  json_edits(text, planner.edits, edits);
  if (!edits_are_sound(edits, text.size(), planner.arena.size())) {
    return {"edits overlap, are out of order or out of range", true};
  }
  const std::string spliced = splice(text, edits, planner.arena);
  if (spliced.size() != SplicedBytes(text, edits, planner.arena).size()) {
    return {"size() is wrong", true};
  }
  Planner after(spliced, nullptr);
  if (scanner.scan(spliced, JsonLimits{}, after) != ScanStatus::ok) {
    return {"spliced text is refused: " + spliced, true};
  }
  if (after.expected != planner.expected) {
    return {"scanning the spliced text sees other values: " + spliced, true};
  }
  return {{}, true};
}

}  // namespace paravent::proxy::body::test
