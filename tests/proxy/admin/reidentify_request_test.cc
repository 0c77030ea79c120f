// The body of POST /v1/reidentify as a table: one spelling, and sentences that never quote it.

#include "proxy/admin/reidentify_request.h"

#include <gtest/gtest.h>

namespace paravent::proxy::admin {
namespace {

TEST(ReidentifyRequest, WhatIsAccepted) {
  const auto read = parse_reidentify_request(
      " { \"tokens\" : [\"a\", \"\\u0062\", \"\"], \"reason\":\"why \\n\", \"purpose\":\"contact\" "
      "} ");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->purpose, "contact");
  EXPECT_EQ(read->reason, "why \n");
  EXPECT_EQ(read->tokens, (std::vector<std::string>{"a", "b", ""}));
  const std::string longest =
      R"({"purpose":"p","reason":")" + std::string(1000, 'r') + R"(","tokens":["t"]})";
  EXPECT_TRUE(parse_reidentify_request(longest).has_value());
}

TEST(ReidentifyRequest, ValuesWithTheirFields) {
  const auto read = parse_reidentify_request(
      R"({"purpose":"p","reason":"r","values":[{"field":"form.phone","value":"+33612345678"},)"
      R"({"value":"","as_of":"2026-03-15","route":"shop","field":"f"}],"tokens":["t"]})");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->tokens, (std::vector<std::string>{"t"}));
  ASSERT_EQ(read->values.size(), 2U);
  EXPECT_EQ(read->values[0].value + " " + read->values[0].field, "+33612345678 form.phone");
  EXPECT_EQ(read->values[0].route + read->values[0].as_of, "");
  EXPECT_EQ(read->values[1].route + " " + read->values[1].as_of, "shop 2026-03-15");
}

TEST(ReidentifyRequest, WhatIsNot) {
  const auto many = [](std::size_t count) {
    std::string body = R"({"purpose":"p","reason":"r","tokens":[)";
    for (std::size_t i = 0; i < count; ++i) body += i == 0 ? "\"t\"" : ",\"t\"";
    return body + "]}";
  };
  EXPECT_TRUE(parse_reidentify_request(many(1000)).has_value());
  struct Case {
    std::string body;
    const char* word;  // of the sentence
  };
  const Case cases[] = {
      {"", "JSON"},
      {"nonsense", "JSON"},
      {R"({"purpose":"p","reason":"r","tokens":["t"]} x)", "JSON"},
      {R"({"purpose":"p","reason":"r","tokens":["t",]})", "JSON"},
      {R"({"purpose":"p","purpose":"p","reason":"r","tokens":["t"]})", "JSON"},
      {R"({"purpose":"p","\u0070urpose":"q","reason":"r","tokens":["t"]})", "JSON"},
      {"[]", "object"},
      {"\"p\"", "object"},
      {"null", "object"},
      {R"({"purpose":"p","reason":"r","tokens":["t"],"more":"x"})", "only members"},
      {R"({"purpose":"p","reason":"r","tokens":["t"],"more":{}})", "only members"},
      {R"({"purpose":1,"reason":"r","tokens":["t"]})", "purpose"},
      {R"({"purpose":null,"reason":"r","tokens":["t"]})", "purpose"},
      {R"({"purpose":["p"],"reason":"r","tokens":["t"]})", "purpose"},
      {R"({"purpose":"p","reason":true,"tokens":["t"]})", "reason"},
      {R"({"purpose":"p","reason":{},"tokens":["t"]})", "reason"},
      {R"({"purpose":"p","reason":"r","tokens":"t"})", "tokens"},
      {R"({"purpose":"p","reason":"r","tokens":{}})", "tokens"},
      {R"({"purpose":"p","reason":"r","tokens":[1]})", "tokens"},
      {R"({"purpose":"p","reason":"r","tokens":[["t"]]})", "tokens"},
      {R"({"purpose":"p","reason":"r","tokens":[{"a":"t"}]})", "tokens"},
      {R"({"reason":"r","tokens":["t"]})", "purpose"},
      {R"({"purpose":"","reason":"r","tokens":["t"]})", "purpose"},
      {R"({"purpose":"p","tokens":["t"]})", "reason"},
      {R"({"purpose":"p","reason":"","tokens":["t"]})", "reason"},
      {R"({"purpose":"p","reason":" \t\n","tokens":["t"]})", "reason"},
      {R"({"purpose":"p","reason":")" + std::string(1001, 'r') + R"(","tokens":["t"]})", "reason"},
      {R"({"purpose":"p","reason":"r"})", "token"},
      {R"({"purpose":"p","reason":"r","tokens":[]})", "token"},
      {R"({"purpose":"p","reason":"r","values":[]})", "value"},
      {R"({"purpose":"p","reason":"r","values":{}})", "values"},
      {R"({"purpose":"p","reason":"r","values":["t"]})", "values"},
      {R"({"purpose":"p","reason":"r","values":[[]]})", "values"},
      {R"({"purpose":"p","reason":"r","values":[{"value":1,"field":"f"}]})", "values"},
      {R"({"purpose":"p","reason":"r","values":[{"value":"v","field":{}}]})", "values"},
      {R"({"purpose":"p","reason":"r","values":[{"value":"v","field":"f","more":"x"}]})", "values"},
      {R"({"purpose":"p","reason":"r","values":[{"value":"v","value":"v","field":"f"}]})", "JSON"},
      {R"({"purpose":"p","reason":"r","values":[{"value":"v"}]})", "field"},
      {R"({"purpose":"p","reason":"r","values":[{}]})", "field"},
      {many(10001), "10000"},
  };
  for (const Case& one : cases) {
    const auto read = parse_reidentify_request(one.body);
    ASSERT_FALSE(read.has_value()) << one.body;
    EXPECT_EQ(read.error().kind(), crypto::ErrorKind::malformed);
    EXPECT_NE(read.error().sentence().find(one.word), std::string::npos)
        << one.body.substr(0, 80) << "\n"
        << read.error().sentence();
    EXPECT_EQ(read.error().sentence().find("more"), std::string::npos);
  }
}

}  // namespace
}  // namespace paravent::proxy::admin
