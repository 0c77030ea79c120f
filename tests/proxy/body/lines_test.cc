// Bodies that are several documents: what is one, and what is refused.

#include "proxy/body/lines.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/body/splice.h"
#include "tests/proxy/body/support.h"

namespace paravent::proxy::body {
namespace {

class Values final : public JsonVisitor {
 public:
  explicit Values(std::string_view text) : text_(text) {}
  bool on_value(JsonPath path, const Field& field) override {
    seen += test::path_text(path) + "=" + std::string(field.value.in(text_)) +
            (field.is_file ? "!" : "") + ";";
    fields.push_back(field);
    return true;
  }
  bool on_container(JsonPath, bool) override { return true; }

  std::string seen;
  std::vector<Field> fields;

 private:
  std::string_view text_;
};

struct Scanned {
  ScanStatus status = ScanStatus::ok;
  std::string seen;
  std::vector<Field> fields;
  std::vector<Line> lines;
};

Scanned scan(std::string_view text, LineForm form) {
  Values values(text);
  JsonScanner scanner(1);
  Scanned out;
  out.status = scan_json_lines(text, form, {}, scanner, values, out.lines);
  out.seen = values.seen;
  out.fields = values.fields;
  return out;
}

TEST(JsonLines, AreNumberedDocuments) {
  const Scanned scanned = scan("{\"a\":1}\n \"x\" \r\n[2]\n", LineForm::each);
  EXPECT_EQ(scanned.status, ScanStatus::ok);
  EXPECT_EQ(scanned.seen, "/#0/1:a=1;/#1=\"x\";/#2/#0=2;");
  EXPECT_EQ(scan("{\"a\":1}", LineForm::each).lines.size(), 1U);
}

TEST(JsonLines, EachIsReadAsStrictlyAsABody) {
  for (const char* text : {"", "\n", "{}\n\n{}", "{}\n\n", "{}{}", "{}\n{\"a\":1,\"a\":1}", "{\n}",
                           "{}\n\xEF\xBB\xBF{}", "{}\n1 2", "[\n"}) {
    EXPECT_EQ(scan(text, LineForm::each).status, ScanStatus::malformed) << text;
  }
  std::string many;
  for (std::size_t i = 0; i <= kMaxLines; ++i) many += "1\n";
  EXPECT_EQ(scan(many, LineForm::each).status, ScanStatus::too_large);
}

TEST(Envelope, HeadersSayHowLongPayloadsAre) {
  const std::string text =
      "{\"dsn\":\"d\"}\n"
      "{\"type\":\"event\"}\n{\"m\":\"x\"}\n"
      "{\"type\":\"session\",\"length\":9}\n{\n\"s\":1\n}\n"
      "{\"length\":3,\"type\":\"attachment\",\"filename\":\"f\"}\n\n\n\xFF\n"
      "{\"type\":\"event\"}\n{}";
  const Scanned scanned = scan(text, LineForm::envelope);
  ASSERT_EQ(scanned.status, ScanStatus::ok);
  EXPECT_EQ(scanned.seen,
            "/#0/3:dsn=\"d\";/#2/1:m=\"x\";/#4/1:s=1;/#5/8:filename=\"f\";"
            "/#6/10:attachment=\n\n\xFF!;");
  EXPECT_EQ(scanned.lines.size(), 9U);
}

TEST(Envelope, WhatDoesNotFitIsMalformed) {
  for (const char* text :
       {"", "\n", "{}\n{\"type\":\"event\"}", "{}\n{\"type\":\"event\"}\n", "{}\n{}\n{}\n",
        "{}\n{\"type\":1}\n{}\n", "{}\n{\"type\":{}}\n{}\n", "{}\n[\"type\"]\n{}\n",
        "{}\n{\"type\":\"event\",\"length\":1}\n{}\n",
        "{}\n{\"type\":\"event\",\"length\":99}\n{}\n",
        "{}\n{\"type\":\"event\",\"length\":\"2\"}\n{}\n",
        "{}\n{\"type\":\"event\",\"length\":2.0}\n{}\n",
        "{}\n{\"type\":\"event\",\"length\":-2}\n{}\n",
        "{}\n{\"type\":\"event\",\"length\":[2]}\n{}\n",
        "{}\n{\"type\":\"event\",\"type\":\"attachment\"}\n{}\n",
        "{}\n{\"type\":\"event\"}\n{}\n\n", "{}\n{\"type\":\"event\"}\n\xFF\n"}) {
    EXPECT_EQ(scan(text, LineForm::envelope).status, ScanStatus::malformed) << text;
  }
}

TEST(Envelope, LengthsFollowWhatIsWritten) {
  const std::string text =
      "{}\n{\"type\":\"event\",\"length\":9,\"x\":1}\n{\"m\":\"x\"}\n"
      "{\"type\":\"replay_recording\",\"length\":1,\"y\":2}\nz\n";
  const Scanned scanned = scan(text, LineForm::envelope);
  ASSERT_EQ(scanned.status, ScanStatus::ok);
  std::string arena = "\"a longer value\"";
  const Span replacement{0, static_cast<std::uint32_t>(arena.size())};
  // x, m, y, the recording.
  ASSERT_EQ(scanned.fields.size(), 4U);
  const std::vector<FieldEdit> fields = {{scanned.fields[0], {}, true},
                                         {scanned.fields[1], replacement, false},
                                         {scanned.fields[2], replacement, false},
                                         {scanned.fields[3], {}, true}};
  std::vector<Edit> edits;
  json_line_edits(text, scanned.lines, fields, arena, edits);
  EXPECT_EQ(splice(text, edits, arena),
            "{}\n{\"type\":\"event\",\"length\":22}\n{\"m\":\"a longer value\"}\n");
}

TEST(FormLines, AreFormsOfTheirOwn) {
  const std::string text = "en=view&ep.mail=a\r\n\r\nen=click\n";
  test::FlatFields fields(text);
  std::string scratch;
  std::vector<Line> lines;
  ASSERT_EQ(scan_form_lines(text, {}, scratch, fields, lines), ScanStatus::ok);
  ASSERT_EQ(fields.fields.size(), 3U);
  EXPECT_EQ(fields.fields[2].raw, "click");
  std::string none;
  std::vector<Edit> edits;
  form_line_edits(text, lines,
                  std::vector<FieldEdit>{{fields.fields[1].field, {}, true},
                                         {fields.fields[2].field, {}, true}},
                  edits);
  EXPECT_EQ(splice(text, edits, none), "en=view\r\n\r\n\n");
  for (const char* bad : {"a=1\n%zz", "a=1\n\rb", "a=1\r\r\nb=2", "a;b\n"}) {
    test::FlatFields ignored(bad);
    EXPECT_EQ(scan_form_lines(bad, {}, scratch, ignored, lines), ScanStatus::malformed) << bad;
  }
}

}  // namespace
}  // namespace paravent::proxy::body
