// Every action on every carrier: what the upstream's application reads in the field's place.

#include <gtest/gtest.h>

#include "tests/proxy/pipeline/pipeline_testing.h"

namespace paravent::proxy::testing {
namespace {

using policies::Carrier;

struct Place {
  const char* key;  // of the policy
  Carrier carrier;
  const char* name;

  // A request that carries `value` here between two neighbours that are kept.
  std::string request(const std::string& value) const {
    switch (carrier) {
      case Carrier::form:
        return form_post("a=1&x=" + value + "&z=2");
      case Carrier::multipart:
        return multipart_post(part("a", "1") + part("x", value) + part("z", "2") +
                              std::string(kMultipartEnd));
      case Carrier::json:
        return json_post(R"({"a":1, "x":")" + value + R"(", "z":2})");
      case Carrier::query:
        return request_text("POST /f?a=1&x=" + value + "&z=2", "");
      case Carrier::header:
        return request_text("POST /f", "A: 1\r\nX-Person: " + value + "\r\nZ: 2\r\n");
      case Carrier::cookie:
        return request_text("POST /f", "A: 1\r\nCookie: a=1; x=" + value + "; z=2\r\nZ: 2\r\n");
      case Carrier::path:
      case Carrier::csv:
      case Carrier::xml:
      case Carrier::value:
      case Carrier::file_name:
      case Carrier::file_content:
        break;
    }
    return {};
  }
};

constexpr Place kPlaces[] = {
    {"form.x", Carrier::form, "x"},
    {"multipart.x", Carrier::multipart, "x"},
    {"json.x", Carrier::json, "x"},
    {"query.x", Carrier::query, "x"},
    {"header.X-Person", Carrier::header, "X-Person"},
    {"cookie.x", Carrier::cookie, "x"},
};

class Actions : public ::testing::TestWithParam<Place> {
 protected:
  Pipeline pipeline_for(const std::string& rule) const {
    return Pipeline(policy_text(std::string("      ") + GetParam().key + ": " + rule + "\n",
                                "    unlisted: keep\n"));
  }
  // The one value that the upstream gets; "(none)" for none.
  std::string run(Pipeline& pipeline, const std::string& value) const {
    const Outcome outcome = pipeline.run(GetParam().request(value));
    if (!outcome.refused.empty()) return "refused: " + outcome.refused + " " + outcome.field;
    expect_neighbours(outcome);
    const auto values = upstream_values(outcome, GetParam().carrier, GetParam().name);
    EXPECT_LE(values.size(), 1U);
    return values.empty() ? "(none)" : values.front();
  }
  void expect_neighbours(const Outcome& outcome) const {
    const bool header = GetParam().carrier == Carrier::header;
    for (const auto& [name, value] : {std::pair<std::string, std::string>{header ? "A" : "a", "1"},
                                      {header ? "Z" : "z", "2"}}) {
      EXPECT_EQ(upstream_values(outcome, GetParam().carrier, name), std::vector{value});
    }
  }
};

TEST_P(Actions, KeepLeavesIt) {
  Pipeline pipeline = pipeline_for("{ do: keep }");
  EXPECT_EQ(run(pipeline, "Jane"), "Jane");
}

TEST_P(Actions, DropTakesTheWholeField) {
  Pipeline pipeline = pipeline_for("{ do: drop }");
  EXPECT_EQ(run(pipeline, "Jane"), "(none)");
  EXPECT_EQ(run(pipeline, ""), "(none)");
}

TEST_P(Actions, RefuseNamesTheRule) {
  Pipeline pipeline = pipeline_for("{ do: refuse }");
  EXPECT_EQ(run(pipeline, "Jane"), std::string("refused: refused-field ") + GetParam().key);
}

TEST_P(Actions, WithoutAKey) {
  Pipeline replace = pipeline_for("{ do: replace, with: nobody }");
  EXPECT_EQ(run(replace, "Jane"), "nobody");
  Pipeline mask = pipeline_for("{ do: mask }");
  EXPECT_EQ(run(mask, "Jane"), "********");
  EXPECT_EQ(run(mask, "J"), "********");
  Pipeline truncate = pipeline_for("{ do: truncate, length: 2 }");
  EXPECT_EQ(run(truncate, "Jane"), "Ja");
  Pipeline address = pipeline_for("{ kind: ip, do: truncate }");
  EXPECT_EQ(run(address, "198.51.100.77"), "198.51.0.0");
  EXPECT_EQ(run(address, "unknown"), std::string("refused: transform-failed ") + GetParam().key);
  Pipeline generalise = pipeline_for("{ do: generalise, to: browser-family }");
  EXPECT_EQ(run(generalise, "okhttp/4.12.0"), "Mozilla/5.0");
}

TEST_P(Actions, WithAKey) {
  const std::pair<const char*, const char*> cases[] = {
      {"{ kind: name, do: tokenise }", "vault"},
      {"{ kind: name, do: tokenise, mode: derived }", "derived"},
      {"{ kind: name, do: pseudonymise }", "pseudonym"},
      {"{ kind: text, do: encrypt }", "encrypted"},
  };
  for (const auto& [rule, expected] : cases) {
    SCOPED_TRACE(rule);
    Pipeline pipeline = pipeline_for(rule);
    const std::string first = run(pipeline, "Jane-Quincampoix");
    EXPECT_EQ(token_class(first), expected) << first;
    EXPECT_EQ(first.find("Jane-Quincampoix"), std::string::npos);
    // Equal values stay equal, but for encryption, which is never the same twice.
    EXPECT_EQ(run(pipeline, "Jane-Quincampoix") == first,
              std::string_view(expected) != "encrypted");
    EXPECT_NE(run(pipeline, "John"), first);
    // Ours is not protected once more.
    EXPECT_EQ(run(pipeline, first), std::string("refused: own-token ") + GetParam().key);
  }
}

TEST_P(Actions, AnEmptyValuePasses) {
  for (const char* rule : {"{ kind: name, do: tokenise }", "{ do: mask }", "{ do: encrypt }",
                           "{ do: replace, with: nobody }"}) {
    Pipeline pipeline = pipeline_for(rule);
    EXPECT_EQ(run(pipeline, ""), "") << rule;
  }
}

TEST_P(Actions, OnError) {
  const std::string phone = "{ kind: phone, do: tokenise, mode: derived, on-error: ";
  const std::string failed = std::string("refused: transform-failed ") + GetParam().key;
  Pipeline refuse = pipeline_for(phone + "refuse }");
  EXPECT_EQ(run(refuse, "mail-me"), failed);
  EXPECT_EQ(token_class(run(refuse, "0612345678")), "derived");
  Pipeline drop = pipeline_for(phone + "drop }");
  EXPECT_EQ(run(drop, "mail-me"), "(none)");
  Pipeline mask = pipeline_for(phone + "mask }");
  EXPECT_EQ(run(mask, "mail-me"), "********");
  Pipeline raw = pipeline_for(phone + "protect-raw }");
  const Outcome outcome = raw.run(GetParam().request("mail-me"));
  ASSERT_EQ(outcome.raw.size(), 1U);
  EXPECT_EQ(raw.snapshot().plan->actions()[outcome.raw[0]]->name, GetParam().key);
  EXPECT_EQ(token_class(run(raw, "mail-me")), "derived");
}

TEST_P(Actions, MaxLenCountsTheTextItself) {
  // A vault token has 46 bytes, whatever quotes or escapes its carrier puts around it.
  Pipeline fits = pipeline_for("{ kind: name, do: tokenise, max-len: 46 }");
  EXPECT_EQ(token_class(run(fits, "Jane")), "vault");
  const std::string rule = "{ do: encrypt, max-len: 160, on-error: ";
  const std::string text(300, 'x');
  Pipeline refuse = pipeline_for(rule + "refuse }");
  EXPECT_EQ(token_class(run(refuse, "x")), "encrypted");
  EXPECT_EQ(run(refuse, text), std::string("refused: transform-failed ") + GetParam().key);
  Pipeline drop = pipeline_for(rule + "drop }");
  EXPECT_EQ(run(drop, text), "(none)");
  Pipeline mask = pipeline_for(rule + "mask }");
  EXPECT_EQ(run(mask, text), "********");
}

TEST_P(Actions, RequiredMeansThereAndNotEmpty) {
  Pipeline pipeline = pipeline_for("{ kind: name, do: tokenise, required: true }");
  EXPECT_EQ(token_class(run(pipeline, "Jane")), "vault");
  const std::string missing = std::string("refused: missing-field ") + GetParam().key;
  EXPECT_EQ(run(pipeline, ""), missing);
  const Outcome nothing = pipeline.run(request_text("POST /f", ""));
  EXPECT_EQ(nothing.refused, "missing-field");
  EXPECT_EQ(nothing.field, GetParam().key);
}

INSTANTIATE_TEST_SUITE_P(Carriers, Actions, ::testing::ValuesIn(kPlaces), [](const auto& place) {
  return std::string(policies::carrier_name(place.param.carrier));
});

}  // namespace
}  // namespace paravent::proxy::testing
