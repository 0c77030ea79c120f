// The two laws for fields inside of fields, over values made at random in every wrapping that
// payloads use: where nothing inside is replaced the body goes on as it came, byte for byte; and
// what is read behind a replacement is exactly what was replaced, everything beside it as it was.

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/encoding.h"
#include "proxy/body/form.h"
#include "proxy/body/json.h"
#include "proxy/body/wrapping.h"
#include "tests/proxy/body/packing.h"
#include "tests/proxy/body/random.h"
#include "tests/proxy/pipeline/pipeline_testing.h"

namespace paravent::proxy::testing {
namespace {

using body::test::Random;

using Wrap = std::function<std::string(std::string_view)>;

std::string json_string(std::string_view text) {
  std::string out;
  body::encode_json_string(text, out);
  return out;
}

std::string percent(std::string_view text) {
  std::string out;
  body::encode_form_value(text, out);
  return out;
}

Wrap base64(body::Base64Alphabet alphabet, bool padded) {
  return [=](std::string_view text) {
    std::string out;
    body::wrap_base64(text, alphabet, padded, out);
    return out;
  };
}

std::string gzip(std::string_view text) {
  return body::test::pack(body::ContentCoding::gzip, text);
}

// How a document with these two members is written, and how it is wrapped, innermost first.
struct Form {
  std::string as;      // of the policy
  std::string inner;   // the name of `m` inside, as a rule writes it
  std::string beside;  // of `x`
  std::function<std::string(std::string_view m, std::string_view x)> write;
  std::vector<Wrap> wraps;
};

std::string as_json(std::string_view m, std::string_view x) {
  return "{ \"m\" :" + json_string(m) + ",\"n\":[1.0,-0e1],\"x\":" + json_string(x) + "}";
}
std::string as_query(std::string_view m, std::string_view x) {
  return "?x=" + percent(x) + "&m=" + percent(m) + "&&n";
}
std::string as_url(std::string_view m, std::string_view x) {
  return "https://shop.example/a%20b?m=" + percent(m) + "&x=" + percent(x) + "#f?m=1";
}

std::vector<Form> forms() {
  using body::Base64Alphabet;
  const Wrap plain = base64(Base64Alphabet::standard, true);
  return {
      {"json", "json.m", "json.x", as_json, {}},
      {"query", "query.m", "query.x", as_query, {}},
      {"url", "query.m", "query.x", as_url, {}},
      {"[base64, json]", "json.m", "json.x", as_json, {plain}},
      {"[base64, json]", "json.m", "json.x", as_json, {base64(Base64Alphabet::standard, false)}},
      {"[base64url, json]", "json.m", "json.x", as_json, {base64(Base64Alphabet::url, true)}},
      {"[base64url, json]", "json.m", "json.x", as_json, {base64(Base64Alphabet::url, false)}},
      {"[percent, json]", "json.m", "json.x", as_json, {percent}},
      {"[percent, query]", "query.m", "query.x", as_query, {percent}},
      {"[base64url, percent, url]",
       "query.m",
       "query.x",
       as_url,
       {percent, base64(Base64Alphabet::url, false)}},
      {"[base64, gzip, json]", "json.m", "json.x", as_json, {gzip, plain}},
  };
}

class Seen final : public ScanObserver {
 public:
  void on_field(std::string_view path, std::string_view value, bool,
                const policies::FieldAction*) override {
    if (path.ends_with(".m")) m.emplace_back(value);
    if (path.ends_with(".x")) x.emplace_back(value);
  }
  std::vector<std::string> m;
  std::vector<std::string> x;
};

std::string rules(const Form& form, const std::string& action) {
  std::string text;
  for (const std::string outer : {"form.f", "json.f", "multipart.f", "query.f"}) {
    text += "      " + outer + ": { do: open, as: " + form.as + " }\n";
    text += "      " + outer + " > " + form.inner + ": { " + action + " }\n";
    text += "      " + outer + " > " + form.beside + ": { do: keep }\n";
  }
  return text;
}

std::string in_carrier(int carrier, const std::string& value) {
  switch (carrier) {
    case 0:
      return form_post("a=%7e&f=" + percent(value) + "&b");
    case 1:
      return json_post("{\"a\":1.50, \"f\" : " + json_string(value) + " }");
    case 2:
      return multipart_post(part("a", "~") + part("f", value) + std::string(kMultipartEnd));
    default:
      return request_text("POST /f?a=%7e&f=" + percent(value) + "&b", "");
  }
}

std::string body_of(const std::string& request) {
  return request.substr(request.find("\r\n\r\n") + 4);
}

class NestingLaws : public ::testing::TestWithParam<std::size_t> {};

TEST_P(NestingLaws, Hold) {
  const Form form = forms()[GetParam()];
  Pipeline keep(policy_text(rules(form, "do: keep"), "    unlisted: keep\n"));
  Pipeline replace(
      policy_text(rules(form, "do: replace, with: 'r & \"r\"'"), "    unlisted: keep\n"));
  Random random(GetParam() + 1);
  for (int round = 0; round < 60; ++round) {
    const std::string m = "v" + random.text(6);  // an empty one passes
    const std::string x = random.text(6);
    std::string value = form.write(m, x);
    for (const Wrap& wrap : form.wraps) value = wrap(value);
    for (int carrier = 0; carrier < 4; ++carrier) {
      const std::string request = in_carrier(carrier, value);
      const Outcome kept = keep.run(request);
      ASSERT_EQ(kept.refused, "") << request;
      EXPECT_EQ(kept.body, body_of(request));
      EXPECT_EQ(kept.request_line(), request.substr(0, request.find("\r\n")));

      const Outcome replaced = replace.run(request);
      ASSERT_EQ(replaced.refused, "") << request;
      // What the upstream reads.
      Seen seen;
      keep.observer = &seen;
      const std::string line =
          replaced.request_line().substr(0, replaced.request_line().rfind(' '));
      const std::string type = request.substr(request.find("\r\n") + 2);
      const std::size_t at = type.find("Content-Type: ");
      const std::string headers =
          at == std::string::npos ? "" : type.substr(at, type.find("\r\n", at) + 2 - at);
      const Outcome again = keep.run(request_text(line, headers, replaced.body));
      keep.observer = nullptr;
      ASSERT_EQ(again.refused, "") << replaced.body;
      EXPECT_EQ(seen.m, std::vector<std::string>{"r & \"r\""});
      EXPECT_EQ(seen.x, std::vector<std::string>{x});
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Wrappings, NestingLaws, ::testing::Range(std::size_t{0}, forms().size()));

}  // namespace
}  // namespace paravent::proxy::testing
