#include "proxy/main/trial/policy_test.h"

#include <algorithm>
#include <filesystem>

#include "policies/model/load_policy.h"
#include "policies/model/yaml_document.h"
#include "policies/model/yaml_reader.h"
#include "proxy/body/cookie.h"
#include "proxy/main/io/text_file.h"
#include "proxy/pipeline/header_name.h"

namespace paravent::proxy::main {
namespace {

using policies::Diagnostics;
using policies::MapReader;
using policies::YamlNode;

constexpr std::size_t kMaxRequestBytes = 16 * 1024 * 1024;

void read_expectation(const policies::YamlEntry& entry, const std::string& key,
                      PolicyTestCase& test, Diagnostics& out) {
  FieldExpectation expected;
  expected.path = entry.key;
  expected.at = entry.at;
  if (entry.value.is_scalar() && entry.value.text == "absent") {
    expected.absent = true;
    test.upstream.push_back(std::move(expected));
    return;
  }
  MapReader map(entry.value, key + "." + entry.key, out);
  if (auto action = map.text("action")) expected.action = action->value;
  const auto texts = [&](std::string_view name, std::vector<std::string>& to) {
    if (const YamlNode* node = map.find(name)) {
      for (auto& text : policies::read_texts(*node, map.key(name), true, out)) {
        to.push_back(std::move(text.value));
      }
    }
  };
  texts("not-contains", expected.not_contains);
  texts("contains", expected.contains);
  map.finish();
  if (expected.action.empty() && expected.contains.empty() && expected.not_contains.empty()) {
    out.error(entry.at, key + "." + entry.key, "an expectation that expects nothing",
              "Say absent, or give action, contains or not-contains");
  }
  test.upstream.push_back(std::move(expected));
}

void read_expect(const YamlNode& node, const std::string& key, PolicyTestCase& test,
                 Diagnostics& out) {
  MapReader map(node, key, out);
  if (auto route = map.text("route")) test.route = route->value;
  if (auto refused = map.text("refused")) test.refused = refused->value;
  if (const YamlNode* upstream = map.find("upstream")) {
    if (!upstream->is_map()) {
      out.error(upstream->at, map.key("upstream"), "expected a map from fields to expectations");
    }
    for (const auto& entry : upstream->entries) {
      read_expectation(entry, map.key("upstream"), test, out);
    }
  }
  map.finish();
  if (test.route.empty() && test.refused.empty() && test.upstream.empty()) {
    out.error(node.at, key, "a case that expects nothing cannot fail",
              "Give route, refused or upstream");
  }
  if (!test.refused.empty() && !test.upstream.empty()) {
    out.error(node.at, key, "a refused request reaches no upstream", "Give refused or upstream");
  }
}

void read_case(const YamlNode& node, const std::string& key, const std::filesystem::path& folder,
               PolicyTestFile& file) {
  Diagnostics& out = file.diagnostics;
  MapReader map(node, key, out);
  PolicyTestCase test;
  test.at = node.at;
  if (auto name = map.text("name")) test.name = name->value;
  if (const YamlNode* request = map.require("request")) {
    // A request's text has several lines; a file's name has one.
    if (request->text.find('\n') != std::string::npos) {
      test.request = request->text;
    } else if (auto text = read_text_file((folder / request->text).string(), kMaxRequestBytes)) {
      test.request = std::move(*text);
    } else {
      out.error(request->at, map.key("request"), "the file cannot be read",
                "Its path is taken from the folder of the test file");
    }
  }
  if (const YamlNode* expect = map.require("expect")) {
    read_expect(*expect, map.key("expect"), test, out);
  }
  map.finish();
  file.cases.push_back(std::move(test));
}

// The upstream's header lines of that name, joined; nullopt when there are none.
std::optional<std::string> upstream_header(const std::string& head, std::string_view name) {
  std::optional<std::string> found;
  std::size_t at = head.find("\r\n");
  while (at != std::string::npos && at + 2 < head.size()) {
    const std::size_t begin = at + 2;
    const std::size_t end = head.find("\r\n", begin);
    const std::string_view line = std::string_view(head).substr(begin, end - begin);
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos && same_header_name(line.substr(0, colon), name)) {
      found = found.value_or("").append(line.substr(colon + 2)).append("\n");
    }
    at = end;
  }
  return found;
}

struct UpstreamField {
  bool present = false;
  std::string action;
  std::string text;
};

// The values of the cookies of one name.
class NamedCookies final : public body::FlatVisitor {
 public:
  NamedCookies(std::string_view line, std::string_view name, UpstreamField& found)
      : line_(line), name_(name), found_(found) {}
  bool on_field(std::string_view name, const body::Field& field) override {
    if (name != name_) return true;
    found_.present = true;
    found_.text.append(field.value.in(line_)).append("\n");
    return true;
  }

 private:
  std::string_view line_;
  std::string_view name_;
  UpstreamField& found_;
};

// What the upstream gets of them, whether or not a rule looked at it. Of a line that cannot be read
// nobody knows that a cookie is not there.
void read_upstream_cookies(const std::string& head, std::string_view name, UpstreamField& found) {
  found.present = false;
  found.text.clear();
  const std::string lines = upstream_header(head, "cookie").value_or("");
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', begin), lines.size());
    const std::string_view line = std::string_view(lines).substr(begin, end - begin);
    NamedCookies cookies(line, name, found);
    if (body::scan_cookies(line, {}, cookies) != body::ScanStatus::ok) found.present = true;
    begin = end + 1;
  }
}

UpstreamField find_upstream_field(const Explanation& explanation, const std::string& path) {
  UpstreamField found;
  constexpr std::string_view kHeader = "header.";
  constexpr std::string_view kCookie = "cookie.";
  for (const ExplainedField& field : explanation.fields) {
    // The client chose the case of a header's name; the test's author chose another.
    const bool same =
        field.path == path || (path.starts_with(kHeader) && same_header_name(field.path, path));
    if (!same) continue;
    found.action = field.action;
    found.present = found.present || field.after.has_value();
    found.text.append(field.after.value_or("")).append("\n");
  }
  if (path.starts_with(kHeader)) {
    const auto line = upstream_header(explanation.upstream_head, path.substr(kHeader.size()));
    found.present = line.has_value();
    found.text = line.value_or("");
  }
  const auto& unlisted = explanation.unlisted;
  const bool is_unlisted = std::find(unlisted.begin(), unlisted.end(), path) != unlisted.end();
  if (path.starts_with(kCookie) && path.find(" > ") == std::string::npos) {
    read_upstream_cookies(explanation.upstream_head, path.substr(kCookie.size()), found);
    if (found.action.empty() && is_unlisted) found.action = "keep";
  } else if (found.text.empty() && is_unlisted) {
    found.present = true;
    found.action = "keep";
    found.text = path.starts_with("query.") ? explanation.upstream_head : explanation.upstream_body;
  }
  return found;
}

void check_field(const FieldExpectation& expected, const Explanation& explanation,
                 std::vector<std::string>& failures) {
  // Of what is passed only the header lines are known: that a field is not among those that were
  // read says nothing where none was.
  if (explanation.outcome == "passed" && !expected.path.starts_with("header.")) {
    failures.push_back(expected.path +
                       ": the request is passed by elsewhere, and nothing in it was looked at");
    return;
  }
  if (expected.absent && expected.path.starts_with("path.")) {
    failures.push_back(expected.path + " cannot be absent: a path keeps all of its segments");
    return;
  }
  const UpstreamField field = find_upstream_field(explanation, expected.path);
  if (expected.absent) {
    if (field.present) failures.push_back(expected.path + " reaches the upstream");
    return;
  }
  if (!field.present) {
    failures.push_back(expected.path + " does not reach the upstream");
    return;
  }
  if (!expected.action.empty() && field.action != expected.action) {
    failures.push_back(expected.path + " is treated by " +
                       (field.action.empty() ? "no rule" : field.action) + ", not by " +
                       expected.action);
  }
  for (const std::string& text : expected.not_contains) {
    // Anywhere in the request, not only in the field: a value that was moved is not protected
    // either.
    if (field.text.find(text) != std::string::npos ||
        explanation.upstream_body.find(text) != std::string::npos ||
        explanation.upstream_head.find(text) != std::string::npos) {
      failures.push_back(expected.path + ": the upstream gets what not-contains forbids");
    }
  }
  for (const std::string& text : expected.contains) {
    if (field.text.find(text) == std::string::npos) {
      failures.push_back(expected.path + ": what contains asks for is not there");
    }
  }
}

}  // namespace

PolicyTestFile load_policy_test(const std::string& path) {
  PolicyTestFile file{{}, {}, Diagnostics(path)};
  const auto text = read_text_file(path, policies::kMaxPolicyBytes);
  if (!text) {
    file.diagnostics.error({}, "", "the file cannot be read", "Check its path and permissions");
    return file;
  }
  const auto tree = policies::parse_yaml(*text, {}, file.diagnostics);
  if (!tree) return file;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  MapReader map(*tree, "", file.diagnostics);
  if (map.require("policy") != nullptr) {
    if (auto policy = map.text("policy")) file.policy = (folder / policy->value).string();
  }
  if (const YamlNode* cases = map.require("cases")) {
    if (!cases->is_sequence() || cases->items.empty()) {
      file.diagnostics.error(cases->at, "cases", "expected a list of at least one case");
    }
    for (std::size_t i = 0; i < cases->items.size(); ++i) {
      read_case(cases->items[i], "cases[" + std::to_string(i) + "]", folder, file);
    }
  }
  map.finish();
  file.diagnostics.sort();
  return file;
}

std::vector<std::string> failures_of(const PolicyTestCase& test, const Explanation& explanation) {
  std::vector<std::string> failures;
  if (!test.route.empty() && test.route != explanation.route) {
    failures.push_back("the route is " + (explanation.route.empty() ? "none" : explanation.route) +
                       ", not " + test.route);
  }
  const bool refused = explanation.outcome == "refused";
  if (!test.refused.empty()) {
    if (!refused) {
      failures.push_back("the request is " + explanation.outcome + ", not refused");
    } else if (explanation.reason != test.refused) {
      failures.push_back("the refusal is " + explanation.reason + ", not " + test.refused);
    }
    return failures;
  }
  if (refused) {
    failures.push_back("the request is refused: " + explanation.reason +
                       (explanation.field.empty() ? "" : " (" + explanation.field + ")"));
    return failures;
  }
  for (const FieldExpectation& expected : test.upstream) {
    check_field(expected, explanation, failures);
  }
  return failures;
}

}  // namespace paravent::proxy::main
