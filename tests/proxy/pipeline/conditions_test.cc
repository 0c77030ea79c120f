// Conditions: rules that apply only where another field says so, and routes that a field of the
// body tells apart. What depends on who reads the message is refused, never guessed.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tests/policies/policy_text.h"
#include "tests/proxy/pipeline/pipeline_testing.h"
#include "tests/proxy/pipeline/transaction_testing.h"

namespace paravent::proxy::testing {
namespace {

using policies::Carrier;
using policies::testing::policy_of;
using policies::testing::route_of;

const std::string kKeep = "    unlisted: keep\n";

std::string consent_rules(const std::string& otherwise) {
  return "      form.consent: { do: keep }\n"
         "      form.email: { do: keep, when: { form.consent: [on, '1'] }, else: " +
         otherwise + " }\n";
}

TEST(Condition, DecidesWhateverTheOrderOfTheFields) {
  Pipeline pipeline(policy_text(consent_rules("drop"), kKeep));
  EXPECT_EQ(pipeline.run(form_post("email=a%40b.fr&consent=on")).body, "email=a%40b.fr&consent=on");
  EXPECT_EQ(pipeline.run(form_post("consent=1&email=a%40b.fr")).body, "consent=1&email=a%40b.fr");
  EXPECT_EQ(pipeline.run(form_post("email=a%40b.fr&consent=off")).body, "consent=off");
  EXPECT_EQ(pipeline.run(form_post("email=a%40b.fr")).body, "");
  EXPECT_EQ(pipeline.run(form_post("x=1&email=a&email=b&consent=")).body, "x=1&consent=");
  // Byte for byte: no other case, no white space.
  for (const char* other : {"On", "+on", "on+", "01", "o%6E%00"}) {
    EXPECT_EQ(pipeline.run(form_post(std::string("email=a&consent=") + other)).body,
              std::string("consent=") + other);
  }
  // Read as the application does, by name and by value.
  EXPECT_EQ(pipeline.run(form_post("email=a&c%6Fnsent=%6Fn")).body, "email=a&c%6Fnsent=%6Fn");
}

TEST(Condition, OtherwiseMayBeAnyAction) {
  Pipeline refuse(policy_text(consent_rules("refuse"), kKeep));
  const Outcome refused = refuse.run(form_post("email=a&consent=0"));
  EXPECT_EQ(refused.refused, "refused-field");
  EXPECT_EQ(refused.field, "form.email");
  EXPECT_EQ(refuse.run(form_post("consent=0")).refused, "");

  Pipeline mask(policy_text(consent_rules("{ do: mask, show-first: 1 }"), kKeep));
  EXPECT_EQ(mask.run(form_post("email=abcdefgh&consent=0")).body,
            "email=a%2A%2A%2A%2A%2A%2A%2A%2A&consent=0");

  Pipeline token(
      policy_text("      form.consent: { do: keep }\n"
                  "      form.email: { kind: email, do: tokenise, shape: email,"
                  " when: { form.consent: 'on' }, else: pseudonymise }\n",
                  kKeep));
  const auto yes = token.run(form_post("email=a%40b.fr&consent=on"));
  EXPECT_EQ(token_class(upstream_values(yes, Carrier::form, "email").at(0)), "vault");
  const auto no = token.run(form_post("email=a%40b.fr"));
  EXPECT_EQ(token_class(upstream_values(no, Carrier::form, "email").at(0)), "pseudonym");
}

TEST(Condition, AllOfThemMustHold) {
  Pipeline pipeline(
      policy_text("      form.a: { do: keep, when: { form.x: '1', query.y: '2',"
                  " header.X-Kind: web, cookie.c: z }, else: drop }\n",
                  kKeep));
  const auto run = [&](const std::string& line, const std::string& headers,
                       const std::string& body) {
    return pipeline
        .run(request_text(line, "Content-Type: application/x-www-form-urlencoded\r\n" + headers,
                          body))
        .body;
  };
  const std::string lines = "x-kind: web\r\nCookie: b=1; c=z\r\n";
  EXPECT_EQ(run("POST /f?y=2", lines, "a=1&x=1"), "a=1&x=1");
  EXPECT_EQ(run("POST /f?y=3", lines, "a=1&x=1"), "x=1");
  EXPECT_EQ(run("POST /f?y=2", lines, "a=1&x=2"), "x=2");
  EXPECT_EQ(run("POST /f?y=2", "Cookie: c=z\r\n", "a=1&x=1"), "x=1");
  EXPECT_EQ(run("POST /f?y=2", "x-kind: web\r\nCookie: c=y\r\n", "a=1&x=1"), "x=1");
}

// Readers differ about which of two counts, so neither does.
TEST(Condition, ThatDependsOnTheReaderIsRefused) {
  Pipeline pipeline(policy_text(consent_rules("drop"), kKeep));
  const auto expect_unclear = [&](const std::string& request) {
    const Outcome outcome = pipeline.run(request);
    EXPECT_EQ(outcome.refused, "ambiguous-field") << request;
    EXPECT_EQ(outcome.field, "form.consent");
  };
  expect_unclear(form_post("email=a&consent=on&consent=off"));
  expect_unclear(form_post("consent=off&email=a&consent=1"));
  expect_unclear(form_post("consent&email=a&consent=1"));
  const auto with_query = [](const std::string& query, const std::string& body) {
    return request_text("POST /f?" + query, "Content-Type: application/x-www-form-urlencoded\r\n",
                        body);
  };
  expect_unclear(with_query("consent=on", "email=a"));
  expect_unclear(with_query("consent=on", "email=a&consent=off"));
  expect_unclear(with_query("consent=off", "email=a&consent=on"));
  // Every reader finds the same.
  EXPECT_EQ(pipeline.run(with_query("consent=1", "email=a&consent=on")).body, "email=a&consent=on");
  EXPECT_EQ(pipeline.run(with_query("consent=x", "email=a&consent=y")).body, "consent=y");
  EXPECT_EQ(pipeline.run(form_post("email=a&consent=on&consent=1")).body,
            "email=a&consent=on&consent=1");
  EXPECT_EQ(pipeline.run(form_post("email=a&consent=x&consent=y")).body, "consent=x&consent=y");
}

TEST(Condition, ReadsNamesAsPhpDoes) {
  Pipeline pipeline(
      policy_text("      form.my_consent: { do: keep }\n"
                  "      form.email: { do: keep, when: { form.my.consent: 'on' }, else: drop }\n",
                  "    php-names: on\n" + kKeep));
  EXPECT_EQ(pipeline.run(form_post("email=a&my+consent=on")).body, "email=a&my+consent=on");
  EXPECT_EQ(pipeline.run(form_post("email=a&my_consent=off")).body, "my_consent=off");
  for (const char* both : {"my_consent=on&my.consent=off", "my_consent=on&my+consent[]=off",
                           "my_consent[x]=on&my_consent=on", "%20my.consent=on&my_consent="}) {
    EXPECT_EQ(pipeline.run(form_post(std::string("email=a&") + both)).refused, "ambiguous-field")
        << both;
  }
  // An array of it alone is no consent to anybody.
  EXPECT_EQ(pipeline.run(form_post("email=a&my_consent[]=on")).body, "my_consent[]=on");
}

// The sender chooses the encoding, and must not choose the answer with it.
TEST(Condition, FormsAreTheSameInBothEncodings) {
  Pipeline pipeline(
      policy_text("      form.consent: { do: keep }\n"
                  "      multipart.email: { do: keep, when: { form.consent: 'on' }, else: drop }\n",
                  kKeep));
  const std::string yes = part("email", "a") + part("consent", "on") + std::string(kMultipartEnd);
  EXPECT_EQ(pipeline.run(multipart_post(yes)).body, yes);
  const std::string no = part("email", "a") + part("consent", "") + std::string(kMultipartEnd);
  EXPECT_EQ(pipeline.run(multipart_post(no)).body,
            part("consent", "") + std::string(kMultipartEnd));
  const std::string file =
      "--B\r\nContent-Disposition: form-data; name=\"consent\"; filename=\"c\"\r\n\r\non\r\n" + yes;
  EXPECT_EQ(pipeline.run(multipart_post(file)).refused, "ambiguous-field");
}

TEST(Condition, AsksJsonAndWhatIsInsideOfFields) {
  Pipeline pipeline(policy_text(
      "      json.user.ok: { do: keep }\n"
      "      json.list[0]: { do: keep }\n"
      "      json..mail: { do: keep, when: { json.user.ok: ['true', '1'] }, else: mask }\n"
      "      json.open: { do: open, as: json }\n"
      "      json.open > json.tel: { do: keep, when: { 'json.list[0]': a }, else: drop }\n",
      kKeep));
  EXPECT_EQ(pipeline.run(json_post(R"({"mail":"x","user":{"mail":"y","ok":true}})")).body,
            R"({"mail":"x","user":{"mail":"y","ok":true}})");
  EXPECT_EQ(pipeline.run(json_post(R"({"mail":"x","user":{"ok":"\u0031"}})")).body,
            R"({"mail":"x","user":{"ok":"\u0031"}})");
  for (const char* not_ok : {R"({"ok":true})", R"({"ok":false})", R"({"ok":[true]})",
                             R"({"ok":{"ok":true}})", R"([true])"}) {
    const std::string user = std::string(R"({"mail":"x","user":)") + not_ok;
    if (std::string_view(not_ok) == R"({"ok":true})") continue;
    EXPECT_EQ(pipeline.run(json_post(user + "}")).body,
              std::string(R"({"mail":"********","user":)") + not_ok + "}");
  }
  EXPECT_EQ(pipeline.run(json_post(R"({"open":"{\"tel\":\"1\"}","list":["a"]})")).body,
            R"({"open":"{\"tel\":\"1\"}","list":["a"]})");
  EXPECT_EQ(pipeline.run(json_post(R"({"open":"{\"tel\":\"1\"}","list":["b","a"]})")).body,
            R"({"open":"{}","list":["b","a"]})");
  EXPECT_EQ(pipeline.run(json_post(R"({"mail":1,"mail":2})")).refused, "malformed-body");
}

TEST(Condition, KeepsWhatHoldsForTheFieldItself) {
  Pipeline pipeline(policy_text(
      "      form.consent: { do: keep }\n"
      "      form.email: { do: keep, required: true, when: { form.consent: 'on' }, else: mask }\n",
      kKeep));
  EXPECT_EQ(pipeline.run(form_post("consent=off&email=x")).body,
            "consent=off&email=%2A%2A%2A%2A%2A%2A%2A%2A");
  EXPECT_EQ(pipeline.run(form_post("consent=off")).refused, "missing-field");
}

// Two forms behind one endpoint, and everything else that it serves.
std::string group_policy(const std::string& rest = "") {
  return policy_of(
             route_of(
                 "quote",
                 "{ method: POST, path: /ajax.php, when: { form.action: [quote, quote_fast] } }",
                 R"(
    php-names: on
    fields:
      form.action: { do: keep }
      form.email: { do: mask }
      multipart.action: { do: keep }
      multipart.email: { do: replace, with: m }
)") + route_of("news", "{ method: [POST, GET], path: /ajax.php, when: { query.action: news } }",
               R"(
    fields:
      query.action: { do: keep }
      query.email: { do: replace, with: n }
      json.email: { do: replace, with: n }
)")) + rest;
}

std::string ajax(const std::string& query, const std::string& type, const std::string& body) {
  return request_text("POST /ajax.php" + query, "Content-Type: " + type + "\r\n", body);
}

constexpr const char* kForm = "application/x-www-form-urlencoded";
constexpr const char* kJson = "application/json";

TEST(RouteGroup, IsToldApartByAFieldOfTheBody) {
  Pipeline pipeline(group_policy());
  EXPECT_EQ(pipeline.run(ajax("", kForm, "email=a&action=quote")).body,
            "email=%2A%2A%2A%2A%2A%2A%2A%2A&action=quote");
  EXPECT_EQ(pipeline.run(ajax("", kForm, "action=quote_fast&email=a")).body,
            "action=quote_fast&email=%2A%2A%2A%2A%2A%2A%2A%2A");
  const std::string parts = part("email", "a") + part("action", "quote");
  EXPECT_EQ(
      pipeline.run(ajax("", "multipart/form-data; boundary=B", parts + std::string(kMultipartEnd)))
          .body,
      part("email", "m") + part("action", "quote") + std::string(kMultipartEnd));
  EXPECT_EQ(pipeline.run(ajax("?action=news", kJson, R"({"email":"a"})")).body, R"({"email":"n"})");
  EXPECT_EQ(pipeline.run(request_text("GET /ajax.php?email=a&action=news", "")).request_line(),
            "GET /ajax.php?email=n&action=news HTTP/1.1");
}

TEST(RouteGroup, RefusesWhatNoneOfItTakesAndWhatDependsOnTheReader) {
  Pipeline pipeline(group_policy());
  EXPECT_EQ(pipeline.run(ajax("", kForm, "action=other&email=a")).refused, "no-route");
  EXPECT_EQ(pipeline.run(ajax("", kForm, "email=a")).refused, "no-route");
  for (const char* body : {"action=quote&action=other&email=a", "action=quote&action[]=x&email=a",
                           "%20action=quote&action=x"}) {
    EXPECT_EQ(pipeline.run(ajax("", kForm, body)).refused, "ambiguous-field") << body;
  }
  EXPECT_EQ(pipeline.run(ajax("?action=quote", kForm, "email=a")).refused, "ambiguous-field");
  EXPECT_EQ(pipeline.run(ajax("?action=news", kForm, "action=quote&email=a")).refused,
            "ambiguous-field");
  // Of a type that only the other route takes, or none.
  EXPECT_EQ(pipeline.run(ajax("?action=news", kForm, "email=a")).refused, "unsupported-type");
  EXPECT_EQ(pipeline.run(ajax("", "text/xml", "<a/>")).refused, "unsupported-type");
  EXPECT_EQ(pipeline.run(ajax("", kForm, "action=quote&%zz")).refused, "malformed-body");
  EXPECT_EQ(pipeline.run(request_text("PUT /ajax.php", "")).refused, "method");
}

TEST(RouteGroup, LeavesTheRestToALaterRouteOrToElsewhere) {
  const std::string rest =
      "  - name: rest\n"
      "    match: { method: POST, path: /ajax.php }\n"
      "    upstream: http://127.0.0.1:9000\n"
      "    recipient: crm\n"
      "    fields: { form.email: { do: drop } }\n"
      "    unlisted: keep\n";
  const std::string elsewhere =
      "elsewhere: { methods: [GET], upstream: 'http://127.0.0.1:9000', do: pass }\n";
  Pipeline pipeline(group_policy(rest + elsewhere));
  EXPECT_EQ(pipeline.run(ajax("", kForm, "action=other&email=a")).body, "action=other");
  EXPECT_EQ(pipeline.run(ajax("", kForm, "action=quote&email=a")).body,
            "action=quote&email=%2A%2A%2A%2A%2A%2A%2A%2A");
  EXPECT_EQ(pipeline.run(request_text("GET /ajax.php?action=other", "")).refused, "method");
  EXPECT_EQ(pipeline.run(request_text("GET /ajax.php?x=1", "")).refused, "");
  EXPECT_EQ(pipeline.run(request_text("GET /ajax.php?email=1", "")).refused, "method");
}

// The same through the machine that production runs.
TEST(RouteGroup, IsChosenByTheTransaction) {
  Exchange exchange(group_policy());
  exchange.start(ajax("", kForm, "email=a&action=quote"));
  EXPECT_EQ(exchange.up.exchanges, 1);
  EXPECT_EQ(exchange.up.body, "email=%2A%2A%2A%2A%2A%2A%2A%2A&action=quote");

  Exchange unknown(group_policy());
  unknown.start(ajax("", kForm, "email=a&action=x"));
  EXPECT_EQ(unknown.up.exchanges, 0);
  EXPECT_NE(unknown.down.sent.find("HTTP/1.1 404"), std::string::npos) << unknown.down.sent;

  Exchange unclear(group_policy());
  unclear.start(ajax("?action=quote", kForm, "email=a"));
  EXPECT_EQ(unclear.up.exchanges, 0);
  EXPECT_NE(unclear.down.sent.find("ambiguous-field"), std::string::npos);
  EXPECT_NE(unclear.down.sent.find("form.action"), std::string::npos);
  EXPECT_NE(unclear.down.sent.find("\"route\":\"quote\""), std::string::npos);
}

// Every order of the same fields has the same outcome: nothing depends on what comes first.
TEST(Condition, IsTheSameInEveryOrder) {
  Pipeline pipeline(policy_text(consent_rules("mask"), kKeep));
  for (const bool yes : {true, false}) {
    std::vector<std::string> pairs = {"email=a", yes ? "consent=on" : "consent=no", "x=1", "y=%20"};
    std::sort(pairs.begin(), pairs.end());
    do {
      std::string body;
      for (const std::string& pair : pairs) body += (body.empty() ? "" : "&") + pair;
      std::string expected = body;
      if (!yes) expected.replace(expected.find("email=a"), 7, "email=%2A%2A%2A%2A%2A%2A%2A%2A");
      EXPECT_EQ(pipeline.run(form_post(body)).body, expected);
    } while (std::next_permutation(pairs.begin(), pairs.end()));
  }
}

}  // namespace
}  // namespace paravent::proxy::testing
