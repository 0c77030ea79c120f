// Where the pipeline brings several fields, an epoch or a person together: scopes, the pseudonym of
// the epoch before, shifted dates, the pseudonym of an address.

#include <gtest/gtest.h>

#include <string>

#include "tests/proxy/pipeline/transaction_testing.h"

namespace paravent::proxy::testing {
namespace {

class SetClock final : public crypto::Clock {
 public:
  crypto::WallTime now() const override { return time; }
  crypto::WallTime time =
      std::chrono::sys_days{std::chrono::November / 20 / 2026} + std::chrono::hours{12};
};

std::string value_of(const std::string& body, const std::string& name) {
  const std::size_t at = ("&" + body).find("&" + name + "=");
  if (at == std::string::npos) return "absent";
  const std::size_t begin = at + name.size() + 1;
  return body.substr(begin, body.find('&', begin) - begin);
}

// One day, and half an hour into the next one.
class Overlap : public ::testing::Test {
 protected:
  std::string sent(const std::string& rules, const std::string& request, bool next_day) {
    clock_.time = std::chrono::sys_days{std::chrono::November / (next_day ? 21 : 20) / 2026} +
                  (next_day ? std::chrono::minutes{30} : std::chrono::minutes{720});
    auto made =
        make_worker_state(snapshot_of(policy_text(rules), *keys_), &vault_, nullptr, nullptr);
    FakeDownstream down;
    FakeUpstream up;
    Transaction transaction(down, up);
    const ReadRequest read(request);
    down.received = {BodyStatus::complete, read.body()};
    transaction.start(read.head(), *made);
    const std::string all = up.exchanges == 1 ? up.head + up.body : "refused: " + down.sent;
    head_ = up.head;
    body_ = up.body;
    if (transaction.phase() == Phase::forward) {
      ResponseHead answer;
      answer.status = 204;
      up.handler->on_response(answer, {}, true);
    }
    return all;
  }

  SetClock clock_;
  std::unique_ptr<crypto::vault::Vault> keys_{crypto::vault::Vault::in_memory(clock_).value()};
  HeldVault vault_;
  std::string head_;
  std::string body_;
};

constexpr const char* kVisitor =
    "{ do: pseudonymise, space: visitor, epoch: day, overlap: PT2H, previous: before }\n";

TEST_F(Overlap, AFormCarriesBothAndNothingThatTheSenderClaims) {
  const std::string rules =
      "      form.id: " + std::string(kVisitor) + "      form.z: { do: keep }\n";
  sent(rules, form_post("id=7&before=forged&z=1"), false);
  const std::string today = value_of(body_, "id");
  EXPECT_EQ(body_, "id=" + today + "&z=1") << "the first day has no day before";
  sent(rules, form_post("before=forged&id=7&z=1"), true);
  EXPECT_EQ(value_of(body_, "before"), today);
  EXPECT_NE(value_of(body_, "id"), today);
  EXPECT_EQ(body_, "id=" + value_of(body_, "id") + "&before=" + today + "&z=1");
}

TEST_F(Overlap, JsonGetsAMemberBesideTheFieldsOwn) {
  const std::string rules = "      json.v[*].id: " + std::string(kVisitor);
  sent(rules, json_post(R"({"v":[{"id":"7"}]})"), false);
  const std::string today = body_.substr(13, 52);
  sent(rules, json_post(R"({"v":[{"id":"7","before":"forged"},{"id":""}]})"), true);
  EXPECT_NE(body_.substr(13, 52), today);
  EXPECT_EQ(body_, R"({"v":[{"id":")" + body_.substr(13, 52) + R"(","before":")" + today +
                       R"("},{"id":""}]})");
}

TEST_F(Overlap, HeadersAndCookiesToo) {
  const std::string rules = "      header.X-Visitor: " + std::string(kVisitor) +
                            "      cookie.vid: " + std::string(kVisitor);
  const std::string request = request_text(
      "POST /f", "X-Visitor: 7\r\nbefore: forged\r\nCookie: a=1; vid=7; before=forged; z=2\r\n");
  sent(rules, request, false);
  EXPECT_EQ(head_.find("before"), std::string::npos) << head_;
  const std::string today = head_.substr(head_.find("pvh1"), 52);
  EXPECT_NE(head_.find("vid=" + today), std::string::npos) << "one space, one pseudonym";
  sent(rules, request, true);
  EXPECT_EQ(head_.find("vid=" + today), std::string::npos) << "a new day, a new pseudonym";
  EXPECT_EQ(head_.find("forged"), std::string::npos);
  EXPECT_NE(head_.find("\r\nbefore: " + today + "\r\n"), std::string::npos) << head_;
  EXPECT_NE(head_.find("; before=" + today), std::string::npos) << head_;
  EXPECT_NE(head_.find("; z=2\r\n"), std::string::npos) << head_;
}

TEST(Scopes, WithoutTheOtherFieldOnErrorDecides) {
  const auto run = [](const char* on_error, const char* body) {
    Pipeline pipeline(
        policy_text("      form.x: { do: pseudonymise, scope: relationship, "
                    "relationship: form.with, on-error: " +
                    std::string(on_error) + " }\n      form.with: { do: keep }\n"));
    const Outcome outcome = pipeline.run(form_post(body));
    return outcome.refused.empty() ? outcome.body : outcome.refused;
  };
  EXPECT_EQ(run("refuse", "x=1"), "transform-failed");
  EXPECT_EQ(run("refuse", "x=1&with=a&with=b"), "transform-failed");
  EXPECT_EQ(run("refuse", "x=1&with=a&with=a").substr(0, 7), "x=pvh1q");
  EXPECT_EQ(run("drop", "x=1&with="), "with=");
  EXPECT_EQ(run("mask", "x=1"), "x=%2A%2A%2A%2A%2A%2A%2A%2A");
}

TEST(ShiftedDates, NeedOneSubject) {
  Pipeline pipeline(
      policy_text("      form.who: { do: encrypt }\n"
                  "      form.day: { do: generalise, to: shifted-date }\n",
                  "    subject: form.who\n"));
  EXPECT_EQ(pipeline.run(form_post("day=2026-11-21")).refused, "transform-failed");
  EXPECT_EQ(pipeline.run(form_post("who=a&who=b&day=2026-11-21")).refused, "transform-failed");
  const std::string one = value_of(pipeline.run(form_post("who=a&day=2026-11-21")).body, "day");
  EXPECT_EQ(one.size(), 10U);
  EXPECT_NE(one, "2026-11-21");
  EXPECT_EQ(value_of(pipeline.run(form_post("day=2026-11-21&who=a")).body, "day"), one);
}

TEST(ClientAddress, APseudonymIsAnAddressOfNobody) {
  Pipeline pipeline(policy_text("      form.x: { do: keep }\n", "    client-address: pseudonym\n"));
  const Outcome one = pipeline.run(form_post("x=1", "X-Forwarded-For: 203.0.113.9\r\n"));
  EXPECT_EQ(one.head.find("203.0.113.9"), std::string::npos);
  EXPECT_NE(one.head.find("\r\nX-Forwarded-For: fd"), std::string::npos) << one.head;
  EXPECT_EQ(pipeline.run(form_post("x=1")).head, one.head);
}

TEST(OwnTokens, AreNotLetThroughWhereTextSurvives) {
  Pipeline pipeline(
      policy_text("      form.id: { do: pseudonymise }\n"
                  "      form.cut: { do: truncate, length: 200 }\n"
                  "      form.page: { do: generalise, to: url }\n"));
  const std::string token = value_of(pipeline.run(form_post("id=1")).body, "id");
  EXPECT_EQ(pipeline.run(form_post("cut=see+" + token)).refused, "own-token");
  EXPECT_EQ(pipeline.run(form_post("page=https://a.example/" + token)).refused, "own-token");
}

}  // namespace
}  // namespace paravent::proxy::testing
