#include "proxy/admin/text_members.h"

#include <algorithm>
#include <utility>

#include "proxy/body/json.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;

class Reader final : public body::JsonVisitor {
 public:
  Reader(std::string_view text, std::span<const std::string_view> known)
      : text_(text), known_(known) {}

  bool on_container(body::JsonPath path, bool is_array) override {
    if (path.empty() && !is_array) return true;
    return fail("The body must be one object whose members are strings.");
  }

  bool on_value(body::JsonPath path, const body::Field& field) override {
    if (path.size() != 1 || field.kind != body::ValueKind::string) {
      return fail("The body must be one object whose members are strings.");
    }
    const std::string_view key = path[0].key;
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
      std::string list;
      for (const std::string_view name : known_) {
        list += (list.empty() ? "" : ", ") + std::string(name);
      }
      return fail("The only members are " + list + ".");
    }
    std::string value;
    body::decode_json_value(field.value.in(text_), field.kind, value);
    if (value.size() > kMaxMemberBytes) return fail("A member is longer than 1000 bytes.");
    members[std::string(key)] = std::move(value);
    return true;
  }

  TextMembers members;
  std::string fault = "The body is not strict JSON.";

 private:
  bool fail(std::string sentence) {
    fault = std::move(sentence);
    return false;
  }

  std::string_view text_;
  std::span<const std::string_view> known_;
};

}  // namespace

crypto::Result<TextMembers> read_text_members(std::string_view body,
                                              std::span<const std::string_view> known) {
  if (body.empty()) return TextMembers();
  Reader reader(body, known);
  body::JsonScanner scanner(0);  // nobody chooses these few names against us
  if (scanner.scan(body, {}, reader) != body::ScanStatus::ok) {
    return Error(ErrorKind::malformed, reader.fault);
  }
  return std::move(reader.members);
}

}  // namespace paravent::proxy::admin
