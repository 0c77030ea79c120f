// Rules that look around the field: the element beside which a member has a value, the place of an
// element, the names that PHP takes for one, and bodies whose type does not say what they are.

#include <gtest/gtest.h>

#include <string>

#include "tests/proxy/body/packing.h"
#include "tests/proxy/pipeline/pipeline_testing.h"

namespace paravent::proxy::testing {
namespace {

using policies::Carrier;

const std::string kKeep = "    unlisted: keep\n";
constexpr std::string_view kMask = "********";

// HubSpot: the value's meaning stands in the member beside it.
TEST(SiblingFilter, SelectsByTheMemberBeside) {
  Pipeline pipeline(
      policy_text("      json.fields[name=email].value: { do: mask }\n"
                  "      json.fields['na=me'='it''s'].value: { do: replace, with: x }\n",
                  kKeep));
  EXPECT_EQ(pipeline
                .run(json_post(R"({"fields":[{"name":"email","value":"a@b.fr"},)"
                               R"({"value":"v","name":"city"},{"value":"a@c.fr","name":"email"},)"
                               R"({"na=me":"it's","value":"1"},"email",["email"],{}]})"))
                .body,
            R"({"fields":[{"name":"email","value":"********"},)"
            R"({"value":"v","name":"city"},{"value":"********","name":"email"},)"
            R"({"na=me":"it's","value":"x"},"email",["email"],{}]})");
}

// One document a line: blanks in front of it mean nothing.
TEST(SiblingFilter, OfADocumentInALine) {
  Pipeline pipeline(
      policy_text("      json[type=identify].email: { do: mask }\n", "    lines: on\n" + kKeep));
  for (const std::string blank : {"", " ", "\t", "\r", " \t\r "}) {
    const std::string other = blank + R"({"type":"page","email":"x"})" + "\n";
    EXPECT_EQ(pipeline
                  .run(request_text("POST /f", "Content-Type: application/x-ndjson\r\n",
                                    other + blank + R"({"type":"identify","email":"jean@x.fr"})"))
                  .body,
              other + blank + R"({"type":"identify","email":"********"})");
  }
}

TEST(SiblingFilter, ReadsNamesAndValuesAsAReceiverWould) {
  Pipeline pipeline(policy_text("      json[name=email].v: { do: mask }\n", kKeep));
  // Escaped, and behind other members of every type.
  EXPECT_EQ(
      pipeline
          .run(json_post(R"([{"a":{"name":"x","b":[1,"}]"]},"v":"1","n\u0061me":"\u0065mail"}])"))
          .body,
      R"([{"a":{"name":"x","b":[1,"}]"]},"v":"********","n\u0061me":"\u0065mail"}])");
  // Not of a member further down, nor of the neighbour, nor of another type.
  for (const char* other : {R"([{"a":{"name":"email"},"v":"1"}])",
                            R"([{"name":"email"},{"v":"1"}])", R"([{"name":["email"],"v":"1"}])",
                            R"([{"name":"Email","v":"1"}])", R"({"name":"email","v":"1"})"}) {
    EXPECT_EQ(pipeline.run(json_post(other)).body, other);
  }
  for (const char* broken : {R"([{"name":"email","v":"1")", R"([{"name":"email" "v":"1"}])",
                             R"([{"name":"email","name":"email","v":"1"}])"}) {
    EXPECT_EQ(pipeline.run(json_post(broken)).refused, "malformed-body") << broken;
  }
}

TEST(Element, IsCountedFromZero) {
  Pipeline pipeline(policy_text("      json.a[1]: { do: mask }\n", kKeep));
  EXPECT_EQ(pipeline.run(json_post(R"({"a":["x",  "y","z"],"b":["x","y"]})")).body,
            R"({"a":["x",  "********","z"],"b":["x","y"]})");
  EXPECT_EQ(pipeline.run(json_post(R"({"a":{"1":"y"}})")).body, R"({"a":{"1":"y"}})");
}

// What PHP 8.2's parse_str() makes of each name, and so a form behind it.
TEST(PhpNames, EveryNameThatPhpTakesForTheFieldsIsTheField) {
  Pipeline pipeline(
      policy_text("      form.billing_email: { do: mask }\n"
                  "      form.input_1.3: { do: mask }\n"
                  "      form.wp[fields][*][first]: { do: mask }\n",
                  kKeep + "    php-names: on\n"));
  for (const char* name :
       {"billing_email", "billing.email", "billing+email", "%20billing_email", "billing%5Bemail",
        "++billing.email", "billing_email%5B%5D", "billing.email%5Bx%5D%5By%5D", "billing_email[0",
        "input_1.3", "input_1_3", "input+1.3", "wp[fields][2][first]", "wp[fields][2][first]x"}) {
    // An opened bracket that nothing closes becomes part of the name.
    const bool other = std::string_view(name) == "billing_email[0";
    const std::string body = std::string(name) + "=secret";
    EXPECT_EQ(pipeline.run(form_post(body)).body,
              other ? body : std::string(name) + "=%2A%2A%2A%2A%2A%2A%2A%2A")
        << name;
  }
  for (const char* name : {"billing-email", "Billing_email", "x[billing_email]",
                           "%5Bbilling_email]", "wp[fields][first]", "wp.fields[2][first]"}) {
    const std::string body = std::string(name) + "=open";
    EXPECT_EQ(pipeline.run(form_post(body)).body, body) << name;
  }
}

TEST(PhpNames, OnlyWhereTheRouteSaysSo) {
  Pipeline pipeline(policy_text("      form.billing_email: { do: mask }\n", kKeep));
  EXPECT_EQ(pipeline.run(form_post("billing.email=x")).body, "billing.email=x");
}

std::string untyped(const std::string& body, const std::string& type = "text/plain") {
  return request_text("POST /f", type.empty() ? "" : "Content-Type: " + type + "\r\n", body);
}

TEST(TextPlain, IsWhatItsFirstByteSays) {
  const std::string rules = "      json.a: { do: mask }\n      form.a: { do: mask }\n";
  Pipeline both(policy_text(rules, kKeep + "    text-plain: [json, form]\n"));
  for (const std::string type : {"text/plain;charset=UTF-8", ""}) {
    EXPECT_EQ(both.run(untyped(" \r\n{\"a\":\"x\"}", type)).body, " \r\n{\"a\":\"********\"}");
    EXPECT_EQ(both.run(untyped("a=x&b=1", type)).body, "a=%2A%2A%2A%2A%2A%2A%2A%2A&b=1");
    EXPECT_EQ(both.run(untyped("{a=x", type)).refused, "malformed-body");
    EXPECT_EQ(both.run(untyped("\xEF\xBB\xBF{\"a\":\"x\"}", type)).refused, "malformed-body");
    EXPECT_EQ(both.run(untyped("<a>x</a>", type)).refused, "unsupported-type");
  }
  EXPECT_EQ(both.run(untyped("a=x", "text/html")).refused, "unsupported-type");
  EXPECT_EQ(both.run(untyped("a=x", "text/plain;charset=utf-16")).refused, "unsupported-type");
  Pipeline form(policy_text(rules, kKeep + "    text-plain: form\n"));
  EXPECT_EQ(form.run(untyped("{\"a\":\"x\"}")).refused, "unsupported-type");
  Pipeline json(policy_text(rules, kKeep + "    text-plain: json\n"));
  EXPECT_EQ(json.run(untyped("a=x")).refused, "malformed-body");
  Pipeline none(policy_text(rules, kKeep));
  EXPECT_EQ(none.run(untyped("{}")).refused, "unsupported-type");
  EXPECT_EQ(none.run(untyped("{}", "")).refused, "unsupported-type");
}

// To the form's codec it would be one long name without a value.
TEST(FormType, NothingElseIsReadAsAForm) {
  const std::string rules = "      form.a: { do: mask }\n";
  for (const char* unlisted : {"keep", "drop", "encrypt", "refuse"}) {
    Pipeline pipeline(policy_text(rules, std::string("    unlisted: ") + unlisted + "\n"));
    for (const std::string body :
         {R"({"a":"jean@x.fr"})", " \t\r\n[\"jean@x.fr\"]", "\"jean@x.fr\"", "<a>jean@x.fr</a>",
          "\xEF\xBB\xBF{\"a\":\"jean@x.fr\"}", "\xEF\xBB\xBF\n<a>jean@x.fr</a>"}) {
      EXPECT_EQ(pipeline.run(form_post(body)).refused, "unsupported-type") << unlisted << body;
    }
    EXPECT_EQ(pipeline.run(form_post("a=%7B%22b%22%3A1%7D")).refused, "") << unlisted;
    EXPECT_EQ(pipeline.run(form_post("")).refused, "") << unlisted;
  }
}

// posthog-js: gzip bytes under text/plain, and nothing that says so.
TEST(TextPlain, MayBePackedWithoutSayingSo) {
  const std::string packed = body::test::pack(body::ContentCoding::gzip, R"({"a":"x"})");
  const std::string rules = "      json.a: { do: mask }\n";
  Pipeline pipeline(policy_text(rules, kKeep + "    text-plain: [gzip, json]\n"));
  EXPECT_EQ(pipeline.run(untyped(packed)).body, R"({"a":")" + std::string(kMask) + R"("})");
  EXPECT_NE(pipeline.run(untyped(packed + "x")).refused, "");
  EXPECT_EQ(pipeline.run(untyped(packed, "application/json")).refused, "malformed-body");
  Pipeline strict(policy_text(rules, kKeep + "    text-plain: json\n"));
  EXPECT_EQ(strict.run(untyped(packed)).refused, "malformed-body");
}

}  // namespace
}  // namespace paravent::proxy::testing
