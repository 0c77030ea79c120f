// Visitors that keep what a scan reports, and what the tests of this room share.

#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/body/field.h"
#include "proxy/body/json.h"
#include "tests/support/whole_file.h"

namespace paravent::proxy::body::test {

struct FlatField {
  std::string name;
  std::string raw;
  std::string whole;
  std::string value;  // decoded, where a test fills it in
  Field field;
};

// Copies, because a name lives only until on_field returns. Takes the scanned text for the raw
// bytes.
class FlatFields final : public FlatVisitor {
 public:
  explicit FlatFields(std::string_view text) : text_(text) {}

  bool on_field(std::string_view name, const Field& field) override {
    FlatField seen;
    seen.name = std::string(name);
    seen.raw = std::string(field.value.in(text_));
    seen.whole = std::string(field.whole.in(text_));
    seen.field = field;
    fields.push_back(std::move(seen));
    return fields.size() != stop_after;
  }

  std::vector<FlatField> fields;
  std::size_t stop_after = 0;

 private:
  std::string_view text_;
};

// Sorted, apart from each other, inside the source and the arena.
inline bool edits_are_sound(std::span<const Edit> edits, std::size_t source, std::size_t arena) {
  std::uint32_t at = 0;
  for (const Edit& edit : edits) {
    if (edit.at.begin < at || edit.at.end < edit.at.begin || edit.at.end > source) return false;
    if (edit.with.end < edit.with.begin || edit.with.end > arena) return false;
    at = edit.at.end;
  }
  return true;
}

// "name" for a member, "#3" for an element; unambiguous because names carry their length.
inline std::string path_text(JsonPath path) {
  std::string out;
  for (const PathStep& step : path) {
    if (step.is_index) {
      out += "/#" + std::to_string(step.index);
    } else {
      out += "/" + std::to_string(step.key.size()) + ":" + std::string(step.key);
    }
  }
  return out;
}

}  // namespace paravent::proxy::body::test
