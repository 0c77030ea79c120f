// The laws for JSON: the model is the list of what a scan reports, containers included.

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "proxy/body/json.h"
#include "proxy/body/lines.h"
#include "proxy/body/mixed.h"
#include "proxy/body/splice.h"
#include "tests/proxy/body/laws.h"
#include "tests/proxy/body/random.h"
#include "tests/proxy/body/support.h"

namespace paravent::proxy::body::test {
namespace {

constexpr std::uint64_t kHashKey = 0x5eed;

struct Event {
  std::uint32_t line = 0;  // before any edit
  std::string path;
  bool is_container = false;
  bool is_array = false;
  ValueKind kind = ValueKind::null;
  std::string value;

  bool operator==(const Event& other) const {
    return path == other.path && is_container == other.is_container && is_array == other.is_array &&
           kind == other.kind && value == other.value;
  }
};

// Plans edits while the first scan goes by, and writes down what a second scan must see.
class Planner final : public JsonVisitor {
 public:
  // `top`: how long the path of a whole document is.
  Planner(std::string_view text, Random* random, std::size_t top = 0)
      : text_(text), random_(random), top_(top) {}

  bool on_container(JsonPath path, bool is_array) override {
    expected.push_back({line_of(path), shifted(path), true, is_array, ValueKind::null, {}});
    return true;
  }

  bool on_value(JsonPath path, const Field& field) override {
    if (field.is_file) return on_opaque(path, field);
    Event event{line_of(path), shifted(path), false, false, field.kind, {}};
    decode_json_value(field.value.in(text_), field.kind, event.value);
    const std::size_t choice = random_ == nullptr ? 2 : random_->below(3);
    if (choice == 0) {
      edits.push_back({field, {}, true});
      if (path.size() > top_) {
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
  std::uint32_t line_of(JsonPath path) const { return top_ == 0 ? 0 : path[0].index; }

  // It goes with its item's header, whatever else was to be done there, or stays.
  bool on_opaque(JsonPath path, const Field& field) {
    if (random_ != nullptr && random_->below(2) == 0) {
      edits.push_back({field, {}, true});
      // An envelope's item has a header of its own, an attachment is one part.
      const std::uint32_t header = path[0].index - 1;
      if (top_ > 0)
        std::erase_if(expected, [&](const Event& event) { return event.line == header; });
      lines_gone_ += top_ > 0 ? 2 : 1;
      return true;
    }
    std::vector<PathStep> steps(path.begin(), path.end());
    steps[0].index -= lines_gone_;
    expected.push_back({line_of(path), path_text(steps), false, false, ValueKind::string,
                        std::string(field.value.in(text_))});
    return true;
  }

  // The path after the removals so far: elements behind a removed one move up.
  std::string shifted(JsonPath path) {
    if (removed_.empty() && lines_gone_ == 0) return path_text(path);
    std::vector<PathStep> steps(path.begin(), path.end());
    if (top_ > 0) steps[0].index -= lines_gone_;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (!steps[i].is_index) continue;
      const auto found = removed_.find(path_text(path.first(i)));
      if (found != removed_.end()) steps[i].index -= found->second;
    }
    return path_text(steps);
  }

  std::string_view text_;
  Random* random_;
  std::size_t top_;
  std::uint32_t lines_gone_ = 0;
  std::map<std::string, std::uint32_t> removed_;  // by the array's own path before any edit
};

struct Codec {
  std::optional<LineForm> form;    // none: one document
  std::string_view boundary = {};  // of multipart/mixed
  std::vector<Line> lines{};

  ScanStatus scan(std::string_view text, JsonVisitor& visitor) {
    JsonScanner scanner(kHashKey);
    if (!boundary.empty()) {
      return scan_mixed(text, boundary, JsonLimits{}, scanner, visitor, lines);
    }
    if (!form) return scanner.scan(text, JsonLimits{}, visitor);
    return scan_json_lines(text, *form, JsonLimits{}, scanner, visitor, lines);
  }
  void edits(std::string_view text, Planner& planner, std::vector<Edit>& out) const {
    if (!boundary.empty()) return mixed_edits(text, lines, planner.edits, out);
    if (!form) return json_edits(text, planner.edits, out);
    json_line_edits(text, lines, planner.edits, planner.arena, out);
  }
};

Verdict check(Codec codec, std::string_view text, std::uint64_t seed) {
  Random random(seed);
  const std::size_t top = codec.form ? 1 : 0;
  Planner planner(text, &random, top);
  if (codec.scan(text, planner) != ScanStatus::ok) return {};
  if (splice(text, {}, {}) != text) return {"splicing nothing changed the text", true};

  std::vector<Edit> edits;
  codec.edits(text, planner, edits);
  if (!edits_are_sound(edits, text.size(), planner.arena.size())) {
    return {"edits overlap, are out of order or out of range", true};
  }
  const std::string spliced = splice(text, edits, planner.arena);
  if (spliced.size() != SplicedBytes(text, edits, planner.arena).size()) {
    return {"size() is wrong", true};
  }
  Planner after(spliced, nullptr, top);
  if (codec.scan(spliced, after) != ScanStatus::ok) {
    return {"spliced text is refused: " + spliced, true};
  }
  if (after.expected != planner.expected) {
    return {"scanning the spliced text sees other values: " + spliced, true};
  }
  return {{}, true};
}

}  // namespace

Verdict check_json_laws(std::string_view text, std::uint64_t seed) {
  return check({std::nullopt}, text, seed);
}

Verdict check_mixed_laws(std::string_view text, std::string_view boundary, std::uint64_t seed) {
  return check({std::nullopt, boundary}, text, seed);
}

Verdict check_json_line_laws(std::string_view text, LineForm form, std::uint64_t seed) {
  return check({form}, text, seed);
}

}  // namespace paravent::proxy::body::test
