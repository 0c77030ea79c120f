// Hours of a role, through the API: outside of them nothing is answered, and no clock that is put
// back helps.

#include <gtest/gtest.h>

#include "tests/proxy/admin/admin_testing.h"

namespace paravent::proxy::admin {
namespace {

using namespace std::chrono_literals;

// Minutes since midnight, UTC.
std::int64_t minute_of(crypto::WallTime time) {
  return std::chrono::floor<std::chrono::minutes>(time).time_since_epoch().count() % (24 * 60);
}

std::string time_text(std::int64_t minute) {
  minute = (minute + 48 * 60) % (24 * 60);
  const auto two = [](std::int64_t number) {
    return (number < 10 ? "0" : "") + std::to_string(number);
  };
  return "'" + two(minute / 60) + ":" + two(minute % 60) + "'";
}

// The role support may ask from an hour ago to in an hour; the dpo always.
std::string policy() {
  const std::int64_t now = minute_of(crypto::SystemClock().now());
  std::string text = admin_test_policy();
  const std::string old = "support: { reveal: masked }";
  text.replace(text.find(old), old.size(),
               "support: { reveal: masked, subjects: true, audit: true, hours: { from: " +
                   time_text(now - 60) + ", until: " + time_text(now + 60) + " } }");
  return text.insert(text.find("roles:"), "time-zone: Etc/UTC\n");
}

class Hours : public testing::Test {
 protected:
  Hours() : api_(policy()) { token_ = api_.token_of("form.mail", "anne@example.fr"); }

  // "masked", or the reason of the refusal.
  std::string asks(const std::string& who = "support") {
    const AdminResponse answer = api_.reidentify(who, "contact", {token_});
    if (answer.status == 200) return Api::results(answer).front().status;
    const auto problem = boost::json::parse(answer.body).as_object();
    return std::to_string(answer.status) + " " + std::string(problem.at("reason").as_string());
  }

  Api api_;
  std::string token_;
};

TEST_F(Hours, EndAndBegin) {
  EXPECT_EQ(asks(), "masked");
  api_.clock.move(2h);
  EXPECT_EQ(asks(), "403 hours");
  EXPECT_EQ(asks("dpo"), "revealed");
  api_.clock.move(20h);
  EXPECT_EQ(asks(), "403 hours");
  api_.clock.move(2h);  // the same time the next day
  EXPECT_EQ(asks(), "masked");
}

TEST_F(Hours, EveryTokenIsOnTheRecord) {
  api_.clock.move(2h);
  const std::uint64_t before = api_.log().size();
  EXPECT_EQ(api_.reidentify("support", "contact", {token_, token_, "pvv1x"}).status, 403);
  const auto entries = api_.entries(before);
  ASSERT_EQ(entries.size(), 3U);
  for (const auto& entry : entries) {
    EXPECT_EQ(entry.open.event, crypto::audit::EventKind::refusal);
    EXPECT_EQ(entry.detail->operator_name, "support");
    EXPECT_EQ(entry.detail->remark, "hours");
    EXPECT_EQ(entry.detail->purpose, "contact");
  }
  EXPECT_EQ(entries[0].detail->tokens.size(), 1U);
}

TEST_F(Hours, HoldForEveryPath) {
  const std::string subject = R"({"tokens":[")" + token_ + R"("],"reason":"r"})";
  EXPECT_EQ(api_.post("support", "/v1/subjects/locate", subject).status, 200);
  EXPECT_EQ(api_.get("/v1/audit/entries", api_.credentials["support"]).status, 200);
  api_.clock.move(2h);
  for (const char* door : {"locate", "export", "erase"}) {
    const AdminResponse answer = api_.post("support", std::string("/v1/subjects/") + door, subject);
    EXPECT_EQ(answer.status, 403) << door;
    EXPECT_NE(answer.body.find(R"("reason":"hours")"), std::string::npos) << answer.body;
  }
  for (const char* path :
       {"/v1/audit/entries", "/v1/audit/checkpoint", "/v1/policy", "/v1/grants"}) {
    const std::uint64_t before = api_.log().size();
    EXPECT_EQ(api_.get(path, api_.credentials["support"]).status, 403) << path;
    const auto entries = api_.entries(before);
    ASSERT_EQ(entries.size(), 1U) << path;
    EXPECT_EQ(entries[0].detail->object, std::string("GET ") + path);
  }
  EXPECT_EQ(api_.post("support", "/v1/dossier", R"({"reason":"r"})").status, 403);
  EXPECT_EQ(api_.post("support", "/v1/protect", "{}").status, 403);
  EXPECT_EQ(api_.get("/v1/whoami", api_.credentials["support"]).status, 200);
  // The role admin has no hours: somebody has to be able to act.
  EXPECT_EQ(api_.get("/v1/operators", api_.credentials["admin"]).status, 200);
}

// A repeated change is not answered from memory outside of the hours, and a 403 is not kept.
TEST_F(Hours, OutsideOfThemNobodyIsACaller) {
  AdminRequest request;
  request.authorization = "Bearer " + api_.credentials["support"];
  request.path = "/v1/grants";
  EXPECT_TRUE(api_.api->caller_of(request));
  api_.clock.move(2h);
  EXPECT_FALSE(api_.api->caller_of(request));
}

// A stolen credential at night is heard all the same.
TEST_F(Hours, HoneyIsWatchedAtNight) {
  const auto planted = api_.post(
      "admin", "/v1/honey-tokens",
      R"({"route":"form","field":"form.mail","value":"decoy@example.fr","note":"n","reason":"r"})");
  ASSERT_EQ(planted.status, 200) << planted.body;
  const auto parsed = boost::json::parse(planted.body).as_object();
  token_ = std::string(parsed.at("token").as_string());
  api_.clock.move(2h);
  EXPECT_EQ(asks(), "403 hours");
  EXPECT_EQ(api_.alarms.size(), 1U);
  const std::string subject = R"({"tokens":[")" + token_ + R"("],"reason":"r"})";
  EXPECT_EQ(api_.post("support", "/v1/subjects/locate", subject).status, 403);
  EXPECT_EQ(api_.alarms.size(), 2U);
}

// From outside of the hours back into them: the later time is the one that counts.
TEST_F(Hours, AClockPutBackOpensNothing) {
  api_.clock.move(2h);
  EXPECT_EQ(asks(), "403 hours");
  api_.clock.move(-2h);
  EXPECT_EQ(asks(), "403 hours");
}

// Within the hours: they are not made longer by a clock that stands still, because of one that was
// put back nobody knows what time it is.
TEST_F(Hours, AClockPutBackMakesThemNoLonger) {
  EXPECT_EQ(asks(), "masked");
  api_.clock.move(-30s);
  EXPECT_EQ(asks(), "masked") << "a clock that is kept right";
  api_.clock.move(-30min);
  EXPECT_EQ(asks(), "403 hours");
  EXPECT_EQ(asks("dpo"), "revealed");
  api_.clock.move(31min);
  EXPECT_EQ(asks(), "masked") << "it has caught up";
}

// The log knows what time it was before a restart.
TEST_F(Hours, ARestartForgetsNoTime) {
  EXPECT_EQ(asks("dpo"), "revealed");
  api_.clock.move(2h);
  EXPECT_EQ(asks("dpo"), "revealed");
  api_.clock.move(-2h);
  const auto kept = api_.operators->list();
  api_.operators = Operators::in_memory(&api_.clock);  // which has seen no time yet
  ASSERT_TRUE(api_.operators->keep(kept));
  api_.restart();
  EXPECT_EQ(asks(), "403 hours");
}

}  // namespace
}  // namespace paravent::proxy::admin
