#include "proxy/body/json.h"

#include <gtest/gtest.h>

#include "proxy/body/splice.h"
#include "tests/proxy/body/support.h"

namespace paravent::proxy::body::test {
namespace {

constexpr std::uint64_t kHashKey = 42;

// Writes down what a scan reports, one line each; can edit by path.
class Recorder final : public JsonVisitor {
 public:
  explicit Recorder(std::string_view text) : text_(text) {}

  bool on_container(JsonPath path, bool is_array) override {
    lines += path_text(path) + (is_array ? " []\n" : " {}\n");
    return path_text(path) != stop_at;
  }
  bool on_value(JsonPath path, const Field& field) override {
    static constexpr char kKinds[] = {'s', 'n', 'b', '0'};
    lines += path_text(path) + ' ' + kKinds[static_cast<std::size_t>(field.kind)] + ' ';
    decode_json_value(field.value.in(text_), field.kind, lines);
    lines += " <" + std::string(field.whole.in(text_)) + ">\n";
    fields.emplace_back(path_text(path), field);
    return path_text(path) != stop_at;
  }

  std::string lines;
  std::string stop_at = "never";
  std::vector<std::pair<std::string, Field>> fields;

 private:
  std::string_view text_;
};

class Nobody final : public JsonVisitor {
 public:
  bool on_container(JsonPath, bool) override { return true; }
  bool on_value(JsonPath, const Field&) override { return true; }
};

ScanStatus status_of(std::string_view text, JsonLimits limits = {}) {
  JsonScanner scanner(kHashKey);
  Nobody ignored;
  return scanner.scan(text, limits, ignored);
}

TEST(Json, ReportsPathsKindsAndSpans) {
  const std::string_view text =
      R"( {"a" : [1.0, {"b\u00e9":"x\n"}, true,null] ,"":"\ud83d\ude00", "k":-1E+5} )";
  JsonScanner scanner(kHashKey);
  Recorder seen(text);
  ASSERT_EQ(scanner.scan(text, JsonLimits{}, seen), ScanStatus::ok);
  EXPECT_EQ(seen.lines,
            " {}\n/1:a []\n/1:a/#0 n 1.0 <1.0>\n/1:a/#1 {}\n"
            "/1:a/#1/3:b\xC3\xA9 s x\n <\"b\\u00e9\":\"x\\n\">\n/1:a/#2 b true <true>\n"
            "/1:a/#3 0 null <null>\n/0: s \xF0\x9F\x98\x80 <\"\":\"\\ud83d\\ude00\">\n"
            "/1:k n -1E+5 <\"k\":-1E+5>\n");
}

TEST(Json, TopLevelMayBeAnyValue) {
  for (const std::string_view text : {"1", " \"x\" ", "true", "null\n", "[]", "{}", "-0.0e-0"}) {
    EXPECT_EQ(status_of(text), ScanStatus::ok) << text;
  }
}

// Beyond the suite of vectors: what policies depend on.
TEST(Json, RefusesWhatIsNotStrict) {
  using namespace std::string_view_literals;
  for (const std::string_view text : {""sv,
                                      " "sv,
                                      "\xEF\xBB\xBF{}"sv,
                                      "\xFF\xFE[\0]\0"sv,
                                      "[\0]\0"sv,
                                      "{} {}"sv,
                                      "{}\n{}\n"sv,
                                      "[1,]"sv,
                                      "[,1]"sv,
                                      "{,}"sv,
                                      "{\"a\":1,}"sv,
                                      "{\"a\" 1}"sv,
                                      "{\"a\":}"sv,
                                      "{a:1}"sv,
                                      "{'a':1}"sv,
                                      "[1 2]"sv,
                                      "[1}"sv,
                                      "{\"a\":1]"sv,
                                      "]"sv,
                                      "NaN"sv,
                                      "Infinity"sv,
                                      "+1"sv,
                                      "01"sv,
                                      "-"sv,
                                      "1."sv,
                                      ".5"sv,
                                      "1e"sv,
                                      "1e+"sv,
                                      "0x1"sv,
                                      "tru"sv,
                                      "truex"sv,
                                      "nul"sv,
                                      "True"sv,
                                      "/**/1"sv,
                                      "1//"sv,
                                      "\"\t\""sv,
                                      "\"\0\""sv,
                                      "\"a"sv,
                                      "\"\\"sv,
                                      "\"\\x\""sv,
                                      "\"\\u12\""sv,
                                      "\"\\u12G4\""sv,
                                      "\"\\ud800\""sv,
                                      "\"\\udc00\""sv,
                                      "\"\\ud800\\u0041\""sv,
                                      "\"\\ud800\\ud800\""sv,
                                      "\"\\ud800x\\udc00\""sv,
                                      "\"\xC0\x80\""sv,
                                      "\"\xED\xA0\x80\""sv,
                                      "\"\xF4\x90\x80\x80\""sv,
                                      "\"\xC3\""sv,
                                      "\"\xE2\x82\""sv,
                                      "[\"0123456789abcde\x80\"]"sv,
                                      "\xC2\xA0[]"sv,
                                      "[]\0"sv,
                                      "\v[]"sv,
                                      "[1]\x1A"sv}) {
    EXPECT_EQ(status_of(text), ScanStatus::malformed) << text;
  }
}

TEST(Json, RefusesDuplicateKeysHoweverSpelt) {
  for (const std::string_view text :
       {R"({"a":1,"a":2})", R"({"a":1,"b":2,"\u0061":3})", R"({"":1,"":1})", R"({"/":1,"\/":1})",
        R"([{"x":{"k":1,"k":1}}])", R"({"\u00e9":1,"é":2})", R"({"\ud83d\ude00":1,"😀":2})",
        R"({"a":{"a":{}},"a":1})"}) {
    EXPECT_EQ(status_of(text), ScanStatus::malformed) << text;
  }
  for (const std::string_view text :
       {R"({"a":1,"A":2})", R"({"a":{"a":{"a":1}},"b":{"a":1}})", R"([{"a":1},{"a":1}])",
        R"({"a":1,"a\u0000":2})", R"({"aaaa":1,"aaaaa":2,"aaaaaa":3})", R"({"ab":1,"ba":2})"}) {
    EXPECT_EQ(status_of(text), ScanStatus::ok) << text;
  }
}

// An object of `count` members around a nested one, with `last` as the last key.
std::string large_object(std::size_t count, const std::string& last) {
  std::string out = "{";
  for (std::size_t i = 0; i < count; ++i) {
    out += "\"key" + std::to_string(i) + "\":" + (i == count / 2 ? R"({"key0":1,"key1":2})" : "1");
    out += ',';
  }
  return out + "\"" + last + "\":1}";
}

TEST(Json, RefusesDuplicatesInObjectsOfAnySize) {
  for (const std::size_t count : {1U, 15U, 16U, 17U, 18U, 33U, 100U, 5000U}) {
    EXPECT_EQ(status_of(large_object(count, "other")), ScanStatus::ok) << count;
    EXPECT_EQ(status_of(large_object(count, "key0")), ScanStatus::malformed) << count;
    const std::string newest = "key" + std::to_string(count - 1);
    EXPECT_EQ(status_of(large_object(count, newest)), ScanStatus::malformed) << count;
    EXPECT_EQ(status_of(large_object(count, "\\u006bey" + std::to_string(count - 1))),
              ScanStatus::malformed)
        << count;
  }
}

TEST(Json, AScannerForgetsTheTextBefore) {
  JsonScanner scanner(kHashKey);
  const std::string large = large_object(200, "other");
  for (int i = 0; i < 3; ++i) {
    Recorder seen(large);
    EXPECT_EQ(scanner.scan(large, JsonLimits{}, seen), ScanStatus::ok);
    Recorder cut("[{\"a");
    EXPECT_EQ(scanner.scan("[{\"a", JsonLimits{}, cut), ScanStatus::malformed);
  }
}

TEST(Json, LimitsHoldExactly) {
  const JsonLimits limits{.depth = 3, .keys = 4, .key_bytes = 2};
  EXPECT_EQ(status_of("[[[1]]]", limits), ScanStatus::ok);
  EXPECT_EQ(status_of("[[[[1]]]]", limits), ScanStatus::too_large);
  EXPECT_EQ(status_of(R"({"a":{"b":[{}]}})", limits), ScanStatus::too_large);
  EXPECT_EQ(status_of(R"([{"a":1,"b":2},{"a":1,"b":2}])", limits), ScanStatus::ok);
  EXPECT_EQ(status_of(R"([{"a":1,"b":2},{"a":1,"b":2,"c":3}])", limits), ScanStatus::too_large);
  EXPECT_EQ(status_of(R"({"\u00e9":1})", limits), ScanStatus::ok);
  EXPECT_EQ(status_of(R"({"abc":1})", limits), ScanStatus::too_large);
}

TEST(Json, NestingCostsNoStack) {
  for (const std::string_view unit : {"[", "{\"a\":", "[{\"\":"}) {
    std::string bomb;
    for (int i = 0; i < 100000; ++i) bomb += unit;
    EXPECT_EQ(status_of(bomb), ScanStatus::too_large);
    EXPECT_EQ(status_of(bomb, {.depth = 1000000, .keys = 1000000}), ScanStatus::malformed);
  }
}

TEST(Json, StopsWhenTheVisitorSaysSo) {
  JsonScanner scanner(kHashKey);
  const std::string_view text = R"({"a":1,"b":[2],"c":3})";
  for (const std::string_view where : {"", "/1:a", "/1:b", "/1:b/#0", "/1:c"}) {
    Recorder seen(text);
    seen.stop_at = where;
    EXPECT_EQ(scanner.scan(text, JsonLimits{}, seen), ScanStatus::stopped) << where;
  }
}

TEST(Json, EncodesStringsSoThatTheyComeBack) {
  std::string text;
  for (int i = 0; i < 128; ++i) text.push_back(static_cast<char>(i));
  text += "\xC3\xA9\xE2\x80\xA8\xF0\x9F\x98\x80";
  std::string encoded;
  encode_json_string(text, encoded);
  ASSERT_EQ(status_of(encoded), ScanStatus::ok);
  std::string decoded;
  decode_json_value(encoded, ValueKind::string, decoded);
  EXPECT_EQ(decoded, text);
  std::string small;
  encode_json_string("a\"\\\n\x01/", small);
  EXPECT_EQ(small, R"("a\"\\\n\u0001/")");
}

// payloads.md, C5: what no rule touches stays byte-identical, and what is replaced alone changes.
TEST(Json, LeavesSpellingsAlone) {
  const std::string_view text =
      "{ \"a\":[],\"o\":{},\"f\":1.0,\"e\":1E5,\"i\":9007199254740993,\"s\":\"\\/\\u00E9\","
      "\"z\":\"\\u0000\" , \"x\":\"secret\"}\n";
  JsonScanner scanner(kHashKey);
  Recorder seen(text);
  ASSERT_EQ(scanner.scan(text, JsonLimits{}, seen), ScanStatus::ok);
  std::vector<Edit> edits;
  json_edits(text, {}, edits);
  EXPECT_EQ(splice(text, edits, ""), text);
  const FieldEdit edit{seen.fields.back().second, {0, 5}, false};
  json_edits(text, {&edit, 1}, edits);
  std::string expected(text);
  expected.replace(expected.find("\"secret\""), 8, "\"tok\"");
  EXPECT_EQ(splice(text, edits, "\"tok\""), expected);
}

std::string without(std::string_view text, std::string_view paths) {
  JsonScanner scanner(kHashKey);
  Recorder seen(text);
  EXPECT_EQ(scanner.scan(text, JsonLimits{}, seen), ScanStatus::ok);
  std::vector<FieldEdit> field_edits;
  for (const auto& [path, field] : seen.fields) {
    if (paths.find(path + ' ') != std::string_view::npos) field_edits.push_back({field, {}, true});
  }
  std::vector<Edit> edits;
  json_edits(text, field_edits, edits);
  return splice(text, edits, "");
}

TEST(Json, RemovesCommasWithMembers) {
  EXPECT_EQ(without(R"({"a":1,"b":2,"c":3})", "/1:a "), R"({"b":2,"c":3})");
  EXPECT_EQ(without(R"({"a":1,"b":2,"c":3})", "/1:b "), R"({"a":1,"c":3})");
  EXPECT_EQ(without(R"({"a":1,"b":2,"c":3})", "/1:b /1:c "), R"({"a":1})");
  EXPECT_EQ(without(R"({"a":1,"b":2,"c":3})", "/1:a /1:b /1:c "), "{}");
  EXPECT_EQ(without("{ \"a\" : 1 , \"b\" : 2 }", "/1:b "), "{ \"a\" : 1  }");
  EXPECT_EQ(without("[1,[2],3]", "/#0 /#1/#0 /#2 "), "[[]]");
  EXPECT_EQ(without(R"({"x":{"a":1},"b":2})", "/1:x/1:a /1:b "), R"({"x":{}})");
  EXPECT_EQ(without(" 1 ", " "), " null ");
}

}  // namespace
}  // namespace paravent::proxy::body::test
