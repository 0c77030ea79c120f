// Honey tokens at every door where a token can be asked for: whoever asks raises one alarm, whether
// or not they may, in whichever spelling, and learns nothing.

#include <gtest/gtest.h>

#include <algorithm>

#include "proxy/admin/reidentify_lines.h"
#include "tests/proxy/admin/admin_testing.h"

namespace paravent::proxy::admin {
namespace {

constexpr std::string_view kDecoy = "decoy@example.fr";

class HoneyDoors : public testing::Test {
 protected:
  explicit HoneyDoors(const std::string& more = "") : api_(policy() + more) {
    const AdminResponse planted = api_.post(
        "admin", "/v1/honey-tokens",
        R"({"route":"form","field":"form.mail","value":"decoy@example.fr","note":"n","reason":"r"})");
    EXPECT_EQ(planted.status, 200) << planted.body;
    honey_ = std::string(boost::json::parse(planted.body).at("token").as_string());
    real_ = api_.token_of("form.mail", "anne@example.fr");
  }

  static std::string policy() {
    std::string text = admin_test_policy();
    const std::string old = "dpo: { reveal: clear }";
    return text.replace(text.find(old), old.size(), "dpo: { reveal: clear, subjects: true }");
  }
  // Alarms that `ask` raises.
  template <typename Ask>
  std::size_t rings(const Ask& ask) {
    const std::size_t before = api_.alarms.size();
    ask();
    return api_.alarms.size() - before;
  }
  std::string with(const std::string& token) {
    return R"({"reason":"r","tokens":[")" + token + "\"]}";
  }

  Api api_;
  std::string honey_;
  std::string real_;
};

// A shaped text is the same token, and so it is where the purpose is another one's.
TEST_F(HoneyDoors, InWhicheverShape) {
  for (const auto shape : {crypto::Shape::digits, crypto::Shape::uuid, crypto::Shape::phone}) {
    const std::string text = api_.shaped("form.mail", kDecoy, shape);
    for (const char* purpose : {"contact", "billing"}) {
      EXPECT_EQ(rings([&] { api_.reidentify("dpo", purpose, {text}); }), 1U) << text << purpose;
    }
    EXPECT_EQ(rings([&] { api_.post("dpo", "/v1/subjects/locate", with(text)); }), 1U) << text;
  }
  // Unavailable is on record with what it was, as any other token is.
  const std::string text = api_.shaped("form.mail", kDecoy, crypto::Shape::uuid);
  const std::uint64_t before = api_.log().size();
  EXPECT_EQ(Api::results(api_.reidentify("dpo", "billing", {text})).front().status, "unavailable");
  const auto entries = api_.entries(before);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].detail->tokens.size(), 1U);
}

TEST_F(HoneyDoors, WhereThePurposeIsBarred) {
  EXPECT_EQ(rings([&] {
              EXPECT_EQ(api_.reidentify("support", "billing", {honey_, real_}).status, 403);
            }),
            1U);
  EXPECT_EQ(rings([&] { api_.reidentify("support", "billing", {real_}); }), 0U);
}

TEST_F(HoneyDoors, OfWhomNoTenantKnows) {
  EXPECT_EQ(rings([&] { EXPECT_EQ(api_.reidentify("stranger", "contact", {honey_}).status, 403); }),
            1U);
}

TEST_F(HoneyDoors, AtEveryRightOfAPerson) {
  for (const char* door : {"locate", "export", "restrict", "object", "events", "erase"}) {
    std::string body = with(honey_);
    if (std::string_view(door) == "events") {
      body.insert(1, R"("purpose":"contact","event":"last-contact","day":"2026-01-01",)");
    }
    const std::string path = std::string("/v1/subjects/") + door;
    EXPECT_EQ(rings([&] {
                const AdminResponse answer = api_.post("dpo", path, body);
                EXPECT_EQ(answer.status, 200) << answer.body;
              }),
              1U)
        << door;
    // Who may not is heard too.
    EXPECT_EQ(rings([&] { EXPECT_EQ(api_.post("support", path, body).status, 403); }), 1U) << door;
    body.replace(body.find(honey_), honey_.size(), real_);
    EXPECT_EQ(rings([&] { api_.post("dpo", path, body); }), 0U) << door;
  }
}

// In lines the whole request is heard when it begins, whoever reads how far.
TEST_F(HoneyDoors, AtTheEndOfManyLines) {
  std::string body = R"({"purpose":"contact","reason":"r","tokens":[)";
  for (std::size_t i = 0; i < 3 * kTokensPerPart; ++i) body += "\"" + real_ + "\",";
  body += "\"" + honey_ + "\"]}";
  AdminResponse answer;
  EXPECT_EQ(rings([&] { answer = api_.lines_with(api_.credentials["dpo"], body); }), 1U);
  EXPECT_EQ(rings([&] {
              std::string piece;
              while (answer.more(piece)) piece.clear();
            }),
            0U);
}

// However often, and with whatever purpose: one alarm, and nothing of the asker's own text in it.
TEST_F(HoneyDoors, OneAlarmARequestAndNoTextOfTheAskers) {
  EXPECT_EQ(
      rings([&] { api_.reidentify("dpo", "contact", std::vector<std::string>(10'000, honey_)); }),
      1U);
  EXPECT_EQ(api_.alarms.back().purpose, "contact");
  for (const std::string& purpose :
       {std::string(5000, 'x'), std::string("a\nb"), std::string("A B")}) {
    EXPECT_EQ(rings([&] { api_.reidentify("dpo", purpose, {honey_}); }), 1U);
    EXPECT_EQ(api_.alarms.back().purpose, "other");
  }
}

class HoneyAtNight : public HoneyDoors {
 protected:
  HoneyAtNight() : HoneyDoors("four-eyes: { approve: [auditor], purposes: [contact] }\n") {
    const auto minute = std::chrono::floor<std::chrono::minutes>(crypto::SystemClock().now())
                            .time_since_epoch()
                            .count() %
                        1440;
    const auto text = [&](std::int64_t by) {
      const std::int64_t at = (minute + by) % 1440;
      const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
      return "'" + two(at / 60) + ":" + two(at % 60) + "'";
    };
    std::string later = policy() + "four-eyes: { approve: [auditor], purposes: [contact] }\n";
    const std::string old = "reveal: clear, subjects: true";
    later.replace(later.find(old), old.size(),
                  old + ", hours: { from: " + text(120) + ", until: " + text(240) + " }");
    api_.use_policy(later.insert(later.find("roles:"), "time-zone: Etc/UTC\n"));
  }
};

TEST_F(HoneyAtNight, WhoeverComesOutsideOfTheHoursIsHeard) {
  const std::string grant =
      R"({"purpose":"contact","basis":"contract","hours":1,"reason":"r","tokens":[")" + honey_ +
      "\"]}";
  for (const auto& asked :
       {std::pair<std::string, std::string>{"/v1/grants", grant},
        {"/v1/subjects/locate", with(honey_)},
        {"/v1/reidentify", R"({"purpose":"contact","reason":"r","tokens":[")" + honey_ + "\"]}"}}) {
    const std::string& path = asked.first;
    const std::string& body = asked.second;
    EXPECT_EQ(rings([&] {
                const AdminResponse answer = api_.post("dpo", path, body);
                EXPECT_EQ(answer.status, 403) << path;
                EXPECT_NE(answer.body.find(R"("reason":"hours")"), std::string::npos) << path;
              }),
              1U)
        << path;
  }
}

class HoneyAndFourEyes : public HoneyDoors {
 protected:
  HoneyAndFourEyes() : HoneyDoors("four-eyes: { approve: [auditor], purposes: [contact] }\n") {}
};

TEST_F(HoneyAndFourEyes, WhoeverWantsACaseAsksForIt) {
  const auto ask = [&](const char* who, const char* purpose, const std::string& token) {
    return api_
        .post(who, "/v1/grants",
              R"({"basis":"contract","hours":1,"reason":"r","purpose":")" + std::string(purpose) +
                  R"(","tokens":[")" + token + "\"]}")
        .status;
  };
  EXPECT_EQ(rings([&] { EXPECT_EQ(ask("dpo", "contact", honey_), 201); }), 1U);
  EXPECT_EQ(rings([&] { EXPECT_EQ(ask("support", "billing", honey_), 403); }), 1U);
  EXPECT_EQ(rings([&] { EXPECT_EQ(ask("dpo", "contact", real_), 201); }), 0U);
  // Without the grant it is refused, heard, and opened to nobody.
  EXPECT_EQ(rings([&] { EXPECT_EQ(api_.reidentify("dpo", "contact", {honey_}).status, 403); }), 1U);
}

}  // namespace
}  // namespace paravent::proxy::admin
