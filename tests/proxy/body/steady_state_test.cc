// No codec allocates once its buffers have grown: the second round over the same texts must not
// call operator new.

#include <gtest/gtest.h>

#include "proxy/body/cookie.h"
#include "proxy/body/form.h"
#include "proxy/body/json.h"
#include "proxy/body/media_type.h"
#include "proxy/body/multipart.h"
#include "proxy/body/splice.h"
#include "tests/support/allocation_counter.h"

namespace paravent::proxy::body {
namespace {

class Collector final : public FlatVisitor, public JsonVisitor {
 public:
  bool on_field(std::string_view, const Field& field) override { return add(field); }
  bool on_value(JsonPath, const Field& field) override { return add(field); }
  bool on_container(JsonPath, bool) override { return true; }

  std::vector<FieldEdit> edits;
  Span replacement;

 private:
  bool add(const Field& field) {
    edits.push_back({field, replacement, edits.size() % 3 == 2});
    return true;
  }
};

struct Buffers {
  Collector collector;
  std::vector<Edit> edits;
  std::string arena;
  std::string scratch;
  JsonScanner scanner{7};
  std::size_t bytes = 0;

  void reset() {
    collector.edits.clear();
    edits.clear();
    arena.clear();
  }
  void drain(std::string_view text) {
    SplicedBytes(text, edits, arena).for_each_segment([this](std::string_view segment) {
      bytes += segment.size();
    });
    reset();
  }
};

void round_trip(Buffers& b, const std::string& json) {
  constexpr std::string_view kForm = "first+name=Zo%C3%AB&email=a%40b.example&bare&c=3&d=4";
  constexpr std::string_view kCookies = "a=1; b=2; c=3; d";
  constexpr std::string_view kParts =
      "--B\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Length: 1\r\n\r\n1\r\n"
      "--B\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n\r\n--B--\r\n";
  encode_form_value("a token with spaces", b.arena);
  b.collector.replacement = {0, static_cast<std::uint32_t>(b.arena.size())};
  ASSERT_EQ(scan_form(kForm, {}, b.scratch, b.collector), ScanStatus::ok);
  form_edits(kForm, b.collector.edits, b.edits);
  b.drain(kForm);
  ASSERT_EQ(scan_cookies(kCookies, {}, b.collector), ScanStatus::ok);
  cookie_edits(kCookies, b.collector.edits, b.edits);
  b.drain(kCookies);
  const auto type = parse_content_type("multipart/form-data; boundary=\"B\"; charset=utf-8");
  ASSERT_TRUE(type.has_value());
  ASSERT_EQ(scan_multipart(kParts, type->boundary, {}, b.scratch, b.collector), ScanStatus::ok);
  multipart_edits(kParts, b.collector.edits, b.edits);
  b.drain(kParts);
  ASSERT_EQ(b.scanner.scan(json, {}, b.collector), ScanStatus::ok);
  json_edits(json, b.collector.edits, b.edits);
  b.drain(json);
}

TEST(BodySteadyState, DoesNotAllocate) {
  std::string json = R"({"list":[1,{"k\u00e9y":"v\n"},{"k\u00e9y":"w"}],)";
  for (int i = 0; i < 100; ++i) json += "\"member " + std::to_string(i) + "\":null,";
  json += R"("last":"\ud83d\ude00"})";
  Buffers buffers;
  round_trip(buffers, json);
  const std::uint64_t after_first = paravent::testing::allocations();
  ASSERT_GT(after_first, 0U) << "the counter does not count";
  for (int i = 0; i < 10; ++i) round_trip(buffers, json);
  EXPECT_EQ(paravent::testing::allocations(), after_first);
  EXPECT_GT(buffers.bytes, 0U);
}

}  // namespace
}  // namespace paravent::proxy::body
