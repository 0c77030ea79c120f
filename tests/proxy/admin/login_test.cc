// Pass-phrase and second factor: inviting, choosing, logging in; what is wrong, replayed or tried
// too often.

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <thread>

#include "crypto/primitives/totp.h"
#include "tests/proxy/admin/admin_testing.h"
#include "tests/support/whole_file.h"

namespace paravent::proxy::admin {
namespace {

namespace json = boost::json;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kPhrase = "Correct-Horse-7";

TEST(PassphraseRule, WhatTheCnilTakesForEightyBits) {
  const PassphraseRule rule;
  for (const char* good :
       {"Abcdefgh12!x", "abcdefghij12!x", "Abcdefghijkl12", "one two three four five six seven",
        "eins-zwei-drei-vier-fuenf-sechs-"
        "sieben",
        "\xC3\x89t\xC3\xA9 \xC3\xA0 Lyon 42"}) {
    EXPECT_TRUE(is_strong(good, "anne", rule)) << good;
  }
  for (const char* weak : {"", "Abcdefg12!x", "abcdefghij1!x", "abcdefghijklm1",
                           "one two three four five", "one one one one one one one one one",
                           "Anne-Martin-12!", "aaaaaaaaaaaA1!", "a b c d e f g"}) {
    EXPECT_FALSE(is_strong(weak, "anne", rule)) << weak;
  }
  EXPECT_TRUE(is_strong("abcdefg1!", "anne", {8, 3}));
  EXPECT_FALSE(is_strong("Abcdefgh12!x", "anne", {16, 4}));
}

TEST(LoginRules, TheWaitDoublesUpToADay) {
  const crypto::WallTime now{};
  for (std::uint32_t i = 0; i < kFreeFailures; ++i) EXPECT_LE(locked_until(i, now), now);
  EXPECT_EQ(locked_until(kFreeFailures, now), now + minutes(1));
  EXPECT_EQ(locked_until(kFreeFailures + 3, now), now + minutes(8));
  EXPECT_EQ(locked_until(1'000'000, now), now + std::chrono::hours(24));
}

class Login : public testing::Test {
 protected:
  Login() {
    api.login_rules.cost = {1, 64};  // the rule is tested elsewhere; this is about the steps
    api.login_rules.names = std::make_shared<const crypto::HmacSha256>(
        crypto::as_bytes("a key of the vault, here a text"));
    api.restart();
    const auto made =
        api.post_with("/v1/operators", api.credentials["admin"],
                      R"({"name":"anne","role":"dpo","type":"person","reason":"new"})");
    EXPECT_EQ(made.status, 200) << made.body;
    EXPECT_EQ(made.body.find("credential\":\""), std::string::npos);
  }

  std::string invite() {
    const auto answer =
        api.post_with("/v1/operators/anne/invite", api.credentials["admin"], R"({"reason":"new"})");
    EXPECT_EQ(answer.status, 200) << answer.body;
    return std::string(json::parse(answer.body).at("code").as_string());
  }
  crypto::TotpSecret secret() { return api.operators->find("anne")->enrolment->secret; }
  std::string code(const crypto::TotpSecret& of, int steps = 0) {
    const auto now = crypto::totp_step(api.clock.now());
    return crypto::totp_code(of, now + static_cast<std::uint64_t>(steps));
  }
  AdminResponse enrol(const std::string& invitation, std::string_view phrase,
                      const std::string& one_code) {
    return api.post_with(
        "/v1/enrol", "",
        json::serialize(
            json::object{{"invitation", invitation}, {"passphrase", phrase}, {"code", one_code}}));
  }
  AdminResponse login(std::string_view phrase, const std::string& one_code,
                      const std::string& name = "anne") {
    return api.post_with("/v1/login", "",
                         json::serialize(json::object{
                             {"operator", name}, {"passphrase", phrase}, {"code", one_code}}));
  }
  // Enrols; the secret.
  crypto::TotpSecret enrolled() {
    const std::string invitation = invite();
    const auto made = secret();
    EXPECT_EQ(enrol(invitation, kPhrase, code(made)).status, 200);
    api.clock.move(seconds(90));
    return made;
  }

  // From now on the test may hold the places in which pass-phrases are checked.
  CheckingPlaces& places() {
    if (api.login_rules.places == nullptr) {
      api.login_rules.places = std::make_shared<CheckingPlaces>(minutes(2));
      api.restart();
    }
    return *api.login_rules.places;
  }
  std::future<AdminResponse> login_beside(std::string_view phrase, const std::string& one_code,
                                          const std::string& name = "anne") {
    return std::async(std::launch::async,
                      [this, phrase, one_code, name] { return login(phrase, one_code, name); });
  }
  void wait_for_waiting(unsigned many) {
    while (places().waiting() < many) std::this_thread::yield();
  }
  // As if others had failed so often under this name.
  void fail_so_often(const std::string& name, std::uint32_t times) {
    const auto whole = api.login_rules.names->mac(crypto::as_bytes(name));
    NameDigest digest{};
    std::copy_n(whole.begin(), digest.size(), digest.begin());
    const crypto::WallTime now = api.operators->now();
    for (std::uint32_t i = 1; i <= times; ++i) {
      if (!api.operators->find(name)) {
        EXPECT_TRUE(api.operators->failed_attempts().count(digest, now).has_value());
        continue;
      }
      EXPECT_TRUE(api.operators
                      ->change(name,
                               [&](OperatorRecord& kept) -> crypto::Status {
                                 kept.attempts.failures = i;
                                 kept.attempts.locked_until = locked_until(i, now);
                                 return {};
                               })
                      .has_value());
    }
  }

  // The operators on a disk from now on, and everything in memory gone.
  void begin_again() {
    const auto folder = api.folder.path() / "operators";
    if (std::filesystem::create_directory(folder)) {
      EXPECT_TRUE(
          Operators::open(folder, kInstallation).value()->keep(api.operators->list()).has_value());
    }
    api.api.reset();
    api.operators.reset();
    api.operators = Operators::open(folder, kInstallation, &api.clock).value();
    api.restart();
  }
  // A failure under either name: what both are answered.
  int fail_alike() {
    const auto real = login("wrong", "000000");
    const auto unknown = login("wrong", "000000", "ghost");
    EXPECT_EQ(real.status, unknown.status);
    EXPECT_EQ(real.body, unknown.body);
    EXPECT_EQ(real.headers.size(), unknown.headers.size());
    return unknown.status;
  }

  Api api;
};

TEST_F(Login, FromTheInvitationToASession) {
  const std::string invitation = invite();
  const auto shown = api.post_with("/v1/enrol", "", R"({"invitation":")" + invitation + R"("})");
  ASSERT_EQ(shown.status, 200);
  const auto mine = secret();
  EXPECT_EQ(json::parse(shown.body).at("secret").as_string(), crypto::totp_secret_text(mine));
  EXPECT_EQ(enrol(invitation, "weak", code(mine)).status, 422);
  EXPECT_EQ(enrol(invitation, kPhrase, "000000").status, 422);
  EXPECT_EQ(enrol(invitation, "", code(mine)).status, 422);
  EXPECT_EQ(enrol(invitation, kPhrase, "").status, 422);
  EXPECT_EQ(enrol(invitation, "", "").status, 422);
  const std::string code_alone =
      json::serialize(json::object{{"invitation", invitation}, {"code", ""}});
  EXPECT_EQ(api.post_with("/v1/enrol", "", code_alone).status, 422);
  const std::string used = code(mine);
  EXPECT_EQ(enrol(invitation, kPhrase, used).status, 200);
  EXPECT_EQ(enrol(invitation, kPhrase, code(mine, 1)).status, 401) << "an invitation works once";
  EXPECT_EQ(login(kPhrase, used).status, 401) << "a code works once";
  api.clock.move(seconds(60));
  const auto answer = login(kPhrase, code(mine));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const std::string session(json::parse(answer.body).at("credential").as_string());
  EXPECT_EQ(api.get("/v1/audit/checkpoint", session).status, 200);
  const auto who = json::parse(api.get("/v1/whoami", session).body);
  EXPECT_EQ(who.at("operator").as_string(), "anne");
  EXPECT_EQ(api.post_with("/v1/logout", session, "").status, 200);
  EXPECT_EQ(api.get("/v1/audit/checkpoint", session).status, 401);
}

TEST_F(Login, ASessionIsShortAndEndsWithItsOperator) {
  const auto mine = enrolled();
  const auto session_of = [&] {
    const auto answer = login(kPhrase, code(mine));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return std::string(json::parse(answer.body).at("credential").as_string());
  };
  const std::string first = session_of();
  api.clock.move(minutes(61));
  EXPECT_EQ(api.get("/v1/whoami", first).status, 401);
  api.clock.move(-minutes(61));
  EXPECT_EQ(api.get("/v1/whoami", first).status, 401) << "a clock set back revives nothing";
  api.clock.move(minutes(65));
  const std::string second = session_of();
  EXPECT_EQ(api.get("/v1/whoami", second).status, 200);
  EXPECT_EQ(
      api.post_with("/v1/operators/anne/revoke", api.credentials["admin"], R"({"reason":"left"})")
          .status,
      200);
  EXPECT_EQ(api.get("/v1/whoami", second).status, 401);
  EXPECT_EQ(login(kPhrase, code(mine, 1)).status, 401);
}

TEST_F(Login, EveryMistakeGetsOneAnswer) {
  const auto mine = enrolled();
  const std::string right = code(mine);
  const std::string wrong_phrase = login("Correct-Horse-8", right).body;
  for (const auto& response :
       {login(kPhrase, "000000").body, login(kPhrase, right, "nobody").body,
        login(kPhrase, right, "dpo").body, login(std::string(1024, 'x'), right).body}) {
    EXPECT_EQ(response, wrong_phrase);
  }
  const auto records = api.entries(api.log().size() - 1);
  EXPECT_EQ(records.at(0).open.event, crypto::audit::EventKind::authentication);
  EXPECT_EQ(records.at(0).open.outcome, crypto::audit::Outcome::refused);
  EXPECT_EQ(records.at(0).detail->object, "anne");
  EXPECT_EQ(login("", right).status, 400);
  EXPECT_EQ(login(std::string(2000, 'x'), right).status, 400);
}

TEST_F(Login, FailuresLockAndARestartDoesNotHelp) {
  const auto mine = enrolled();
  for (std::uint32_t i = 0; i < kFreeFailures; ++i) {
    EXPECT_EQ(login("wrong", "000000").status, 401) << i;
  }
  const auto locked = login(kPhrase, code(mine));
  EXPECT_EQ(locked.status, 429);
  EXPECT_EQ(locked.headers.at(0).first, "Retry-After");
  api.restart();
  EXPECT_EQ(login(kPhrase, code(mine)).status, 429);
  const auto listed = api.get("/v1/operators", api.credentials["admin"]).body;
  EXPECT_NE(listed.find(R"("state":"locked")"), std::string::npos);
  // Unknown names are locked alike, so a lock tells nobody who exists.
  for (std::uint32_t i = 0; i < kFreeFailures; ++i) {
    EXPECT_EQ(login("wrong", "000000", "ghost").status, 401);
  }
  EXPECT_EQ(login("wrong", "000000", "ghost").status, 429);
  EXPECT_EQ(
      api.post_with("/v1/operators/anne/unlock", api.credentials["admin"], R"({"reason":"rang"})")
          .status,
      200);
  EXPECT_EQ(login(kPhrase, code(mine)).status, 200);
  // Or by waiting; the counter begins anew only with a success.
  for (std::uint32_t i = 0; i <= kFreeFailures; ++i) login("wrong", "000000");
  api.clock.move(minutes(3));
  EXPECT_EQ(login(kPhrase, code(mine)).status, 200);
}

// Many at once give nobody more tries than one after the other, and the lock tells nobody who
// exists.
TEST_F(Login, WhoeverWaitedIsLockedByWhatFailedMeanwhile) {
  CheckingPlaces& held = places();
  const auto mine = enrolled();
  for (const std::string name : {"anne", "ghost"}) {
    std::future<AdminResponse> waits;
    {
      const CheckingPlace one(held);
      const CheckingPlace two(held);
      waits = login_beside(kPhrase, code(mine), name);
      wait_for_waiting(1);
      fail_so_often(name, kFreeFailures);
    }
    const AdminResponse answer = waits.get();
    EXPECT_EQ(answer.status, 429) << name << " " << answer.body;
    EXPECT_EQ(answer.headers.at(0).first, "Retry-After");
  }
}

TEST_F(Login, ManyAtOnceAreNoMoreTries) {
  CheckingPlaces& held = places();
  enrolled();
  for (const std::string name : {"anne", "ghost"}) {
    fail_so_often(name, kFreeFailures - 1);
    std::vector<std::future<AdminResponse>> all;
    {
      const CheckingPlace one(held);
      const CheckingPlace two(held);
      for (unsigned i = 0; i < CheckingPlaces::kMostWaiting; ++i) {
        all.push_back(login_beside("wrong", "000000", name));
      }
      wait_for_waiting(CheckingPlaces::kMostWaiting);
    }
    unsigned checked = 0;
    for (auto& one : all) checked += one.get().status == 401 ? 1U : 0U;
    EXPECT_GE(checked, 1U) << name;
    EXPECT_LE(checked, CheckingPlaces::kPlaces) << name << ": those that were checked side by side";
  }
}

// Of a flood a few wait; the others are answered at once, and so is whoever asks something else.
TEST_F(Login, AFloodLeavesRoomForOthers) {
  CheckingPlaces& held = places();
  std::vector<std::future<AdminResponse>> few;
  {
    const CheckingPlace one(held);
    const CheckingPlace two(held);
    for (unsigned i = 0; i < CheckingPlaces::kMostWaiting; ++i) {
      few.push_back(login_beside("wrong", "000000", "ghost"));
    }
    wait_for_waiting(CheckingPlaces::kMostWaiting);
    for (int i = 0; i < 40; ++i) {
      auto beyond = login_beside("wrong", "000000", "ghost");
      while (beyond.wait_for(seconds(0)) != std::future_status::ready &&
             held.waiting() <= CheckingPlaces::kMostWaiting) {
        std::this_thread::yield();
      }
      ASSERT_EQ(held.waiting(), CheckingPlaces::kMostWaiting);
      const AdminResponse answer = beyond.get();
      EXPECT_EQ(answer.status, 503);
      EXPECT_EQ(answer.reason, "overloaded");
      EXPECT_EQ(answer.headers.at(0).first, "Retry-After");
    }
    EXPECT_EQ(api.get("/v1/whoami", api.credentials["dpo"]).status, 200);
  }
  for (auto& one : few) EXPECT_EQ(one.get().status, 401);
}

TEST_F(Login, ALockAfterARestartTellsNobodyWhoExists) {
  enrolled();
  begin_again();
  for (std::uint32_t i = 0; i < kFreeFailures; ++i) {
    EXPECT_EQ(fail_alike(), 401) << i;
    begin_again();  // what was counted stays counted, before the lock too
  }
  EXPECT_EQ(fail_alike(), 429);
  begin_again();
  EXPECT_EQ(fail_alike(), 429);
  EXPECT_EQ(login("wrong", "000000", "other").status, 401) << "nobody else waits";
  api.clock.move(seconds(61));
  EXPECT_EQ(fail_alike(), 401);
  begin_again();
  api.clock.move(seconds(61));
  EXPECT_EQ(fail_alike(), 429) << "the wait doubles across restarts";
  api.clock.move(seconds(61));
  EXPECT_EQ(fail_alike(), 401);
}

TEST_F(Login, WhatWasTypedAsANameIsNotOnTheDisk) {
  begin_again();
  EXPECT_EQ(login("wrong", "000000", "correct-horse-7").status, 401);
  EXPECT_EQ(login("wrong", "000000", "Correct-Horse-7").status, 401);
  const std::string text = test::whole_file(api.folder.path() / "operators" / "attempts");
  const auto kept = parse_attempts(text);
  ASSERT_TRUE(kept.has_value());
  ASSERT_EQ(kept->names.size(), 1U) << "what cannot be a name is not kept at all";
  EXPECT_EQ(text.find("orrect"), std::string::npos);
  const auto plain = crypto::sha256(crypto::as_bytes("correct-horse-7"));
  EXPECT_FALSE(std::equal(kept->names.begin()->first.begin(), kept->names.begin()->first.end(),
                          plain.begin()));
}

TEST_F(Login, ACodeIsSpentAcrossARestart) {
  const auto mine = enrolled();
  const std::string used = code(mine);
  EXPECT_EQ(login(kPhrase, used).status, 200);
  api.restart();
  EXPECT_EQ(login(kPhrase, used).status, 401);
  EXPECT_EQ(login(kPhrase, code(mine, -1)).status, 401) << "an earlier one is spent too";
  EXPECT_EQ(login(kPhrase, code(mine, 1)).status, 200);
}

TEST_F(Login, ACodeIsOfTheTimeThatTheClockSays) {
  const std::string invitation = invite();
  const auto mine = secret();
  // Ahead for one request, which the present of everything else does not forget.
  api.clock.move(std::chrono::hours(48));
  EXPECT_EQ(login("wrong", "000000", "nobody-there").status, 401);
  api.clock.move(-std::chrono::hours(48));
  EXPECT_GT(api.operators->now(), api.clock.now() + std::chrono::hours(47));
  EXPECT_EQ(enrol(invitation, kPhrase, code(mine)).status, 200);
  api.clock.move(seconds(90));
  const std::string used = code(mine);
  EXPECT_EQ(login(kPhrase, used).status, 200);
  // A clock that is put back brings no code back.
  api.clock.move(-seconds(60));
  EXPECT_EQ(login(kPhrase, used).status, 401);
  EXPECT_EQ(login(kPhrase, code(mine)).status, 401);
}

TEST_F(Login, AnOldCostIsRaisedAtTheNextLogin) {
  const auto mine = enrolled();
  api.login_rules.cost = {2, 128};
  api.restart();
  EXPECT_EQ(login(kPhrase, code(mine)).status, 200);
  EXPECT_EQ(api.operators->find("anne")->passphrase->cost, (crypto::PassphraseCost{2, 128}));
  api.clock.move(seconds(60));
  EXPECT_EQ(login(kPhrase, code(mine)).status, 200);
}

TEST_F(Login, InvitationsEndAndAreForPeople) {
  const std::string invitation = invite();
  api.clock.move(std::chrono::hours(73));
  EXPECT_EQ(enrol(invitation, kPhrase, code(secret())).status, 401);
  EXPECT_EQ(enrol("pvenrol_forged", kPhrase, "000000").status, 401);
  api.post_with("/v1/operators", api.credentials["admin"],
                R"({"name":"robot","role":"dpo","type":"program","reason":"r"})");
  EXPECT_EQ(
      api.post_with("/v1/operators/robot/invite", api.credentials["admin"], R"({"reason":"r"})")
          .status,
      409);
  EXPECT_EQ(api.post_with("/v1/logout", api.credentials["dpo"], "").status, 409);
}

}  // namespace
}  // namespace paravent::proxy::admin
