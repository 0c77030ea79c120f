// Fields inside of fields: opened, protected, and put together again around what was replaced.

#include <gtest/gtest.h>

#include <string>

#include "proxy/body/form.h"
#include "proxy/body/wrapping.h"
#include "tests/proxy/pipeline/pipeline_testing.h"

namespace paravent::proxy::testing {
namespace {

using policies::Carrier;

const std::string kDrop = "    unlisted: keep\n";

std::string base64url(std::string_view text) {
  std::string out;
  body::wrap_base64(text, body::Base64Alphabet::url, false, out);
  return out;
}

std::string unwrapped(std::string_view text, body::Base64Alphabet alphabet) {
  std::string out;
  bool padded = false;
  EXPECT_TRUE(body::unwrap_base64(text, alphabet, padded, out)) << text;
  return out;
}

// Snowplow: JSON, base64url without padding, JSON, and the value two objects down.
TEST(Nesting, ThreeLayersOfATracker) {
  Pipeline pipeline(
      policy_text("      json.data[*].ue_px: { do: open, as: [base64url, json] }\n"
                  "      json.data[*].ue_px > json.data.data.mail: { kind: email, do: mask }\n",
                  kDrop));
  const std::string inner = R"({"schema":"iglu:x","data":{"data":{"n":1.50,"mail":"a@b.fr"}}})";
  const Outcome outcome = pipeline.run(
      json_post(R"({"data":[{"e":"ue","ue_px":")" + base64url(inner) + R"("},{"e":"pv"}]})"));
  ASSERT_EQ(outcome.refused, "");
  const std::string expected =
      R"({"schema":"iglu:x","data":{"data":{"n":1.50,"mail":"********"}}})";
  EXPECT_EQ(outcome.body,
            R"({"data":[{"e":"ue","ue_px":")" + base64url(expected) + R"("},{"e":"pv"}]})");
}

// By the ten thousand: looked at once each, not once for each of the others.
TEST(Nesting, ManyOpenedFieldsInOneBody) {
  Pipeline pipeline(
      policy_text("      json.requests[*]: { do: open, as: query }\n"
                  "      json.requests[*] > query.c: { do: drop }\n",
                  kDrop));
  std::string sent = R"({"requests":[)";
  std::string expected = sent;
  constexpr int kElements = 60'000;
  for (int i = 0; i < kElements; ++i) {
    sent += i == 0 ? R"("a&c=1")" : R"(,"a&c=1")";
    expected += i == 0 ? R"("a")" : R"(,"a")";
  }
  EXPECT_EQ(pipeline.run(json_post(sent + "]}")).body, expected + "]}");
}

TEST(Nesting, WhereNothingChangesNothingDoes) {
  Pipeline pipeline(
      policy_text("      json.a: { do: open, as: [percent, json] }\n"
                  "      json.a > json.mail: { do: mask }\n"
                  "      form.q: { do: open, as: query }\n"
                  "      form.q > query.mail: { do: mask }\n",
                  kDrop));
  // Escapes, spellings and white space that nobody would write again like this.
  const std::string json = R"({ "a" : "%7b%22x%22%3A [1.0]%7D", "b":"\/"})";
  EXPECT_EQ(pipeline.run(json_post(json)).body, json);
  const std::string form = "q=%3fa%3D1%26b%3D%2520&q=&x=%7e";
  EXPECT_EQ(pipeline.run(form_post(form)).body, form);
}

// Matomo in bulk: an array of query strings in JSON.
TEST(Nesting, QueryStringsInsideJson) {
  Pipeline pipeline(
      policy_text("      json.requests[*]: { do: open, as: query }\n"
                  "      json.requests[*] > query.uid: { do: drop }\n"
                  "      json.requests[*] > query.url: { do: open, as: url }\n"
                  "      json.requests[*] > query.url > query.email: { do: mask }\n",
                  kDrop));
  const Outcome outcome = pipeline.run(json_post(
      R"({"requests":["?idsite=1&uid=7&url=https%3A%2F%2Fx.fr%2Fp%3Femail%3Da%2540b.fr%26k%3D1%23top","uid=9","?rec=1"]})"));
  EXPECT_EQ(
      outcome.body,
      R"({"requests":["?idsite=1&url=https%3A%2F%2Fx.fr%2Fp%3Femail%3D%252A%252A%252A%252A%252A%252A%252A%252A%26k%3D1%23top","","?rec=1"]})");
}

// A query may begin with a '?', which is no part of a name; behind a pair that goes it is, and
// stays.
TEST(Nesting, WhatGoesFromAQueryTurnsNoNameIntoAnother) {
  Pipeline pipeline(
      policy_text("      form.q: { do: open, as: query }\n"
                  "      form.q > query.m: { do: drop }\n",
                  "    unlisted: keep\n"));
  const Outcome once = pipeline.run(form_post("q=m%3D1%26%3Fm%3D2"));
  EXPECT_EQ(once.body, "q=%253Fm%3D2");
  EXPECT_EQ(pipeline.run(form_post(once.body)).body, once.body) << "it is read as it was";
  EXPECT_EQ(pipeline.run(form_post("q=%3Fm%3D1%26%3Fm%3D2")).body, "q=%3F%3Fm%3D2");
  EXPECT_EQ(pipeline.run(form_post("q=%3Fm%3D2%26k%3D1")).body, "q=%3Fk%3D1");
}

// xAPI: the same address in a statement and in the `agent` parameter gives one token.
TEST(Nesting, TheSameValueInTwoNestingsGetsOneToken) {
  Pipeline pipeline(policy_text(
      "      json.actor.mbox: { do: open, as: mailto }\n"
      "      json.actor.mbox > value: { kind: email, do: tokenise, shape: email }\n"
      "      query.agent: { do: open, as: json }\n"
      "      query.agent > json.mbox: { do: open, as: mailto }\n"
      "      query.agent > json.mbox > value: { kind: email, do: tokenise, shape: email }\n",
      kDrop));
  const Outcome outcome =
      pipeline.run(request_text("POST /f?agent=%7B%22mbox%22%3A%22mailto%3Aanne%40example.fr%22%7D",
                                "Content-Type: application/json\r\n",
                                R"({"actor":{"mbox":"mailto:anne@example.fr","name":"x"}})"));
  ASSERT_EQ(outcome.refused, "");
  const std::size_t begin = outcome.body.find("mailto:") + 7;
  const std::string token = outcome.body.substr(begin, outcome.body.find('"', begin) - begin);
  EXPECT_EQ(token_class(token), "vault") << token;
  const auto agents = upstream_values(outcome, Carrier::query, "agent");
  ASSERT_EQ(agents.size(), 1U);
  EXPECT_EQ(agents[0], R"({"mbox":"mailto:)" + token + R"("})");
}

TEST(Nesting, JsonInACookieAndInAFormField) {
  Pipeline pipeline(
      policy_text("      cookie.ph_*_posthog: { do: open, as: [percent, json] }\n"
                  "      cookie.ph_*_posthog > json.distinct_id: { do: mask }\n"
                  "      form.ec: { do: open, as: json }\n"
                  "      form.ec > json[*][*]: { do: mask }\n",
                  kDrop));
  const Outcome outcome = pipeline.run(
      form_post("ec=%5B%5B%22Anne%22%2C2%5D%5D",
                "Cookie: a=1; ph_k_posthog=%7B%22distinct_id%22%3A%22anne%22%7D; z=2\r\n"));
  EXPECT_EQ(outcome.lines("Cookie"),
            std::vector<std::string>{"a=1; ph_k_posthog=%7B%22distinct_id%22%3A%22%2A%2A%2A%2A%2A"
                                     "%2A%2A%2A%22%7D; z=2"});
  EXPECT_EQ(upstream_values(outcome, Carrier::form, "ec"),
            std::vector<std::string>{R"([["********","********"]])"});
}

TEST(Nesting, Base64KeepsItsPadding) {
  Pipeline pipeline(
      policy_text("      form.data: { do: open, as: [base64, json] }\n"
                  "      form.data > json.id: { do: replace, with: '1' }\n",
                  kDrop));
  for (const char* text : {"data=eyJpZCI6ImFiYyJ9", "data=eyJpZCI6ImFiIn0%3D"}) {
    const Outcome outcome = pipeline.run(form_post(text));
    const auto values = upstream_values(outcome, Carrier::form, "data");
    ASSERT_EQ(values.size(), 1U);
    EXPECT_EQ(values[0].size() % 4, 0U) << values[0];
    EXPECT_EQ(unwrapped(values[0], body::Base64Alphabet::standard), R"({"id":"1"})");
  }
}

TEST(Nesting, WhatDoesNotOpenFollowsOnError) {
  const std::string rules =
      "      form.refused: { do: open, as: [base64, json] }\n"
      "      form.dropped: { do: open, as: json, on-error: drop }\n"
      "      form.dropped > json.a: { do: open, as: json }\n"
      "      form.dropped > json.a > json.b: { do: mask }\n"
      "      form.masked: { do: open, as: mailto, on-error: mask }\n";
  Pipeline pipeline(policy_text(rules, kDrop));
  EXPECT_EQ(pipeline.run(form_post("refused=%25")).refused, "transform-failed");
  EXPECT_EQ(pipeline.run(form_post("refused=%25")).field, "form.refused");
  EXPECT_EQ(pipeline.run(form_post("refused=eyJ9")).refused, "transform-failed");
  EXPECT_EQ(pipeline.run(form_post("refused=&x=1")).body, "refused=&x=1");
  // Also where the fault comes behind fields that were already read.
  EXPECT_EQ(pipeline.run(form_post("x=1&dropped={%22a%22:%22{%5C%22b%5C%22:1}%22,}&y=2")).body,
            "x=1&y=2");
  EXPECT_EQ(pipeline.run(form_post("dropped={%22a%22:1,%22a%22:2}&y=2")).body, "y=2")
      << "a duplicate key inside is as ambiguous as outside";
  EXPECT_EQ(pipeline.run(form_post("masked=mailto:a%40b.fr?cc=c%40d.fr")).body,
            "masked=%2A%2A%2A%2A%2A%2A%2A%2A");
}

// As of a body, and whatever on-error says: nothing of it passes.
TEST(Nesting, WhatIsOverALimitInsideIsTooLarge) {
  Pipeline pipeline(
      policy_text("      form.json: { do: open, as: json, on-error: drop }\n"
                  "      form.json > json..mail: { do: mask }\n"
                  "      form.query: { do: open, as: query, on-error: mask }\n"
                  "      form.query > query.mail: { do: mask }\n"
                  "      form.gzip: { do: open, as: [base64, gzip, json], on-error: drop }\n"
                  "      form.gzip > json.mail: { do: mask }\n",
                  kDrop));
  const auto refused = [&](const std::string& name, const std::string& text) {
    std::string value;
    body::encode_form_value(text, value);
    return pipeline.run(form_post("a=1&" + name + "=" + value)).refused;
  };
  const auto packed = [](const std::string& text) {
    std::string zip;
    std::string out;
    body::wrap_gzip(text, zip);
    body::wrap_base64(zip, body::Base64Alphabet::standard, true, out);
    return out;
  };
  EXPECT_EQ(refused("json", std::string(32, '[') + std::string(32, ']')), "");
  EXPECT_EQ(refused("json", std::string(33, '[') + std::string(33, ']')), "too-large");
  EXPECT_EQ(refused("json", "{\"" + std::string(1024, 'k') + "\":1}"), "");
  EXPECT_EQ(refused("json", "{\"" + std::string(1025, 'k') + "\":1}"), "too-large");
  std::string pairs = "a=1";
  for (int i = 1; i < 512; ++i) pairs += "&a=1";
  EXPECT_EQ(refused("query", pairs), "");
  EXPECT_EQ(refused("query", pairs + "&a=1"), "too-large");
  EXPECT_EQ(refused("gzip", packed("{\"a\":\"" + std::string(60'000, 'x') + "\"}")), "");
  EXPECT_EQ(refused("gzip", packed("{\"a\":\"" + std::string(9 << 20, 'x') + "\"}")), "too-large");
  EXPECT_EQ(refused("gzip", packed("{\"a\":\"" + std::string(300'000, 'x') + "\"}")), "too-large")
      << "more than 50 times its size";
}

TEST(Nesting, UnlistedGoesForWhatIsInside) {
  const std::string rules =
      "      form.j: { do: open, as: json }\n"
      "      form.j > json.known: { do: mask }\n";
  const std::string body = "j={%22known%22:%22a%22,%22other%22:%22b%22}";
  Pipeline strict(policy_text(rules));
  EXPECT_EQ(strict.run(form_post(body)).refused, "unlisted-field");
  EXPECT_EQ(strict.run(form_post(body)).field, "form.j > json.other");
  Pipeline drop(policy_text(rules, "    unlisted: drop\n"));
  EXPECT_EQ(upstream_values(drop.run(form_post(body)), Carrier::form, "j"),
            std::vector<std::string>{R"({"known":"********"})"});
  Pipeline encrypt(policy_text(rules, "    unlisted: encrypt\n"));
  const auto values = upstream_values(encrypt.run(form_post(body)), Carrier::form, "j");
  ASSERT_EQ(values.size(), 1U);
  EXPECT_EQ(values[0].find("\"b\""), std::string::npos);
  EXPECT_NE(values[0].find("pve_"), std::string::npos);
}

TEST(Nesting, AnObjectInPlaceOfItsTextIsJudgedByItsOwnRules) {
  Pipeline pipeline(
      policy_text("      json.p: { do: open, as: json }\n"
                  "      json.p > json.mail: { do: mask }\n"
                  "      json.p.mail: { do: mask }\n"));
  EXPECT_EQ(pipeline.run(json_post(R"({"p":"{\"mail\":\"a\"}"})")).body,
            R"({"p":"{\"mail\":\"********\"}"})");
  EXPECT_EQ(pipeline.run(json_post(R"({"p":{"mail":"a"}})")).body, R"({"p":{"mail":"********"}})");
}

TEST(Nesting, OwnTokensAreSeenInside) {
  Pipeline pipeline(
      policy_text("      form.j: { do: open, as: json }\n"
                  "      form.j > json.a: { do: tokenise }\n",
                  kDrop));
  const auto first =
      upstream_values(pipeline.run(form_post("j={%22a%22:%22x%22}")), Carrier::form, "j");
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(pipeline.run(form_post("j=" + first[0])).refused, "own-token");
  std::string kept = first[0];
  kept.replace(kept.find("\"a\""), 3, "\"b\"");
  EXPECT_EQ(pipeline.run(form_post("j=" + kept)).refused, "own-token");
}

TEST(Nesting, HeadersBeforeAndFieldsBehindStayInPlace) {
  Pipeline pipeline(
      policy_text("      query.j: { do: open, as: json }\n"
                  "      query.j > json.a: { do: mask }\n"
                  "      header.X-One: { do: mask }\n"
                  "      header.X-Json: { do: open, as: json }\n"
                  "      header.X-Json > json.a: { do: mask }\n"
                  "      header.X-Two: { do: drop }\n"
                  "      form.f: { do: mask }\n",
                  kDrop));
  const Outcome outcome = pipeline.run(
      request_text("POST /f?j=%7B%22a%22:1%7D",
                   "X-One: 1\r\nX-Json: {\"a\":\"secret\"}\r\nX-Two: 2\r\nX-Three: 3\r\n"
                   "Content-Type: application/x-www-form-urlencoded\r\n",
                   "f=1"));
  EXPECT_EQ(outcome.lines("X-One"), std::vector<std::string>{"********"});
  EXPECT_EQ(outcome.lines("X-Json"), std::vector<std::string>{R"({"a":"********"})"});
  EXPECT_TRUE(outcome.lines("X-Two").empty());
  EXPECT_EQ(outcome.lines("X-Three"), std::vector<std::string>{"3"});
  EXPECT_EQ(outcome.body, "f=%2A%2A%2A%2A%2A%2A%2A%2A");
}

}  // namespace
}  // namespace paravent::proxy::testing
