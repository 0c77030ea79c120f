// The naughty strings through every action, in a form and in JSON, from the policy's word to the
// upstream's bytes: each is protected, or refused cleanly; what stands beside it stays as it was,
// and nothing of it remains in what was protected.

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include "tests/crypto/tokens/naughty_strings.h"
#include "tests/proxy/pipeline/pipeline_testing.h"

namespace paravent::proxy::testing {
namespace {

using policies::Carrier;

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
  }
  return out;
}

std::string json_string(const std::string& text) {
  return boost::json::serialize(boost::json::value(boost::json::string(text)));
}

// What people send who leave a field empty.
bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

struct Rule {
  const char* text;
  const char* result;  // a token's class; "keep", "gone", or "other": anything but the value
};

constexpr Rule kRules[] = {
    {"{ do: keep }", "keep"},
    {"{ do: drop }", "gone"},
    {"{ do: replace, with: nobody }", "other"},
    {"{ do: mask }", "other"},
    {"{ do: truncate, length: 3 }", "other"},
    {"{ do: generalise, to: browser-family }", "other"},
    {"{ kind: text, do: encrypt }", "encrypted"},
    {"{ kind: name, do: tokenise }", "vault"},
    {"{ kind: text, do: tokenise, mode: derived }", "derived"},
    {"{ kind: name, do: pseudonymise }", "pseudonym"},
    {"{ kind: text, do: pseudonymise, bits: 16 }", "pseudonym"},
    {"{ kind: text, do: pseudonymise, scope: request }", "pseudonym"},
    {"{ kind: text, do: tokenise, shape: uuid }", "other"},
    {"{ kind: email, do: tokenise, mode: derived, on-error: protect-raw }", "derived"},
    {"{ kind: phone, do: tokenise, on-error: mask }", "other"},
    {"{ kind: phone, do: tokenise, on-error: drop }", "other"},
    {"{ kind: url, do: tokenise, mode: derived }", "derived"},
    {"{ kind: address, do: encrypt }", "encrypted"},
    {"{ kind: user-agent, do: encrypt }", "encrypted"},
};

class NaughtyActions : public ::testing::TestWithParam<Rule> {};

TEST_P(NaughtyActions, AreProtectedOrRefusedCleanly) {
  const std::string_view expected = GetParam().result;
  const std::string unlisted = "    unlisted: keep\n";
  Pipeline form(policy_text(std::string("      form.x: ") + GetParam().text + "\n", unlisted));
  Pipeline json(policy_text(std::string("      json.x: ") + GetParam().text + "\n", unlisted));
  std::size_t passed = 0;
  for (const std::string& string : crypto::testing::naughty_strings()) {
    for (const Carrier carrier : {Carrier::form, Carrier::json}) {
      SCOPED_TRACE(string);
      const bool in_form = carrier == Carrier::form;
      const Outcome outcome =
          in_form ? form.run(form_post("a=1&x=" + percent_encoded(string) + "&z=2"))
                  : json.run(json_post(R"({"a":"1","x":)" + json_string(string) + R"(,"z":"2"})"));
      if (!outcome.refused.empty()) {
        EXPECT_EQ(outcome.refused, "transform-failed");
        EXPECT_EQ(outcome.field, in_form ? "form.x" : "json.x");
        EXPECT_TRUE(outcome.body.empty());
        continue;
      }
      ++passed;
      EXPECT_EQ(upstream_values(outcome, carrier, "a"), std::vector<std::string>{"1"});
      EXPECT_EQ(upstream_values(outcome, carrier, "z"), std::vector<std::string>{"2"});
      const auto values = upstream_values(outcome, carrier, "x");
      if (expected == "gone") {
        EXPECT_TRUE(values.empty());
        continue;
      }
      if (values.empty()) {
        EXPECT_NE(std::string_view(GetParam().text).find("on-error: drop"), std::string_view::npos);
        continue;
      }
      ASSERT_EQ(values.size(), 1U);
      if (is_blank(string) || expected == "keep") {
        EXPECT_EQ(values[0], string) << "an empty value passes";
        continue;
      }
      EXPECT_TRUE(expected == "other" || token_class(values[0]) == expected) << values[0];
      // Three characters of four bytes may be all that a value has, and be kept.
      EXPECT_TRUE(string.size() <= 12 || outcome.body.find(string) == std::string::npos);
    }
  }
  EXPECT_GE(passed, 8U);
}

INSTANTIATE_TEST_SUITE_P(Rules, NaughtyActions, ::testing::ValuesIn(kRules),
                         [](const auto& rule) { return "Rule" + std::to_string(rule.index); });

}  // namespace
}  // namespace paravent::proxy::testing
