// Admission: types, encodings and sizes from the head alone; and what `elsewhere` lets through on a
// protected path.

#include "proxy/pipeline/admission.h"

#include <gtest/gtest.h>

#include <array>
#include <tuple>
#include <variant>

#include "tests/proxy/pipeline/pipeline_testing.h"

namespace paravent::proxy::testing {
namespace {

std::string typed(const std::string& headers, const std::string& body = "a=1") {
  return request_text("POST /f", headers, body);
}

struct Case {
  const char* headers;
  const char* expected;  // refusal, or empty
};

TEST(Admission, TypesAndEncodings) {
  Pipeline pipeline(policy_text("      form.a: { do: keep }\n"));
  const Case cases[] = {
      {"Content-Type: application/x-www-form-urlencoded\r\n", ""},
      {"Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n", ""},
      {"Content-Type: APPLICATION/X-WWW-Form-Urlencoded;charset=\"us-ascii\"\r\n", ""},
      {"Content-Type: application/x-www-form-urlencoded\r\nContent-Encoding: Identity\r\n", ""},
      {"", "unsupported-type"},
      {"Content-Type: application/json\r\n", "unsupported-type"},
      {"Content-Type: multipart/form-data; boundary=B\r\n", "unsupported-type"},
      {"Content-Type: text/plain\r\n", "unsupported-type"},
      {"Content-Type: application/octet-stream\r\n", "unsupported-type"},
      {"Content-Type: application/x-www-form-urlencoded; charset=utf-16\r\n", "unsupported-type"},
      {"Content-Type: application/x-www-form-urlencoded; charset=iso-8859-1\r\n",
       "unsupported-type"},
      {"Content-Type: form\r\n", "unsupported-type"},
      {"Content-Type: application/x-www-form-urlencoded\r\nContent-Encoding: x-gzip\r\n",
       "unsupported-encoding"},
      {"Content-Type: application/x-www-form-urlencoded\r\nContent-Encoding: gzip, gzip\r\n",
       "unsupported-encoding"},
      {"Content-Type: application/x-www-form-urlencoded\r\nContent-Encoding: gzip\r\n"
       "Content-Encoding: gzip\r\n",
       "unsupported-encoding"},
      // Taken on; but this body lies.
      {"Content-Type: application/x-www-form-urlencoded\r\nContent-Encoding: gzip\r\n",
       "malformed-body"},
      {"Content-Type: application/x-www-form-urlencoded\r\nContent-Encoding: identity\r\n"
       "Content-Encoding: identity\r\n",
       "unsupported-encoding"},
      {"Content-Type: application/x-www-form-urlencoded\r\nContent-Encoding: identity, gzip\r\n",
       "unsupported-encoding"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(pipeline.run(typed(one.headers)).refused, one.expected) << one.headers;
  }
  // Without a body nothing is said about it.
  EXPECT_EQ(pipeline.run(request_text("POST /f", "Content-Type: image/png\r\n")).refused, "");
}

TEST(Admission, ARepeatedContentTypeIsAFramingFault) {
  // The parser refuses it first; admission does not rely on that.
  Pipeline pipeline(policy_text("      form.a: { do: keep }\n"));
  const std::array<HeaderLine, 2> lines = {
      {{"Content-Type", "application/x-www-form-urlencoded", HeaderName::content_type},
       {"Content-Type", "application/json", HeaderName::content_type}}};
  RequestHead head;
  head.method = Method::post;
  head.framing = BodyFraming::length;
  head.content_length = 3;
  head.headers = lines;
  const auto match = pipeline.snapshot().plan->route_for("POST", "shop.example", "/f");
  const auto admitted = admit(*pipeline.snapshot().plan, match, head, Limits());
  ASSERT_TRUE(std::holds_alternative<Refusal>(admitted));
  EXPECT_EQ(std::get<Refusal>(admitted).reason, Reason::framing);
}

TEST(Admission, JsonUnderTextOnlyWhereTheRouteSaysSo) {
  Pipeline plain(policy_text("      json.a: { do: keep }\n"));
  Pipeline text(policy_text("      json.a: { do: keep }\n", "    text-plain: json\n"));
  for (const auto& [type, by_plain, by_text] :
       {std::tuple{"application/json", "", ""},
        {"application/ld+json; charset=utf-8", "", ""},
        {"text/plain", "unsupported-type", ""},
        {"text/plain;charset=UTF-16", "unsupported-type", "unsupported-type"},
        {"text/html", "unsupported-type", "unsupported-type"}}) {
    const std::string request = typed(std::string("Content-Type: ") + type + "\r\n", R"({"a":1})");
    EXPECT_EQ(plain.run(request).refused, by_plain) << type;
    EXPECT_EQ(text.run(request).refused, by_text) << type;
  }
}

TEST(Admission, DeclaredSizesAreBoundedByCodec) {
  Pipeline pipeline(policy_text("      form.a: { do: keep }\n      json.a: { do: keep }\n", "",
                                "elsewhere: { methods: [POST], upstream: http://127.0.0.1:9000, "
                                "do: pass }\n"));
  Limits limits;
  limits.form_bytes = 10;
  limits.json_bytes = 20;
  const auto admitted = [&](const std::string& target, const std::string& type,
                            std::uint64_t size) -> std::string {
    const ReadRequest read("POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Type: " + type +
                           "\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
    const auto match = pipeline.snapshot().plan->route_for("POST", "a", read.head().path);
    const auto answer = admit(*pipeline.snapshot().plan, match, read.head(), limits);
    if (const auto* refusal = std::get_if<Refusal>(&answer)) {
      return std::string(reason_label(refusal->reason));
    }
    return std::to_string(std::get<BodyPlan>(answer).limit);
  };
  const std::string form = "application/x-www-form-urlencoded";
  EXPECT_EQ(admitted("/f", form, 10), "10");
  EXPECT_EQ(admitted("/f", form, 11), "too-large");
  EXPECT_EQ(admitted("/f", "application/json", 20), "20");
  EXPECT_EQ(admitted("/f", "application/json", 21), "too-large");
  EXPECT_EQ(admitted("/f", form, 9'999'999'999'999'999'999ULL), "too-large");
  EXPECT_EQ(admitted("/page", "image/png", 20), "20");
  EXPECT_EQ(admitted("/page", "image/png", 21), "too-large");
}

TEST(Elsewhere, OnAProtectedPathOnlyPagesPass) {
  Pipeline pipeline(policy_text(
      "      form.email: { kind: email, do: tokenise }\n      multipart.name: { do: mask }\n"
      "      json.phone: { do: mask }\n      query.city: { do: mask }\n",
      "",
      "elsewhere: { methods: [GET, HEAD, PUT, OPTIONS], upstream: http://127.0.0.1:9000, do: pass "
      "}\n"));
  const Case cases[] = {
      {"GET /f", ""},
      {"HEAD /f?page=2&x", ""},
      {"GET /f?", ""},
      {"GET /f?email=a", "method"},
      {"GET /f?x=1&name=a", "method"},
      {"GET /f?phone", "method"},
      {"GET /f?city=a", "method"},
      {"GET /f?%65mail=a", "method"},
      {"GET /f?a=1;email=2", "method"},  // read by some as two fields: not passed
      {"PUT /f", "method"},
      {"OPTIONS /f", "method"},
      {"DELETE /f", "method"},
      {"PUT /page", ""},
      {"GET /page?email=a", ""},
      {"DELETE /page", "no-route"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(pipeline.run(request_text(one.headers, "")).refused, one.expected) << one.headers;
  }
  Pipeline strict(policy_text("      form.email: { do: keep }\n"));
  EXPECT_EQ(strict.run(request_text("GET /f", "")).refused, "method");
  EXPECT_EQ(strict.run(request_text("GET /page", "")).refused, "no-route");
}

TEST(Elsewhere, PassesTheBodyAndTakesTheAddressOut) {
  Pipeline pipeline(policy_text("      form.email: { do: mask }\n", "",
                                "elsewhere: { methods: [POST], upstream: http://127.0.0.1:9000, "
                                "do: pass, client-address: truncate }\n"));
  const Outcome outcome = pipeline.run(request_text(
      "POST /other?email=1", "X-Real-IP: 1.2.3.4\r\nContent-Encoding: gzip\r\n", "email=\x1F\x8B"));
  EXPECT_EQ(outcome.refused, "");
  EXPECT_EQ(outcome.body, "email=\x1F\x8B");
  EXPECT_EQ(outcome.request_line(), "POST /other?email=1 HTTP/1.1");
  EXPECT_TRUE(outcome.lines("X-Real-IP").empty());
  EXPECT_EQ(outcome.lines("X-Forwarded-For"), std::vector<std::string>{"192.0.0.0"});
}

}  // namespace
}  // namespace paravent::proxy::testing
