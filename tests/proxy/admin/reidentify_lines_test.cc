// POST /v1/reidentify as lines: who asks is judged anew in front of every part, and what ends an
// answer half-way opens nothing more, says so in its last line, and puts the rest on record.

#include "proxy/admin/reidentify_lines.h"

#include <gtest/gtest.h>

#include "proxy/admin/oidc/revocations.h"
#include "tests/proxy/admin/admin_testing.h"
#include "tests/proxy/admin/oidc_testing.h"

namespace paravent::proxy::admin {
namespace {

using namespace std::chrono_literals;
using crypto::audit::EventKind;

// Three parts, the last of them a short one.
constexpr std::size_t kAsked = 2 * kTokensPerPart + 3;

std::string body_of(const std::string& token, const std::string& more = "") {
  std::string body = R"({"purpose":"contact","reason":"case 17",)" + more + R"("tokens":[)";
  for (std::size_t i = 0; i < kAsked; ++i) {
    if (i > 0) body.push_back(',');
    body.append("\"").append(token).append("\"");
  }
  return body + "]}";
}

// An answer as its reader sees it: piece by piece.
class Reading {
 public:
  explicit Reading(AdminResponse answer) : answer_(std::move(answer)) {
    EXPECT_EQ(answer_.status, 200) << answer_.body;
  }

  // The lines of the next piece.
  std::size_t read_piece() {
    std::string piece;
    open_ = answer_.more(piece);
    std::size_t lines = 0;
    for (std::size_t at = 0; at < piece.size(); ++lines) {
      const std::size_t end = piece.find('\n', at);
      last_ = piece.substr(at, end - at);
      if (last_.find("\"value\":") != std::string::npos) ++values_;
      at = end + 1;
    }
    return lines;
  }
  void read_all() {
    while (open_) read_piece();
  }
  bool is_open() const { return open_; }
  std::size_t values() const { return values_; }
  std::string reason() const {
    const auto line = boost::json::parse(last_).as_object();
    const auto* reason = line.if_contains("reason");
    return reason == nullptr ? std::string() : std::string(reason->as_string());
  }
  bool complete() const { return boost::json::parse(last_).as_object().contains("complete"); }

 private:
  AdminResponse answer_;
  bool open_ = true;
  std::size_t values_ = 0;
  std::string last_;
};

class Lines : public testing::Test {
 protected:
  explicit Lines(const std::string& policy = admin_test_policy()) : api_(policy) {
    token_ = api_.token_of("form.mail", "anne@example.fr");
  }

  // Reads the first part, lets `change` happen, and reads on: nothing more is opened, the last line
  // gives this reason, and the rest is on record with it.
  template <typename Change>
  void ends(Reading reading, const std::string& reason, const Change& change) {
    EXPECT_EQ(reading.read_piece(), kTokensPerPart);
    const std::uint64_t before = api_.log().size();
    change();
    const std::uint64_t changed = api_.log().size();
    reading.read_all();
    EXPECT_EQ(reading.values(), kTokensPerPart);
    EXPECT_FALSE(reading.complete());
    EXPECT_EQ(reading.reason(), reason);
    std::size_t named = 0;
    for (const auto& entry : api_.entries(changed)) {
      EXPECT_EQ(entry.open.event, EventKind::refusal);
      EXPECT_EQ(entry.open.outcome, crypto::audit::Outcome::refused);
      EXPECT_EQ(entry.detail->reason, "case 17");
      named += entry.detail->tokens.size();
    }
    EXPECT_EQ(named, kAsked - kTokensPerPart) << "each of the rest is on record";
    EXPECT_GE(changed, before);
  }

  Api api_;
  std::string token_;
};

TEST_F(Lines, AreAllThereWhenNothingHappens) {
  Reading reading(api_.lines_with(api_.credentials["dpo"], body_of(token_)));
  reading.read_all();
  EXPECT_TRUE(reading.complete());
  EXPECT_EQ(reading.values(), kAsked);
}

// Whoever hangs up: what left has its entries, the rest is on record, and so is how much left.
TEST_F(Lines, OfWhoeverHangsUpSayHowManyWereHandedOver) {
  for (const std::size_t pieces : {0U, 1U, 2U, 3U}) {
    const std::uint64_t before = api_.log().size();
    AdminResponse answer = api_.lines_with(api_.credentials["dpo"], body_of(token_));
    ASSERT_EQ(answer.status, 200);
    std::string piece;
    for (std::size_t i = 0; i < pieces; ++i) ASSERT_TRUE(answer.more(piece));
    answer.abandoned();
    const std::size_t opened = std::min(kAsked, std::max<std::size_t>(pieces, 1) * kTokensPerPart);
    const std::size_t taken = pieces == 0 ? 0 : (pieces - 1) * kTokensPerPart;
    std::string remark = "broken-off: handed over " + std::to_string(taken);
    if (pieces > 0) remark += " to " + std::to_string(opened);
    remark += " of " + std::to_string(kAsked);
    std::size_t revealed = 0;
    std::size_t refused = 0;
    for (const auto& entry : api_.entries(before)) {
      if (entry.open.event == EventKind::reveal) {
        EXPECT_EQ(refused, 0U);
        ++revealed;
        continue;
      }
      EXPECT_EQ(entry.open.event, EventKind::refusal);
      EXPECT_EQ(entry.detail->operator_name, "dpo");
      EXPECT_EQ(entry.detail->remark, remark);
      refused += std::max<std::size_t>(entry.detail->tokens.size(), 1);
      EXPECT_EQ(entry.detail->tokens.empty(), opened == kAsked);
    }
    EXPECT_EQ(revealed, opened) << "no less than what may have left";
    EXPECT_EQ(refused, opened == kAsked ? 1 : kAsked - opened) << pieces;
  }
  EXPECT_EQ(api_.api->counters().read().at({"dpo", "contact", "broken-off"}), 4U);
}

TEST_F(Lines, EndWithTheOperator) {
  Reading reading(api_.lines_with(api_.credentials["support"], body_of(token_)));
  ends(std::move(reading), "credential", [&] {
    EXPECT_EQ(api_.post("admin", "/v1/operators/support/revoke", R"({"reason":"left"})").status,
              200);
  });
  const auto entries = api_.entries(api_.log().size() - 1);
  EXPECT_EQ(entries[0].detail->operator_name, "support");
  EXPECT_EQ(entries[0].detail->remark, "credential");
  EXPECT_FALSE(entries[0].detail->credential.empty());
}

TEST_F(Lines, EndWithTheCredentialAndNotWithAnother) {
  const auto made = api_.post("admin", "/v1/operators",
                              R"({"name":"crm","role":"support","type":"program",)"
                              R"("expires":"P1D","reason":"r"})");
  ASSERT_EQ(made.status, 200) << made.body;
  const auto document = boost::json::parse(made.body);
  const std::string credential(document.at("credential").as_string());
  const std::string id(
      document.at("operator").at("credentials").as_array().at(0).at("id").as_string());
  ends(Reading(api_.lines_with(credential, body_of(token_))), "credential", [&] {
    EXPECT_EQ(
        api_.post("admin", "/v1/operators/crm/credentials/" + id + "/revoke", R"({"reason":"r"})")
            .status,
        200);
  });
  // A further credential goes on where only the other one was revoked, and ends with its time.
  const auto more =
      api_.post("admin", "/v1/operators/crm/credentials", R"({"expires":"P1D","reason":"r"})");
  ASSERT_EQ(more.status, 200) << more.body;
  const std::string next(boost::json::parse(more.body).at("credential").as_string());
  ends(Reading(api_.lines_with(next, body_of(token_))), "credential",
       [&] { api_.clock.move(25h); });
}

TEST_F(Lines, EndWithTheCertificate) {
  AdminRequest request;
  request.method = "POST";
  request.path = "/v1/reidentify";
  request.accept = "application/x-ndjson";
  request.body = body_of(token_);
  request.certificate_name = "dpo";
  request.certificate_expires = api_.clock.now() + 1h;
  ends(Reading(api_.api->handle(request)), "credential", [&] { api_.clock.move(61min); });
  EXPECT_EQ(api_.api->handle(request).status, 401) << "on an open connection, too";
}

TEST_F(Lines, EndWithTheRoleInThePolicy) {
  Reading reading(api_.lines_with(api_.credentials["support"], body_of(token_)));
  ends(std::move(reading), "refused", [&] {
    std::string narrower = admin_test_policy();
    const std::string old = "reveal: [dpo, support, auditor]";
    api_.use_policy(narrower.replace(narrower.find(old), old.size(), "reveal: [dpo, auditor]"));
  });
}

TEST_F(Lines, ShowWhatTheLevelOfNowShows) {
  Reading reading(api_.lines_with(api_.credentials["dpo"], body_of(token_)));
  EXPECT_EQ(reading.read_piece(), kTokensPerPart);
  std::string narrower = admin_test_policy();
  const std::string old = "dpo: { reveal: clear }";
  api_.use_policy(narrower.replace(narrower.find(old), old.size(), "dpo: { reveal: refused }"));
  reading.read_all();
  EXPECT_EQ(reading.values(), kTokensPerPart);
}

class LinesInHours : public Lines {
 protected:
  LinesInHours() : Lines(policy()) {}
  static std::string policy() {
    const auto minute = std::chrono::floor<std::chrono::minutes>(crypto::SystemClock().now());
    const auto text = [&](std::int64_t by) {
      const std::int64_t at = (minute.time_since_epoch().count() + by + 1440) % 1440;
      const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
      return "'" + two(at / 60) + ":" + two(at % 60) + "'";
    };
    std::string policy = admin_test_policy();
    const std::string old = "support: { reveal: masked }";
    policy.replace(
        policy.find(old), old.size(),
        "support: { reveal: masked, hours: { from: " + text(-60) + ", until: " + text(60) + " } }");
    return policy.insert(policy.find("roles:"), "time-zone: Etc/UTC\n");
  }
};

TEST_F(LinesInHours, EndWithThem) {
  ends(Reading(api_.lines_with(api_.credentials["support"], body_of(token_))), "hours",
       [&] { api_.clock.move(2h); });
}

class LinesOfACase : public Lines {
 protected:
  LinesOfACase()
      : Lines(admin_test_policy() + "four-eyes: { approve: [dpo], purposes: [contact] }\n") {}
};

TEST_F(LinesOfACase, EndWithTheCase) {
  const auto open = api_.post("support", "/v1/grants",
                              R"({"purpose":"contact","basis":"contract","hours":8,)"
                              R"("subjects":10,"values":5000,"reason":"r"})");
  ASSERT_EQ(open.status, 201) << open.body;
  const std::string id(boost::json::parse(open.body).at("id").as_string());
  const std::string path = "/v1/grants/" + id;
  ASSERT_EQ(api_.post("dpo", path + "/approve", R"({"reason":"r"})").status, 200);
  const std::string body = body_of(token_, R"("grant":")" + id + "\",");
  ends(Reading(api_.lines_with(api_.credentials["support"], body)), "grant",
       [&] { ASSERT_EQ(api_.post("dpo", path + "/close", R"({"reason":"enough"})").status, 200); });
}

class LinesOfAJwt : public Lines {
 protected:
  LinesOfAJwt()
      : Lines(admin_test_policy() + "oidc: [{ issuer: login, subject: crm-1, role: support }]\n") {
    publish(key_, "k");
    api_.oidc = &desk_;
    api_.restart();
  }

  static OidcIssuer issuer() {
    OidcIssuer one;
    one.name = "login";
    one.terms.issuer = "https://login.example";
    one.terms.audience = "paravent";
    one.terms.algorithms = {crypto::SignatureAlgorithm::ed25519};
    return one;
  }
  void publish(const SigningKey& key, const std::string& kid) {
    desk_.use_keys(0, std::make_shared<const KeySet>(KeySet::parse(key_set(key.jwk(kid))).value()));
  }
  Reading reading() {
    const auto now = api_.clock.now().time_since_epoch();
    const JsonText claims =
        claims_of(std::chrono::duration_cast<std::chrono::seconds>(now).count());
    return Reading(
        api_.lines_with(signed_jwt(key_, header_of(key_, "k"), claims), body_of(token_)));
  }

  SigningKey key_ = SigningKey::ed25519();
  crypto::SteadyClock steady_;
  OidcDesk desk_{{issuer()}, steady_};
};

TEST_F(LinesOfAJwt, EndWithItsTime) {
  ends(reading(), "credential", [&] { api_.clock.move(11min); });
}

TEST_F(LinesOfAJwt, EndWithItsKey) {
  ends(reading(), "credential", [&] { publish(SigningKey::ed25519(), "another"); });
}

TEST_F(LinesOfAJwt, EndWithItsSubject) {
  ends(reading(), "credential", [&] {
    EXPECT_EQ(api_.post("admin", "/v1/oidc/revoke",
                        R"({"issuer":"login","subject":"crm-1","reason":"lost"})")
                  .status,
              200);
  });
}

TEST_F(LinesOfAJwt, EndWhereItsRoleIsAnother) {
  ends(reading(), "credential", [&] {
    api_.use_policy(admin_test_policy() + "oidc: [{ issuer: login, subject: crm-1, role: dpo }]\n");
  });
}

// What is refused with the first part is no answer in lines, and all of it is on record.
TEST_F(Lines, AreNotBegunForWhoMayNot) {
  const std::uint64_t before = api_.log().size();
  std::string body = body_of(token_);
  body.replace(body.find("contact"), 7, "billing");
  const AdminResponse answer = api_.lines_with(api_.credentials["support"], body);
  EXPECT_EQ(answer.status, 403);
  EXPECT_FALSE(answer.more);
  std::size_t named = 0;
  for (const auto& entry : api_.entries(before)) named += entry.detail->tokens.size();
  EXPECT_EQ(named, kAsked);
}

}  // namespace
}  // namespace paravent::proxy::admin
