// A body that comes packed: the fields are found in it, and the upstream gets it unpacked.

#include <gtest/gtest.h>

#include "tests/proxy/body/packing.h"
#include "tests/proxy/pipeline/pipeline_testing.h"

namespace paravent::proxy::testing {
namespace {

using body::ContentCoding;
using policies::Carrier;

const std::string kRules =
    "      form.email: { kind: email, do: tokenise, mode: derived }\n"
    "      form.note: { do: keep }\n"
    "      json.email: { kind: email, do: tokenise, mode: derived }\n"
    "      json.note: { do: keep }\n";

std::string packed_post(std::string_view type, std::string_view coding, const std::string& body) {
  return request_text("POST /f",
                      "Content-Type: application/" + std::string(type) +
                          "\r\nContent-Encoding: " + std::string(coding) +
                          "\r\nContent-Digest: sha-256=:AAAA:\r\nX-Kept: 1\r\n",
                      body);
}

TEST(PackedBody, GoesOnUnpackedAndProtected) {
  Pipeline pipeline(policy_text(kRules));
  const std::string form = "email=anne%40example.fr&note=a+b";
  const std::string json = R"({"email":"anne@example.fr","note":[1.50,"\/"]})";
  struct Coding {
    const char* name;
    ContentCoding coding;
  };
  for (const Coding& one : {Coding{"gzip", ContentCoding::gzip},
                            {"DEFLATE", ContentCoding::deflate},
                            {"br", ContentCoding::br},
                            {"zstd", ContentCoding::zstd}}) {
    SCOPED_TRACE(one.name);
    const Outcome plain = pipeline.run(form_post(form));
    const Outcome outcome = pipeline.run(
        packed_post("x-www-form-urlencoded", one.name, body::test::pack(one.coding, form)));
    EXPECT_EQ(outcome.refused, "");
    EXPECT_EQ(outcome.body, plain.body) << "as if it had come unpacked";
    EXPECT_TRUE(outcome.lines("Content-Encoding").empty());
    EXPECT_TRUE(outcome.lines("Content-Digest").empty()) << "of bytes that nobody sees any more";
    EXPECT_EQ(outcome.lines("Content-Length"),
              std::vector<std::string>{std::to_string(outcome.body.size())});
    EXPECT_EQ(outcome.lines("X-Kept").size(), 1U);
    EXPECT_EQ(pipeline.run(packed_post("json", one.name, body::test::pack(one.coding, json))).body,
              pipeline.run(json_post(json)).body);
  }
}

TEST(PackedBody, WithNothingToProtectIsUnpackedAllTheSame) {
  Pipeline pipeline(policy_text(kRules));
  const std::string form = "note=a+b&&note=%c3%a9";
  const Outcome outcome = pipeline.run(
      packed_post("x-www-form-urlencoded", "gzip", body::test::pack(ContentCoding::gzip, form)));
  EXPECT_EQ(outcome.body, form);
  EXPECT_TRUE(outcome.lines("Content-Encoding").empty());
  EXPECT_TRUE(outcome.lines("Content-Digest").empty());
}

TEST(PackedBody, FaultsAndBombsAreRefused) {
  Pipeline pipeline(policy_text(kRules));
  const std::string good = body::test::pack(ContentCoding::gzip, "note=1");
  const auto refused = [&](const std::string& body) {
    return pipeline.run(packed_post("x-www-form-urlencoded", "gzip", body)).refused;
  };
  EXPECT_EQ(refused(good), "");
  EXPECT_EQ(refused("note=1"), "malformed-body");
  EXPECT_EQ(refused(good + good), "malformed-body");
  EXPECT_EQ(refused(good.substr(0, good.size() - 1)), "malformed-body");
  const std::string bomb = "note=" + std::string(20'000'000, 'A');
  EXPECT_EQ(refused(body::test::pack(ContentCoding::gzip, bomb)), "too-large");
  // Packed once more inside: a body of gzip bytes is no form.
  EXPECT_EQ(refused(body::test::pack(ContentCoding::gzip, good)), "malformed-body");
}

}  // namespace
}  // namespace paravent::proxy::testing
