#include "proxy/admin/oidc/json_members.h"

#include <algorithm>
#include <charconv>

#include "proxy/body/json.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;

constexpr std::size_t kMostSetMembers = 4000;

// The largest number that every reader of JSON reads alike (RFC 8259 6).
constexpr std::uint64_t kMostNumber = (std::uint64_t{1} << 53U) - 1;

// Puts one member, or an element of one, where it belongs. `path` begins with the member.
class MemberTaker {
 public:
  explicit MemberTaker(std::string_view text) : text_(text) {}

  void container(body::JsonPath path, bool is_array, JsonMembers& to) {
    const std::string name(path[0].key);
    if (path.size() == 1 && is_array) {
      to.lists[name];
    } else {
      to.lists.erase(name);
      to.others.insert(name);
    }
  }

  void value(body::JsonPath path, const body::Field& field, JsonMembers& to) {
    const std::string name(path[0].key);
    if (path.size() == 1) return single(name, field, to);
    if (to.others.contains(name)) return;
    if (path.size() != 2 || field.kind != body::ValueKind::string) {
      to.lists.erase(name);
      to.others.insert(name);
      return;
    }
    body::decode_json_value(field.value.in(text_), field.kind, to.lists[name].emplace_back());
  }

 private:
  void single(const std::string& name, const body::Field& field, JsonMembers& to) {
    const std::string_view raw = field.value.in(text_);
    if (field.kind == body::ValueKind::string) {
      body::decode_json_value(raw, field.kind, to.texts[name]);
      return;
    }
    std::uint64_t number = 0;
    const char* const end = raw.data() + raw.size();
    const auto read = std::from_chars(raw.data(), end, number);
    if (field.kind == body::ValueKind::number && read.ec == std::errc() && read.ptr == end &&
        number <= kMostNumber) {
      to.numbers[name] = number;
    } else {
      to.others.insert(name);
    }
  }

  std::string_view text_;
};

class ObjectReader final : public body::JsonVisitor {
 public:
  explicit ObjectReader(std::string_view text) : taker_(text) {}

  bool on_container(body::JsonPath path, bool is_array) override {
    if (path.empty()) return !is_array;
    taker_.container(path, is_array, members);
    return true;
  }
  bool on_value(body::JsonPath path, const body::Field& field) override {
    if (path.empty()) return false;
    taker_.value(path, field, members);
    return true;
  }

  JsonMembers members;

 private:
  MemberTaker taker_;
};

class KeysReader final : public body::JsonVisitor {
 public:
  KeysReader(std::string_view text, std::size_t most) : taker_(text), most_(most) {}

  bool on_container(body::JsonPath path, bool is_array) override {
    if (path.empty()) return !is_array;
    if (path[0].key != "keys") return true;
    if (path.size() == 1) {
      found = is_array;
      return is_array;
    }
    if (path.size() == 2) {
      if (is_array || objects.size() == most_) return false;
      objects.emplace_back();
      return true;
    }
    taker_.container(path.subspan(2), is_array, objects.back());
    return true;
  }
  bool on_value(body::JsonPath path, const body::Field& field) override {
    if (path.empty()) return false;
    if (path[0].key != "keys") return true;
    if (path.size() < 3) return false;  // no list, or no object in it
    taker_.value(path.subspan(2), field, objects.back());
    return true;
  }

  std::vector<JsonMembers> objects;
  bool found = false;

 private:
  MemberTaker taker_;
  std::size_t most_;
};

bool scan(std::string_view text, std::size_t most_members, body::JsonVisitor& visitor) {
  body::JsonLimits limits;
  limits.depth = kMostJwtDepth;
  limits.keys = most_members;
  body::JsonScanner scanner(0);  // so few members cannot be chosen against us
  return scanner.scan(text, limits, visitor) == body::ScanStatus::ok;
}

}  // namespace

bool JsonMembers::has(std::string_view name) const {
  return texts.contains(name) || numbers.contains(name) || lists.contains(name) ||
         others.contains(name);
}

std::string_view JsonMembers::text(std::string_view name) const {
  const auto found = texts.find(name);
  return found == texts.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<std::uint64_t> JsonMembers::number(std::string_view name) const {
  const auto found = numbers.find(name);
  return found == numbers.end() ? std::nullopt : std::optional(found->second);
}

bool JsonMembers::holds(std::string_view name, std::string_view value) const {
  if (const auto found = texts.find(name); found != texts.end()) return found->second == value;
  const auto found = lists.find(name);
  return found != lists.end() &&
         std::find(found->second.begin(), found->second.end(), value) != found->second.end();
}

Result<JsonMembers> read_json_members(std::string_view text) {
  ObjectReader reader(text);
  if (!scan(text, kMostJwtMembers, reader)) return Error(ErrorKind::malformed);
  return std::move(reader.members);
}

Result<std::vector<JsonMembers>> read_key_objects(std::string_view text, std::size_t most) {
  KeysReader reader(text, most);
  if (!scan(text, kMostSetMembers, reader) || !reader.found) return Error(ErrorKind::malformed);
  return std::move(reader.objects);
}

}  // namespace paravent::proxy::admin
