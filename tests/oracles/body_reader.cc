// What the gateway's codecs read in a body, for the differential test: records on standard input,
// "KIND SIZE" and the bytes, KIND being form, json or multipart; multipart bytes begin with the
// boundary and a line break. For each a line: "ok" or what refused it, then NAME=VALUE in
// hexadecimal, a space between. JSON names are paths: keys in hexadecimal, "#N" for elements, "/"
// in front of each; its values begin with s, n, b, z (null) or c (an empty container).

#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>

#include "crypto/base/encoding.h"
#include "proxy/body/form.h"
#include "proxy/body/json.h"
#include "proxy/body/media_type.h"
#include "proxy/body/multipart.h"

namespace {

using namespace paravent::proxy::body;

std::string hex(std::string_view text) {
  return paravent::crypto::to_hex(paravent::crypto::as_bytes(text));
}

class Flat final : public FlatVisitor {
 public:
  Flat(std::string_view text, bool form) : text_(text), form_(form) {}
  bool on_field(std::string_view name, const Field& field) override {
    std::string value;
    if (form_) {
      decode_form_value(field.value.in(text_), value);
    } else {
      value = field.value.in(text_);
    }
    line.append(" ").append(hex(name)).append("=").append(hex(value));
    return true;
  }
  std::string line;

 private:
  std::string_view text_;
  bool form_;
};

class Tree final : public JsonVisitor {
 public:
  explicit Tree(std::string_view text) : text_(text) {}
  bool on_value(JsonPath path, const Field& field) override {
    std::string value;
    if (field.kind != ValueKind::null) decode_json_value(field.value.in(text_), field.kind, value);
    constexpr std::string_view kKinds = "snbz";
    add(path, kKinds[static_cast<std::size_t>(field.kind)], value);
    return true;
  }
  bool on_container(JsonPath path, bool) override {
    add(path, 'c', {});
    return true;
  }
  std::string line;

 private:
  void add(JsonPath path, char kind, std::string_view value) {
    line.push_back(' ');
    for (const PathStep& step : path) {
      line.push_back('/');
      if (step.is_index) {
        line.append("#").append(std::to_string(step.index));
      } else {
        line.append(hex(step.key));
      }
    }
    line.append("=").append(1, kind).append(hex(value));
  }
  std::string_view text_;
};

std::string_view word(ScanStatus status) {
  switch (status) {
    case ScanStatus::ok:
      return "ok";
    case ScanStatus::stopped:
      return "stopped";
    case ScanStatus::malformed:
      return "malformed";
    case ScanStatus::too_large:
      return "too-large";
    case ScanStatus::unsupported:
      return "unsupported";
  }
  return "?";
}

std::string read_body(std::string_view kind, std::string_view text) {
  std::string scratch;
  if (kind == "json") {
    static JsonScanner scanner(6);
    Tree tree(text);
    const ScanStatus status = scanner.scan(text, {}, tree);
    return std::string(word(status)) + (status == ScanStatus::ok ? tree.line : "");
  }
  if (kind == "form") {
    Flat fields(text, true);
    const ScanStatus status = scan_form(text, {}, scratch, fields);
    return std::string(word(status)) + (status == ScanStatus::ok ? fields.line : "");
  }
  const std::size_t end = text.find('\n');
  const std::string type =
      "multipart/form-data; boundary=\"" + std::string(text.substr(0, end)) + "\"";
  const auto parsed = parse_content_type(type);
  if (!parsed) return "unsupported";
  text.remove_prefix(end + 1);
  Flat fields(text, false);
  const ScanStatus status = scan_multipart(text, parsed->boundary, {}, scratch, fields);
  return std::string(word(status)) + (status == ScanStatus::ok ? fields.line : "");
}

}  // namespace

int main() {
  std::string kind;
  std::size_t size = 0;
  while (std::cin >> kind >> size) {
    std::cin.get();
    std::string bytes(size, '\0');
    std::cin.read(bytes.data(), static_cast<std::streamsize>(size));
    std::cout << read_body(kind, bytes) << '\n';
  }
  return 0;
}
