// Vectors written by others (tests/vectors/README.md). What we refuse on purpose is named with its
// reason.

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "proxy/body/form.h"
#include "proxy/body/json.h"
#include "proxy/body/media_type.h"
#include "proxy/body/multipart.h"
#include "proxy/body/utf8.h"
#include "tests/proxy/body/laws.h"
#include "tests/proxy/body/support.h"

namespace paravent::proxy::body::test {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_in(const fs::path& folder, std::string_view extension) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == extension) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

class Strings final : public JsonVisitor {
 public:
  explicit Strings(std::string_view text) : text_(text) {}
  bool on_container(JsonPath, bool) override { return true; }
  bool on_value(JsonPath, const Field& field) override {
    values.emplace_back();
    decode_json_value(field.value.in(text_), field.kind, values.back());
    return true;
  }
  std::vector<std::string> values;

 private:
  std::string_view text_;
};

TEST(JsonTestSuite, EveryFileIsJudgedRight) {
  JsonScanner scanner(1);
  std::map<char, int> judged;
  for (const fs::path& path : files_in("tests/vectors/jsontestsuite/test_parsing", ".json")) {
    const std::string name = path.filename().string();
    const std::string text = paravent::test::whole_file(path);
    Strings seen(text);
    const ScanStatus status = scanner.scan(text, JsonLimits{}, seen);
    // RFC 8259 leaves duplicate names to the reader; we refuse them, because readers differ.
    const bool refused_by_rule = name.starts_with("y_object_duplicated_key");
    EXPECT_EQ(status == ScanStatus::ok, name[0] == 'y' && !refused_by_rule) << name;
    const Verdict verdict = check_json_laws(text, 1);
    EXPECT_EQ(verdict.complaint, "") << name;
    ++judged[name[0]];
  }
  EXPECT_EQ(judged['y'], 95);
  EXPECT_EQ(judged['n'], 188);
}

struct Outcome {
  ScanStatus status;
  std::string_view reason;
};

// Everything else in the folder must come out as its own YAML says.
const std::map<std::string, Outcome> kRefusedOnPurpose = {
    {"single_field_with_trailer", {ScanStatus::malformed, "bytes behind the last delimiter"}},
    {"single_field_with_leading_newlines", {ScanStatus::malformed, "bytes before the first"}},
    {"base64_encoding", {ScanStatus::unsupported, "the content would have to be decoded"}},
    {"mixed_case_headers", {ScanStatus::unsupported, "base64 again"}},
};

void expect_parts(const YAML::Node& expected, const FlatFields& seen, const std::string& name) {
  ASSERT_EQ(expected.size(), seen.fields.size()) << name;
  for (std::size_t i = 0; i < seen.fields.size(); ++i) {
    const FlatField& field = seen.fields[i];
    EXPECT_EQ(expected[i]["name"].as<std::string>(), field.name) << name;
    EXPECT_EQ(expected[i]["type"].as<std::string>() == "file", field.field.is_file) << name;
    const auto data = expected[i]["data"].as<YAML::Binary>();
    const std::string raw(reinterpret_cast<const char*>(data.data()), data.size());
    EXPECT_EQ(raw, field.raw) << name;
  }
}

TEST(MultipartVectors, EveryFileIsJudgedRight) {
  std::size_t judged = 0;
  for (const fs::path& path : files_in("tests/vectors/multipart/http", ".yaml")) {
    const std::string name = path.stem().string();
    const YAML::Node yaml = YAML::LoadFile(path.string());
    const std::string text = paravent::test::whole_file(fs::path(path).replace_extension(".http"));
    const std::string header =
        "multipart/form-data; boundary=" + yaml["boundary"].as<std::string>();
    const auto type = parse_content_type(header);
    ASSERT_TRUE(type.has_value()) << name;
    FlatFields seen(text);
    std::string scratch;
    const ScanStatus status = scan_multipart(text, type->boundary, {}, scratch, seen);
    EXPECT_EQ(check_multipart_laws(text, type->boundary, 1).complaint, "") << name;
    ++judged;
    const auto refused = kRefusedOnPurpose.find(name);
    if (refused != kRefusedOnPurpose.end()) {
      EXPECT_EQ(status, refused->second.status) << name << ": " << refused->second.reason;
    } else if (yaml["expected"].IsMap()) {
      EXPECT_EQ(status, ScanStatus::malformed) << name;
    } else {
      EXPECT_EQ(status, ScanStatus::ok) << name;
      expect_parts(yaml["expected"], seen, name);
    }
  }
  EXPECT_EQ(judged, 19U);
}

// The list itself is JSON full of hostile strings: our decoding must agree with Boost.JSON's, and
// every string must survive the way out and back in both carriers.
TEST(NaughtyStrings, SurviveEveryCarrier) {
  const std::string list = paravent::test::whole_file("tests/vectors/naughty-strings/blns.json");
  const boost::json::value oracle = boost::json::parse(list);
  JsonScanner scanner(1);
  Strings seen(list);
  ASSERT_EQ(scanner.scan(list, JsonLimits{}, seen), ScanStatus::ok);
  ASSERT_EQ(seen.values.size(), oracle.as_array().size());
  ASSERT_GT(seen.values.size(), 500U);
  for (std::size_t i = 0; i < seen.values.size(); ++i) {
    const std::string& value = seen.values[i];
    EXPECT_EQ(value, std::string_view(oracle.as_array()[i].as_string()));
    EXPECT_TRUE(is_valid_utf8(value)) << i;
    std::string form = "a=1&b=";
    encode_form_value(value, form);
    FlatFields fields(form);
    std::string scratch;
    ASSERT_EQ(scan_form(form, {}, scratch, fields), ScanStatus::ok) << i;
    ASSERT_EQ(fields.fields.size(), 2U) << i;
    std::string back;
    decode_form_value(fields.fields[1].raw, back);
    EXPECT_EQ(back, value) << i;
    std::string json;
    encode_json_string(value, json);
    Strings again(json);
    ASSERT_EQ(scanner.scan(json, JsonLimits{}, again), ScanStatus::ok) << i;
    EXPECT_EQ(again.values, std::vector<std::string>{value}) << i;
    EXPECT_EQ(std::string_view(boost::json::parse(json).as_string()), value) << i;
  }
}

}  // namespace
}  // namespace paravent::proxy::body::test
