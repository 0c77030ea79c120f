// Four eyes: what needs a second person, who may be that, and what a grant covers.

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "policies/model/load_policy.h"
#include "proxy/admin/grants/case_record.h"
#include "proxy/admin/grants/policy_consent.h"
#include "tests/proxy/admin/admin_testing.h"

namespace paravent::proxy::admin {
namespace {

namespace json = boost::json;
using std::chrono::hours;

std::string policy_with(const std::string& four_eyes) {
  return admin_test_policy() + "four-eyes: { approve: [dpo, auditor], " + four_eyes + " }\n";
}

TEST(Cases, OneOpenedByAClockThatRanAheadIsOver) {
  Case one;
  one.opened = crypto::WallTime(hours(24 * 20'000));
  one.expires = one.opened + hours(72);
  EXPECT_FALSE(is_over(one, one.opened));
  EXPECT_FALSE(is_over(one, one.opened - hours(24))) << "no more than a clock may be wrong by";
  EXPECT_TRUE(is_over(one, one.opened - hours(25)));
  EXPECT_FALSE(is_over(one, one.expires - std::chrono::milliseconds(1)));
  EXPECT_TRUE(is_over(one, one.expires));
}

class Grants {
 public:
  explicit Grants(const std::string& four_eyes) : api(policy_with(four_eyes)) {
    mail = api.token_of("form.mail", "jane@example.org");
    other = api.token_of("form.mail", "joan@example.org");
  }

  json::object ask(const std::string& who, const std::string& more, int status = 201) {
    return call(
        "/v1/grants", who,
        R"({"purpose":"contact","basis":"contract","hours":8,"reason":"case 17",)" + more + "}",
        status);
  }
  json::object call(const std::string& path, const std::string& who, const std::string& body,
                    int status) {
    const AdminResponse response = api.post_with(path, api.credentials.at(who), body);
    EXPECT_EQ(response.status, status) << path << " " << body << " " << response.body;
    return json::parse(response.body).as_object();
  }
  std::string step(const std::string& id, const std::string& verb, const std::string& who,
                   int status = 200) {
    const auto one =
        call("/v1/grants/" + id + "/" + verb, who, R"({"reason":"looked at"})", status);
    const auto* state = one.if_contains("state");
    return state == nullptr ? "" : std::string(state->as_string());
  }
  // An approved grant of support's.
  std::string approved(const std::string& more) {
    const std::string id(ask("support", more).at("id").as_string());
    EXPECT_EQ(step(id, "approve", "dpo"), "approved");
    return id;
  }
  AdminResponse reveal(const std::string& who, const std::vector<std::string>& tokens,
                       const std::string& grant = "", const std::string& purpose = "contact") {
    json::object body{{"purpose", purpose},
                      {"reason", "case 17"},
                      {"tokens", json::array(tokens.begin(), tokens.end())}};
    if (!grant.empty()) body["grant"] = grant;
    return api.reidentify(who, json::serialize(body));
  }
  static std::string reason_of(const AdminResponse& response) {
    return std::string(json::parse(response.body).at("reason").as_string());
  }

  Api api;
  std::string mail;
  std::string other;
};

TEST(FourEyes, APurposeNeedsAGrantThatAnotherApproved) {
  Grants grants("purposes: [contact]");
  const AdminResponse alone = grants.reveal("support", {grants.mail});
  EXPECT_EQ(alone.status, 403);
  EXPECT_EQ(Grants::reason_of(alone), "four-eyes");
  EXPECT_EQ(grants.api.entries(grants.api.log().size() - 1).at(0).detail->remark, "four-eyes");
  const std::string id(
      grants.ask("support", R"("tokens":[")" + grants.mail + R"("])").at("id").as_string());
  EXPECT_EQ(grants.reveal("support", {grants.mail}, id).status, 403) << "not approved yet";
  grants.step(id, "approve", "support", 403);
  EXPECT_EQ(grants.step(id, "approve", "dpo"), "approved");
  const auto results = Api::results(grants.reveal("support", {grants.mail}, id));
  EXPECT_EQ(results.at(0).status + " " + results.at(0).value, "masked j*** @ ***");
  // The quota of one value is used, so the grant is closed.
  EXPECT_EQ(grants.reveal("support", {grants.mail}, id).status, 403);
  const auto shown =
      json::parse(grants.api.get("/v1/grants/" + id, grants.api.credentials["support"]).body);
  EXPECT_EQ(shown.at("state").as_string(), "closed");
  EXPECT_EQ(shown.at("values_revealed").as_int64(), 1);
  EXPECT_EQ(shown.at("reason").as_string(), "case 17");
}

TEST(FourEyes, WhoeverAsksNeverApproves) {
  Grants grants("purposes: [contact]");
  const std::string id(grants.ask("dpo", R"("subjects":1,"values":1)").at("id").as_string());
  grants.step(id, "approve", "dpo", 403);
  EXPECT_EQ(grants.api.entries(grants.api.log().size() - 1).at(0).open.outcome,
            crypto::audit::Outcome::refused);
  grants.step(id, "approve", "admin", 404);  // no approving role, and not theirs: not even there
  EXPECT_EQ(grants.step(id, "approve", "auditor"), "approved");
  grants.step(id, "approve", "auditor", 409);
  grants.step(id, "refuse", "auditor", 409);
  // Approved for one person, not for whoever knows its number.
  EXPECT_EQ(grants.reveal("auditor", {grants.mail}, id).status, 403);
  EXPECT_EQ(Api::results(grants.reveal("dpo", {grants.mail}, id)).at(0).status, "revealed");
}

TEST(FourEyes, ACredentialForOtherPurposesHasNoPartInThem) {
  Grants grants("purposes: [contact]");
  const std::string id(
      grants.ask("support", R"("tokens":[")" + grants.mail + R"("])").at("id").as_string());
  for (const std::string purpose : {"billing", "contact"}) {
    const bool theirs = purpose == "contact";
    // Whoever may approve is not added by one person alone.
    const std::string wanted = R"("name":"for-)" + purpose +
                               R"(","role":"auditor","type":"program","purposes":[")" + purpose +
                               R"("],"reason":"a test")";
    const auto opened = grants.call("/v1/operators", "admin", "{" + wanted + "}", 202);
    const std::string change(opened.at("grant").at("id").as_string());
    grants.step(change, "approve", "dpo");
    const auto made = grants.call("/v1/operators", "admin",
                                  "{" + wanted + R"(,"grant":")" + change + R"("})", 200);
    const std::string credential(made.at("credential").as_string());
    const std::string path = "/v1/grants/" + id;
    EXPECT_EQ(grants.api.get(path, credential).status, theirs ? 200 : 403) << purpose;
    const auto listed = json::parse(grants.api.get("/v1/grants", credential).body);
    EXPECT_EQ(listed.at("grants").as_array().size(), theirs ? 1U : 0U) << purpose;
    const AdminResponse step =
        grants.api.post_with(path + "/approve", credential, R"({"reason":"looked at"})");
    EXPECT_EQ(step.body.find("other purposes") == std::string::npos, theirs) << step.body;
    if (theirs) continue;
    EXPECT_EQ(step.status, 403);
    const auto entry = grants.api.entries(grants.api.log().size() - 1).at(0);
    EXPECT_EQ(entry.open.outcome, crypto::audit::Outcome::refused);
    EXPECT_FALSE(entry.detail->credential.empty());
  }
}

TEST(FourEyes, KindsNeedItWhateverThePurpose) {
  Grants grants("kinds: [phone]");
  const std::string phone = grants.api.token_of("form.phone", "+33612345678");
  const AdminResponse response = grants.reveal("dpo", {grants.mail, phone});
  const auto results = Api::results(response);
  EXPECT_EQ(results.at(0).status, "revealed");
  EXPECT_EQ(results.at(1).status, "refused");
  EXPECT_NE(response.body.find(R"("because":"four-eyes")"), std::string::npos);
  const std::string id(grants.ask("dpo", R"("subjects":1,"values":2)").at("id").as_string());
  grants.step(id, "approve", "auditor");
  EXPECT_EQ(Api::results(grants.reveal("dpo", {phone}, id)).at(0).value, "+33612345678");
}

TEST(FourEyes, ManyPeopleInADayHoweverTheyAreAsked) {
  Grants grants("subjects: 2");
  std::vector<std::string> people;
  for (int i = 0; i < 4; ++i) {
    people.push_back(grants.api.token_of("form.mail", "p" + std::to_string(i) + "@example.org"));
  }
  EXPECT_EQ(grants.reveal("dpo", {people[0], people[1], people[2]}).status, 403);
  EXPECT_EQ(grants.reveal("dpo", {people[0]}).status, 200);
  EXPECT_EQ(grants.reveal("dpo", {people[1], people[0]}).status, 200);
  EXPECT_EQ(grants.reveal("dpo", {people[2]}).status, 403) << "one by one is no way around";
  grants.api.restart();
  EXPECT_EQ(grants.reveal("dpo", {people[2]}).status, 403);
  const std::string id(grants.ask("dpo", R"("subjects":2,"values":2)").at("id").as_string());
  grants.step(id, "approve", "auditor");
  EXPECT_EQ(grants.reveal("dpo", {people[2], people[3]}, id).status, 200);
  grants.api.clock.move(hours(25));
  EXPECT_EQ(grants.reveal("dpo", {people[3]}).status, 200);
}

TEST(FourEyes, ManyPeopleAtTheSameTime) {
  Grants grants("subjects: 2");
  std::vector<std::string> people;
  for (int i = 0; i < 8; ++i) {
    people.push_back(grants.api.token_of("form.mail", "p" + std::to_string(i) + "@example.org"));
  }
  std::atomic<int> given{0};
  std::vector<std::thread> askers;
  for (const std::string& one : people) {
    askers.emplace_back([&] { given += grants.reveal("dpo", {one}).status == 200 ? 1 : 0; });
  }
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(given, 2);
}

TEST(Grant, CoversItsTokensFieldsAndQuota) {
  Grants grants("purposes: [contact]");
  const std::string by_token = grants.approved(R"("tokens":[")" + grants.mail + R"("],"values":9)");
  const AdminResponse mixed = grants.reveal("support", {grants.mail, grants.other}, by_token);
  const auto results = Api::results(mixed);
  EXPECT_EQ(results.at(0).status, "masked");
  EXPECT_EQ(results.at(1).status, "refused");
  EXPECT_NE(mixed.body.find(R"("because":"not-in-grant")"), std::string::npos);

  const std::string by_field =
      grants.approved(R"("fields":["form.phone"],"subjects":9,"values":9)");
  EXPECT_EQ(Api::results(grants.reveal("support", {grants.mail}, by_field)).at(0).status,
            "refused");

  const std::string two = grants.approved(R"("subjects":2,"values":3)");
  EXPECT_EQ(grants.reveal("support", {grants.mail, grants.other}, two).status, 200);
  const std::string third = grants.api.token_of("form.mail", "third@example.org");
  const AdminResponse over = grants.reveal("support", {third}, two);
  EXPECT_EQ(over.status, 403);
  EXPECT_EQ(grants.reveal("support", {grants.mail}, two).status, 200);
  EXPECT_EQ(grants.reveal("support", {grants.mail}, two).status, 403);
}

TEST(Grant, EndsWithItsTimeForGood) {
  Grants grants("purposes: [contact]");
  const std::string id = grants.approved(R"("subjects":5,"values":5)");
  EXPECT_EQ(grants.reveal("support", {grants.mail}, id).status, 200);
  grants.api.clock.move(hours(9));
  EXPECT_EQ(grants.reveal("support", {grants.mail}, id).status, 403);
  grants.api.clock.move(-hours(9));
  EXPECT_EQ(grants.reveal("support", {grants.mail}, id).status, 403);
  grants.api.restart();
  EXPECT_EQ(grants.reveal("support", {grants.mail}, id).status, 403);
  // Nor can one that was never looked at in time be approved later.
  const std::string late(grants.ask("support", R"("subjects":1,"values":1)").at("id").as_string());
  grants.api.clock.move(hours(20));
  grants.step(late, "approve", "dpo", 409);
}

TEST(Grant, RefusedOrClosedIsTheEnd) {
  Grants grants("purposes: [contact]");
  const std::string no(grants.ask("support", R"("subjects":1,"values":1)").at("id").as_string());
  EXPECT_EQ(grants.step(no, "refuse", "dpo"), "refused");
  EXPECT_EQ(grants.reveal("support", {grants.mail}, no).status, 403);
  grants.step(no, "approve", "dpo", 409);
  const std::string mine = grants.approved(R"("subjects":1,"values":1)");
  EXPECT_EQ(grants.step(mine, "close", "support"), "closed");
  EXPECT_EQ(grants.reveal("support", {grants.mail}, mine).status, 403);
}

TEST(Grant, WhatCannotBeAskedFor) {
  Grants grants("purposes: [contact]");
  grants.ask("support", R"("subjects":1)", 400);
  grants.ask("support", R"("subjects":0,"values":1)", 400);
  grants.ask("support", R"("tokens":["no token"])", 400);
  grants.ask("support", R"("subjects":1,"values":1,"fields":["form.nothing"])", 422);
  grants.call(
      "/v1/grants", "support",
      R"({"purpose":"contact","basis":"whim","hours":8,"reason":"r","subjects":1,"values":1})",
      400);
  grants.call(
      "/v1/grants", "support",
      R"({"purpose":"contact","basis":"contract","hours":721,"reason":"r","subjects":1,"values":1})",
      400);
  grants.call(
      "/v1/grants", "support",
      R"({"purpose":"billing","basis":"contract","hours":1,"reason":"r","subjects":1,"values":1})",
      403);
  grants.call("/v1/grants/00000000000000000000000000000001/approve", "dpo", R"({"reason":"r"})",
              404);
  const AdminResponse forged = grants.reveal("dpo", {grants.mail}, "not-an-id");
  EXPECT_EQ(forged.status, 403);
  Api plain;
  EXPECT_EQ(
      plain
          .post_with(
              "/v1/grants", plain.credentials["dpo"],
              R"({"purpose":"contact","basis":"contract","hours":1,"reason":"r","subjects":1,"values":1})")
          .status,
      422);
}

// What a text turned out to be is an answer: each refusal names what was asked for.
TEST(Grant, WhatIsRefusedIsOnRecord) {
  Grants grants("purposes: [contact]");
  const auto refused = [](Api& api, const std::string& more, int status) {
    const std::uint64_t before = api.log().size();
    const AdminResponse answer = api.post(
        "support", "/v1/grants",
        R"({"purpose":"contact","basis":"contract","hours":8,"reason":"case 17",)" + more + "}");
    EXPECT_EQ(answer.status, status) << answer.body;
    ASSERT_EQ(api.log().size(), before + 1) << more;
    const auto entry = api.entries(before).at(0);
    EXPECT_EQ(entry.open.event, crypto::audit::EventKind::grant_change);
    EXPECT_EQ(entry.open.outcome, crypto::audit::Outcome::refused);
    EXPECT_EQ(entry.detail->operator_name + " " + entry.detail->reason, "support case 17");
    EXPECT_EQ(entry.detail->tokens.size(), 1U);
  };
  const std::string named = R"("tokens":[")" + grants.mail;
  refused(grants.api, named + R"(","no token"])", 400);
  refused(grants.api, named + R"("],"fields":["form.nothing"])", 422);
  Api plain;
  refused(plain, R"("tokens":[")" + plain.token_of("form.mail", "jane@example.org") + R"("])", 422);
}

TEST(Grant, IsSeenByWhomItConcerns) {
  Grants grants("purposes: [contact]");
  const std::string id(grants.ask("support", R"("subjects":1,"values":1)").at("id").as_string());
  const auto count = [&](const std::string& who) {
    return json::parse(grants.api.get("/v1/grants", grants.api.credentials[who]).body)
        .at("grants")
        .as_array()
        .size();
  };
  EXPECT_EQ(count("support"), 1U);
  EXPECT_EQ(count("dpo"), 1U);
  EXPECT_EQ(count("admin"), 0U);
  EXPECT_EQ(grants.api.get("/v1/grants/" + id, grants.api.credentials["admin"]).status, 404);
  EXPECT_EQ(grants.api.get("/v1/grants/" + id, grants.api.credentials["stranger"]).status, 403);
}

TEST(Grant, TheRecordOfAClosedOneProvesItself) {
  Grants grants("purposes: [contact]");
  const std::string id = grants.approved(R"("subjects":2,"values":2)");
  const auto path = "/v1/grants/" + id + "/record";
  EXPECT_EQ(grants.api.get(path, grants.api.credentials["dpo"]).status, 409);
  EXPECT_EQ(grants.reveal("support", {grants.mail, grants.other}, id).status, 200);
  const AdminResponse response = grants.api.get(path, grants.api.credentials["dpo"]);
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(response.body.find("jane@"), std::string::npos) << "no value";
  const auto record = json::parse(response.body);
  std::string events;
  for (const auto& event : record.at("events").as_array()) {
    events += std::string(event.at("event").as_string()) + " " +
              std::string(event.at("operator").as_string()) + "; ";
    EXPECT_TRUE(event.at("proof").is_array());
  }
  EXPECT_EQ(events, "grant-change support; grant-change dpo; reveal support; reveal support; ");
  EXPECT_EQ(record.at("checkpoint").as_string(), grants.api.log().checkpoint_in_files().value());
  EXPECT_EQ(record.at("tree_size").as_int64(), static_cast<std::int64_t>(grants.api.log().size()));
  const AdminResponse page =
      grants.api.get(path + "?format=html", grants.api.credentials["support"]);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_NE(page.body.find("<td>support (support)</td>"), std::string::npos);
  EXPECT_NE(page.body.find("case 17"), std::string::npos);
}

// What is asked for in vain may be any number; what was approved is not.
TEST(Grant, TheRecordHoldsWhatWasRevealedAndNothingElse) {
  Grants grants("purposes: [contact]");
  const std::string id = grants.approved(R"("subjects":2,"values":3)");
  const std::vector<std::string> junk(500, "no token");
  const auto ranges = [&] {
    return grants.api.operators->cases().use().all().at(0)->entries.size();
  };
  ASSERT_EQ(ranges(), 2U) << "asked for and approved";
  EXPECT_EQ(grants.reveal("support", junk, id).status, 200);
  EXPECT_EQ(ranges(), 2U);
  std::vector<std::string> texts = junk;
  texts[10] = grants.mail;
  texts[11] = grants.other;
  texts[30] = grants.mail;
  EXPECT_EQ(grants.reveal("support", texts, id).status, 200);
  EXPECT_EQ(ranges(), 4U) << "two that follow each other, and one";
  const auto record = json::parse(
      grants.api.get("/v1/grants/" + id + "/record", grants.api.credentials["dpo"]).body);
  std::string events;
  for (const auto& event : record.at("events").as_array()) {
    events += std::string(event.at("event").as_string()) + " " +
              std::string(event.at("outcome").as_string()) + "; ";
  }
  EXPECT_EQ(events,
            "grant-change done; grant-change done; reveal done; reveal done; reveal done; ");
}

TEST(Grant, ARecordThatIsTooLargeIsNotMade) {
  Grants grants("purposes: [contact]");
  const std::string id = grants.approved(R"("subjects":2,"values":2)");
  grants.step(id, "close", "support");
  {
    auto use = grants.api.operators->cases().use();
    Case large = *use.all().at(0);
    large.entries.push_back({0, kMostRecordEntries});
    ASSERT_TRUE(use.keep(large).has_value());
  }
  for (const char* form : {"", "?format=html"}) {
    const AdminResponse answer =
        grants.api.get("/v1/grants/" + id + "/record" + form, grants.api.credentials["dpo"]);
    EXPECT_EQ(answer.status, 400) << form;
    EXPECT_EQ(Grants::reason_of(answer), "too-large");
  }
}

TEST(Grant, NobodyHasAnyNumberThatNobodyDecidedAbout) {
  Grants grants("purposes: [contact]");
  const std::string quota = R"("subjects":1,"values":1)";
  std::vector<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    ids.emplace_back(grants.ask("support", quota).at("id").as_string());
  }
  EXPECT_EQ(grants.ask("support", quota, 409).at("reason").as_string(), "too-many-grants");
  grants.ask("dpo", quota);  // whose own they are not
  grants.step(ids[0], "refuse", "dpo");
  grants.ask("support", quota);
  // Taken back is not decided about: otherwise there would be no end of them.
  grants.step(ids[1], "close", "support");
  grants.ask("support", quota, 409);
  grants.api.clock.move(hours(25));
  grants.ask("support", quota);
}

TEST(Grant, AReasonCannotWriteIntoThePage) {
  Grants grants("purposes: [contact]");
  const auto made = grants.call(
      "/v1/grants", "support",
      R"({"purpose":"contact","basis":"contract","hours":8,"reason":"<script>&\"</td>","subjects":1,"values":1})",
      201);
  const std::string id(made.at("id").as_string());
  grants.step(id, "refuse", "dpo");
  const AdminResponse page =
      grants.api.get("/v1/grants/" + id + "/record?format=html", grants.api.credentials["dpo"]);
  EXPECT_EQ(page.body.find("<script>"), std::string::npos);
  EXPECT_NE(page.body.find("&lt;script&gt;&amp;&quot;"), std::string::npos);
}

TEST(Grant, WithoutARecordNothingMoves) {
  Grants grants("purposes: [contact]");
  const std::string id = grants.approved(R"("subjects":1,"values":1)");
  std::filesystem::remove_all(grants.api.folder.path() / "audit");
  EXPECT_EQ(grants.reveal("support", {grants.mail}, id).status, 503);
  const auto kept = grants.api.operators->cases().use();
  EXPECT_EQ(kept.all().at(0)->values, 0U);
}

TEST(Change, AnOperatorIsMadeByTwo) {
  Grants grants("purposes: [contact]");
  const std::string wanted = R"("name":"crm","role":"support","type":"program","reason":"r")";
  const auto opened = grants.call("/v1/operators", "admin", "{" + wanted + "}", 202);
  const std::string id(opened.at("grant").at("id").as_string());
  EXPECT_EQ(opened.at("grant").at("change").as_string(), "add program crm with the role support");
  EXPECT_FALSE(grants.api.operators->find("crm").has_value());
  const std::string with = "{" + wanted + R"(,"grant":")" + id + "\"}";
  grants.call("/v1/operators", "admin", with, 403);
  grants.step(id, "approve", "dpo");
  // Approved for exactly this, and once.
  grants.call("/v1/operators", "admin",
              R"({"name":"crm","role":"dpo","type":"program","reason":"r","grant":")" + id + "\"}",
              403);
  grants.call("/v1/operators", "admin", with, 200);
  EXPECT_TRUE(grants.api.operators->find("crm").has_value());
  grants.call("/v1/operators/crm/credentials", "admin", R"({"reason":"r","grant":")" + id + "\"}",
              403);
  EXPECT_EQ(grants.call("/v1/operators/crm/credentials", "admin", R"({"reason":"r"})", 202)
                .at("grant")
                .at("change")
                .as_string(),
            "credential for crm");
  grants.call("/v1/operators/dpo/invite", "admin", R"({"reason":"r"})", 202);
  // What takes away needs nobody else.
  grants.call("/v1/operators/crm/revoke", "admin", R"({"reason":"r"})", 200);
  const auto record = grants.api.get("/v1/grants/" + id + "/record", grants.api.credentials["dpo"]);
  EXPECT_NE(record.body.find("add program crm"), std::string::npos);
}

TEST(Change, AdminAndApproverAreNeverOne) {
  Grants grants("purposes: [contact]");
  const auto opened =
      grants.call("/v1/operators/dpo/credentials", "admin", R"({"reason":"r"})", 202);
  const std::string id(opened.at("grant").at("id").as_string());
  grants.step(id, "approve", "admin", 403);
  grants.step(id, "approve", "support", 404);
  grants.step(id, "refuse", "auditor");
  grants.call("/v1/operators/dpo/credentials", "admin", R"({"reason":"r","grant":")" + id + "\"}",
              403);
}

TEST(Change, TheFirstApproverIsMadeByOne) {
  std::string text = admin_test_policy();
  text.replace(text.find("roles:\n"), 7, "roles:\n  legal: { reveal: clear }\n");
  Api api(text + "four-eyes: { approve: [legal], purposes: [contact] }\n");
  const auto add = [&](const std::string& name) {
    return api
        .post_with("/v1/operators", api.credentials["admin"],
                   R"({"name":")" + name + R"(","role":"legal","type":"program","reason":"r"})")
        .status;
  };
  EXPECT_EQ(add("first"), 200);
  EXPECT_EQ(add("second"), 202);
  // Sending the approver away is no way around.
  EXPECT_EQ(
      api.post_with("/v1/operators/first/revoke", api.credentials["admin"], R"({"reason":"r"})")
          .status,
      200);
  EXPECT_EQ(add("third"), 202);
}

// Who comes by another issuer could approve, so the first local one needs that as well.
TEST(Change, AnIssuersSubjectIsAnApproverToo) {
  std::string text = admin_test_policy();
  text.replace(text.find("roles:\n"), 7, "roles:\n  legal: { reveal: clear }\n");
  Api api(text +
          "four-eyes: { approve: [legal], purposes: [contact] }\n"
          "oidc:\n  - { issuer: login, subject: boss, role: legal }\n");
  EXPECT_EQ(api.post_with("/v1/operators", api.credentials["admin"],
                          R"({"name":"x","role":"legal","type":"program","reason":"r"})")
                .status,
            202);
}

policies::Policy policy_of(const std::string& text) {
  auto loaded = policies::load_policy_text("test.yaml", text);
  EXPECT_TRUE(loaded.ok()) << policies::diagnostics_text(loaded.diagnostics);
  return std::move(loaded.policy);
}

Operator by(const std::string& name) { return {name, {}, "admin", {}, "0123456789ab"}; }

TEST(Consent, AWiderPolicyWaitsForASecondPerson) {
  Grants grants("purposes: [contact]");
  Api& api = grants.api;
  const std::string text = policy_with("purposes: [contact]");
  const policies::Policy before = policy_of(text);
  std::string wider_text = text;
  wider_text.replace(wider_text.find("reveal: masked"), 14, "reveal: clear ");
  const policies::Policy wider = policy_of(wider_text);
  std::string narrower_text = text;
  narrower_text.replace(narrower_text.find("reveal: clear"), 13, "reveal: masked");
  const policies::Policy narrower = policy_of(narrower_text);
  PolicyConsent consent(api.folder.path(), *api.operators, *api.logs);
  const auto load = [&](const policies::Policy& policy, const std::string& author) {
    const auto status = consent.check({{api.tenant, &policy, std::string(64, 'a')}}, by(author));
    return status ? std::string("done") : status.error().sentence();
  };
  EXPECT_EQ(load(wider, "admin"), "done") << "nothing was in force";
  ASSERT_TRUE(consent.keep({{api.tenant, &before, {}}}).has_value());
  EXPECT_EQ(load(before, ""), "done");
  EXPECT_EQ(load(narrower, "SIGHUP"), "done");
  EXPECT_NE(load(wider, "").find("Put the earlier one back"), std::string::npos);
  EXPECT_NE(load(wider, "SIGHUP").find("Put the earlier one back"), std::string::npos);
  EXPECT_NE(load(wider, "admin").find("may see support contact active"), std::string::npos);
  load(wider, "admin");  // again: no second grant
  const auto listed = json::parse(api.get("/v1/grants", api.credentials["dpo"]).body);
  const auto& all = listed.at("grants").as_array();
  ASSERT_EQ(all.size(), 1U);
  const std::string id(all[0].at("id").as_string());
  EXPECT_EQ(all[0].at("change").as_string(), "load policy " + std::string(64, 'a'));
  grants.step(id, "approve", "dpo");
  // After a restart too, and then it is used up.
  PolicyConsent again(api.folder.path(), *api.operators, *api.logs);
  EXPECT_TRUE(again.check({{api.tenant, &wider, std::string(64, 'a')}}, by("")).has_value());
  EXPECT_FALSE(again.check({{api.tenant, &wider, std::string(64, 'a')}}, by("")).has_value());
  // Four eyes cannot be taken away by one person either.
  const policies::Policy without = policy_of(admin_test_policy());
  EXPECT_NE(load(without, "admin").find("limit alone purpose contact"), std::string::npos);
}

TEST(Consent, AnAlteredMemoryOfWhatWasInForceIsRefused) {
  Grants grants("purposes: [contact]");
  Api& api = grants.api;
  const policies::Policy policy = policy_of(policy_with("purposes: [contact]"));
  PolicyConsent consent(api.folder.path(), *api.operators, *api.logs);
  ASSERT_TRUE(consent.keep({{api.tenant, &policy, {}}}).has_value());
  std::ofstream(api.folder.path() / ("terms-" + crypto::vault::id_hex(api.tenant)), std::ios::app)
      << "x";
  EXPECT_EQ(consent.check({{api.tenant, &policy, {}}}, by("admin")).error().kind(),
            crypto::ErrorKind::data);
}

}  // namespace
}  // namespace paravent::proxy::admin
