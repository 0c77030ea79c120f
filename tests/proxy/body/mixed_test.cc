// multipart/mixed: a JSON part and attachments, and what readers could disagree about.

#include "proxy/body/mixed.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/body/splice.h"
#include "tests/proxy/body/support.h"

namespace paravent::proxy::body {
namespace {

const std::string kJson = "--B\r\nContent-Type: application/json\r\n\r\n{\"a\":1,\"b\":[2]}\r\n";

class Values final : public JsonVisitor {
 public:
  explicit Values(std::string_view text) : text_(text) {}
  bool on_value(JsonPath path, const Field& field) override {
    seen += test::path_text(path) + "=" + std::string(field.value.in(text_)) + ";";
    fields.push_back(field);
    return true;
  }
  bool on_container(JsonPath, bool) override { return true; }

  std::string seen;
  std::vector<Field> fields;

 private:
  std::string_view text_;
};

ScanStatus status_of(std::string_view text) {
  Values values(text);
  JsonScanner scanner(1);
  std::vector<Line> parts;
  return scan_mixed(text, "B", {}, scanner, values, parts);
}

TEST(Mixed, TheFirstPartIsJsonAndTheOthersAreOpaque) {
  const std::string text =
      kJson +
      "--B\r\ncontent-type:image/png\r\nContent-Transfer-Encoding: binary\r\n"
      "X-Experience-API-Hash: 0a\r\n\r\n\x01\r\n--\r\n\r\n--B\r\n\r\n\r\n--B--\r\n";
  Values values(text);
  JsonScanner scanner(1);
  std::vector<Line> parts;
  ASSERT_EQ(scan_mixed(text, "B", {}, scanner, values, parts), ScanStatus::ok);
  EXPECT_EQ(values.seen, "/1:a=1;/1:b/#0=2;/#1/10:attachment=\x01\r\n--\r\n;/#2/10:attachment=;");
  std::string arena = "\"x\"";
  std::vector<Edit> edits;
  mixed_edits(text, parts,
              std::vector<FieldEdit>{{values.fields[0], {0, 3}, false},
                                     {values.fields[1], {}, true},
                                     {values.fields[2], {}, true}},
              edits);
  EXPECT_EQ(splice(text, edits, arena),
            "--B\r\nContent-Type: application/json\r\n\r\n{\"a\":\"x\",\"b\":[]}\r\n"
            "--B\r\n\r\n\r\n--B--\r\n");
}

TEST(Mixed, IsReadStrictly) {
  const std::string part = "--B\r\nContent-Type: text/plain\r\n\r\nx\r\n";
  for (const std::string& text :
       {std::string(), std::string("--B--"), kJson, "x\r\n" + kJson + "--B--", kJson + "--B--x",
        kJson + "--B--\r\nx", kJson + "--B \r\n\r\nx\r\n--B--", kJson + "--Bx\r\n\r\nx\r\n--B--",
        kJson + "--B\n\nx\r\n--B--", kJson + "--B\r\n\r\nx\n--B--", kJson + "--B\r\n\r\n--B--",
        kJson + "--B\r\nX: y\r\n\r\nx\r\n--B--",
        kJson + "--B\r\nContent-Length: 1\r\n\r\nx\r\n--B--",
        kJson + "--B\r\nContent-Type: a/b\r\n c\r\n\r\nx\r\n--B--",
        kJson + "--B\r\nContent-Type: a/b\r\ncontent-type: a/b\r\n\r\nx\r\n--B--",
        kJson + "--B\r\nContent-Type : a/b\r\n\r\nx\r\n--B--",
        std::string("--B\r\nContent-Type: application/json\r\n\r\n{\"a\":1,\"a\":2}\r\n--B--"),
        std::string("--B\r\nContent-Type: application/json\r\n\r\n\r\n--B--")}) {
    EXPECT_EQ(status_of(text), ScanStatus::malformed) << text;
  }
  for (const std::string& text :
       {part + "--B--", std::string("--B\r\n\r\n{}\r\n--B--"),
        std::string("--B\r\nContent-Type: application/json; charset=latin1\r\n\r\n{}\r\n--B--"),
        kJson + "--B\r\nContent-Transfer-Encoding: base64\r\n\r\nAA==\r\n--B--"}) {
    EXPECT_EQ(status_of(text), ScanStatus::unsupported) << text;
  }
  std::string many = kJson;
  for (std::size_t i = 0; i < kMaxMixedParts; ++i) many += part;
  EXPECT_EQ(status_of(many + "--B--"), ScanStatus::too_large);
  EXPECT_EQ(
      status_of(kJson + "--B\r\nContent-Type: " + std::string(5000, 'a') + "\r\n\r\n\r\n--B--"),
      ScanStatus::too_large);
  EXPECT_EQ(status_of(kJson + "--B--"), ScanStatus::ok);
}

}  // namespace
}  // namespace paravent::proxy::body
