#include "proxy/admin/body_members.h"

#include <algorithm>
#include <charconv>

#include "proxy/body/json.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;

constexpr std::size_t kMostEntryBytes = 64 * 1024;

class Reader final : public body::JsonVisitor {
 public:
  Reader(std::string_view text, std::span<const MemberRule> rules) : text_(text), rules_(rules) {}

  bool on_container(body::JsonPath path, bool is_array) override {
    if (path.empty()) return !is_array || fail("The body must be one object.");
    const MemberRule* rule = rule_of(path[0].key);
    if (rule == nullptr) return fail_unknown();
    const MemberType wanted = is_array ? MemberType::list : MemberType::map;
    if (path.size() != 1 || rule->type != wanted) return fail_type(*rule);
    if (is_array) members.lists[std::string(rule->name)];
    if (!is_array) members.maps[std::string(rule->name)];
    return true;
  }

  bool on_value(body::JsonPath path, const body::Field& field) override {
    if (path.empty()) return fail("The body must be one object.");
    const MemberRule* rule = rule_of(path[0].key);
    if (rule == nullptr) return fail_unknown();
    if (path.size() == 1 && rule->type == MemberType::number) return take_number(*rule, field);
    if (field.kind != body::ValueKind::string) return fail_type(*rule);
    std::string value;
    body::decode_json_value(field.value.in(text_), field.kind, value);
    if (path.size() == 1 && rule->type == MemberType::text) {
      if (value.size() > rule->most) return fail_limit(*rule);
      members.texts[std::string(rule->name)] = std::move(value);
      return true;
    }
    if (path.size() != 2 || value.size() > kMostEntryBytes) return fail_type(*rule);
    if (rule->type == MemberType::list) {
      auto& list = members.lists[std::string(rule->name)];
      if (list.size() >= rule->most) return fail_limit(*rule);
      list.push_back(std::move(value));
      return true;
    }
    if (rule->type != MemberType::map) return fail_type(*rule);
    auto& map = members.maps[std::string(rule->name)];
    if (map.size() >= rule->most) return fail_limit(*rule);
    map.emplace_back(path[1].key, std::move(value));
    return true;
  }

  BodyMembers members;
  std::string fault = "The body is not strict JSON.";

 private:
  const MemberRule* rule_of(std::string_view name) const {
    const auto found = std::find_if(rules_.begin(), rules_.end(),
                                    [name](const MemberRule& rule) { return rule.name == name; });
    return found == rules_.end() ? nullptr : &*found;
  }

  // Digits without sign, fraction, exponent or leading zero.
  bool take_number(const MemberRule& rule, const body::Field& field) {
    const std::string_view digits = field.value.in(text_);
    std::uint64_t number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (field.kind != body::ValueKind::number || read.ec != std::errc() ||
        read.ptr != digits.data() + digits.size()) {
      return fail_type(rule);
    }
    if (number > rule.most) return fail_limit(rule);
    members.numbers[std::string(rule.name)] = number;
    return true;
  }

  bool fail(std::string sentence) {
    fault = std::move(sentence);
    return false;
  }
  bool fail_type(const MemberRule& rule) {
    const char* const what = rule.type == MemberType::text     ? " must be a string."
                             : rule.type == MemberType::number ? " must be a whole number."
                             : rule.type == MemberType::list   ? " must be an array of strings."
                                                               : " must be an object of strings.";
    return fail("The member " + std::string(rule.name) + what);
  }
  bool fail_limit(const MemberRule& rule) {
    return fail("The member " + std::string(rule.name) + " goes beyond its limit of " +
                std::to_string(rule.most) + ".");
  }
  bool fail_unknown() {
    std::string list;
    for (const MemberRule& rule : rules_) {
      if (!list.empty()) list += ", ";
      list += rule.name;
    }
    return fail("The only members are " + list + ".");
  }

  std::string_view text_;
  std::span<const MemberRule> rules_;
};

}  // namespace

std::string_view BodyMembers::text(std::string_view name) const {
  const auto found = texts.find(name);
  return found == texts.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<std::uint64_t> BodyMembers::number(std::string_view name) const {
  const auto found = numbers.find(name);
  return found == numbers.end() ? std::nullopt : std::optional(found->second);
}

const std::vector<std::string>& BodyMembers::list(std::string_view name) const {
  static const std::vector<std::string> kNone;
  const auto found = lists.find(name);
  return found == lists.end() ? kNone : found->second;
}

crypto::Result<BodyMembers> read_body_members(std::string_view body,
                                              std::span<const MemberRule> rules) {
  Reader reader(body, rules);
  body::JsonScanner scanner(0);  // nobody chooses these few names against us
  if (scanner.scan(body, {}, reader) != body::ScanStatus::ok) {
    return Error(ErrorKind::malformed, reader.fault);
  }
  return std::move(reader.members);
}

}  // namespace paravent::proxy::admin
