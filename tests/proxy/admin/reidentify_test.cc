// POST /v1/reidentify: statuses, what goes on the record before anything is given out, and that
// without a record nothing is.

#include <gtest/gtest.h>

#include "crypto/tokens/token_text.h"
#include "tests/proxy/admin/admin_testing.h"

namespace paravent::proxy::admin {
namespace {

using crypto::audit::EventKind;

constexpr std::string_view kMail = "jane.doe@example.org";

TEST(Reidentify, AStatusForEveryToken) {
  Api api;
  const std::string mail = api.token_of("form.mail", kMail);
  const std::string phone = api.token_of("form.phone", "+33612345678");
  const std::string message = api.token_of("form.message", "Hello \"there\"\n\xC3\xA9");
  const std::string raw = api.token_of("form.message", "\xFF\xFE not text");
  const std::string city = api.token_of("form.city", "Lyon");
  std::string damaged = mail;
  damaged.back() = damaged.back() == 'q' ? 'p' : 'q';
  const auto results =
      Api::results(api.reidentify("dpo", "contact",
                                  {mail, mail + "@paravent.invalid", phone, message, raw, city,
                                   damaged, "", "pvv1", api.unknown_token("form.mail")}));
  ASSERT_EQ(results.size(), 10U);
  const std::vector<std::string> mail_fields = {"form.email", "form.mail"};
  EXPECT_EQ(results[0].token, mail);
  EXPECT_EQ(results[0].status + " " + results[0].kind + " " + results[0].value,
            "revealed email " + std::string(kMail));
  EXPECT_EQ(results[0].fields, mail_fields);
  EXPECT_EQ(results[1].token, mail + "@paravent.invalid");
  EXPECT_EQ(results[1].value, kMail);
  EXPECT_EQ(results[2].status + " " + results[2].kind + " " + results[2].value,
            "revealed phone +33612345678");
  EXPECT_EQ(results[2].fields, std::vector<std::string>{"form.phone"});
  EXPECT_EQ(results[3].value, "Hello \"there\"\n\xC3\xA9");
  EXPECT_EQ(results[3].encoding, "-");
  EXPECT_EQ(results[4].value + " " + results[4].encoding, "//4gbm90IHRleHQ= base64");
  EXPECT_EQ(results[5].status, "refused");  // one way
  for (const std::size_t i : {6U, 7U, 8U}) EXPECT_EQ(results[i].status, "malformed") << i;
  EXPECT_EQ(results[9].status, "unavailable");
  for (std::size_t i = 5; i < results.size(); ++i) {
    EXPECT_EQ(results[i].value + results[i].kind, "--") << i;
    EXPECT_TRUE(results[i].fields.empty());
  }
  const auto counts = api.api->counters().read();
  EXPECT_EQ(counts.at({"dpo", "contact", "revealed"}), 5U);
  EXPECT_EQ(counts.at({"dpo", "contact", "malformed"}), 3U);
  EXPECT_EQ(counts.at({"dpo", "contact", "unavailable"}), 1U);
  EXPECT_EQ(counts.at({"dpo", "contact", "refused"}), 1U);
}

TEST(Reidentify, AtTheLevelOfTheRole) {
  Api api;
  const std::string mail = api.token_of("form.mail", kMail);
  const auto masked = Api::results(api.reidentify("support", "contact", {mail}));
  EXPECT_EQ(masked.at(0).status + " " + masked.at(0).value, "masked j*** @ ***");
  const auto replaced = Api::results(api.reidentify("auditor", "contact", {mail}));
  EXPECT_EQ(replaced.at(0).status + " " + replaced.at(0).value, "replaced [withheld]");
}

TEST(Reidentify, AShapedTextIsItsToken) {
  Api api;
  const std::string mail = api.token_of("form.mail", kMail);
  std::vector<std::string> texts;
  for (const auto shape : {crypto::Shape::phone, crypto::Shape::digits, crypto::Shape::uuid,
                           crypto::Shape::hex16, crypto::Shape::alphanumeric}) {
    texts.push_back(api.shaped("form.mail", kMail, shape));
  }
  const std::uint64_t before = api.log().size();
  const auto results = Api::results(api.reidentify("dpo", "contact", texts));
  ASSERT_EQ(results.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(results[i].token, texts[i]);
    // Of phone numbers and numbers there are so few that a mistyped one may be another person's.
    const std::string status = i < 2 ? "unverified " : "revealed ";
    EXPECT_EQ(results[i].status + " " + results[i].value, status + std::string(kMail));
    EXPECT_EQ(results[i].fields, (std::vector<std::string>{"form.email", "form.mail"}));
  }
  // On the record they are the token, whatever their shape.
  const auto digest = crypto::reveal::token_digest(crypto::parse_token(mail).value());
  for (const auto& entry : api.entries(before)) {
    EXPECT_EQ(entry.open.event, EventKind::reveal);
    EXPECT_EQ(entry.detail->tokens.at(0).digest, digest);
  }
  std::string unknown = texts[2];
  unknown.back() = unknown.back() == '0' ? '1' : '0';
  const auto others =
      Api::results(api.reidentify("dpo", "contact", {unknown, texts[2] + "0", "+33612345678"}));
  EXPECT_EQ(others[0].status, "unavailable");
  EXPECT_EQ(others[1].status, "malformed");
  EXPECT_EQ(others[2].status, "malformed");
  EXPECT_EQ(Api::results(api.reidentify("dpo", "billing", {texts[2]})).at(0).status, "unavailable");
  EXPECT_EQ(Api::results(api.reidentify("support", "contact", {texts[2]})).at(0).status, "masked");
}

TEST(Reidentify, AValueNeedsAFieldWhoseTextsNameNoKey) {
  Api api;
  const std::uint64_t before = api.log().size();
  const auto results = Api::results(api.reidentify(
      "dpo", R"({"purpose":"contact","reason":"case 17","values":[)"
             R"({"value":"v","field":"form.nothing"},{"value":"v","field":"form.mail"},)"
             R"({"value":"v","field":"form.phone","as_of":"yesterday"}]})"));
  ASSERT_EQ(results.size(), 3U);
  for (const auto& result : results) EXPECT_EQ(result.status, "malformed");
  EXPECT_EQ(api.log().size(), before + 3);
}

TEST(Reidentify, AValueWithoutAKeyIdIsUnverified) {
  Api api;
  const std::string mobile = api.token_of("form.mobile", "+33612345678");
  const auto ask = [&](const std::string& who, const std::string& more) {
    return Api::results(
        api.reidentify(who, R"({"purpose":"contact","reason":"case 17","values":[{"value":")" +
                                mobile + R"(","field":"form.mobile")" + more + "}]}"));
  };
  const std::uint64_t before = api.log().size();
  const auto results = ask("dpo", "");
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].token, mobile);
  EXPECT_EQ(results[0].status + " " + results[0].value, "unverified +33612345678");
  EXPECT_EQ(results[0].kind, "phone");
  EXPECT_EQ(results[0].fields, std::vector<std::string>{"form.mobile"});
  const auto entries = api.entries(before);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].open.event, EventKind::reveal);
  EXPECT_EQ(entries[0].detail->tokens.size(), 1U);
  EXPECT_EQ(ask("support", "")[0].status, "unverified");
  EXPECT_NE(ask("support", "")[0].value, "+33612345678");
  EXPECT_EQ(ask("auditor", "")[0].status, "replaced");
  EXPECT_EQ(ask("dpo", R"(,"route":"form")")[0].status, "unverified");
  EXPECT_EQ(ask("dpo", R"(,"route":"other")")[0].status, "malformed");
  EXPECT_EQ(ask("dpo", R"(,"as_of":"2020-01-01")")[0].status, "unavailable");
  for (const char* day : {"2026-11", "2026-W47", "none", "yesterday", "2026-02-30", "2026-1-1"}) {
    const auto wrong = ask("dpo", R"(,"as_of":")" + std::string(day) + "\"");
    EXPECT_EQ(wrong[0].status, "malformed") << day;
  }
  // As a bare token it says nothing to anybody.
  EXPECT_EQ(Api::results(api.reidentify("dpo", "contact", {mobile})).at(0).status, "malformed");
}

TEST(Reidentify, AnotherPurposeKnowsNothing) {
  Api api;
  const std::string mail = api.token_of("form.mail", kMail);
  const auto results = Api::results(api.reidentify("dpo", "billing", {mail}));
  EXPECT_EQ(results.at(0).status, "unavailable");
  EXPECT_EQ(results.at(0).value, "-");
}

// Another tenant's, one's own key id with an id of nobody, and a key id of nobody: one answer, and
// one entry of one size, but for the token that was asked for.
TEST(Reidentify, AForeignTokenLeavesWhatAnUnknownOneDoes) {
  Api api;
  const std::vector<crypto::vault::PolicyNames> other{{"other", {"crm"}, {"contact"}}};
  ASSERT_TRUE(api.vault->register_names(other));
  const crypto::vault::ContextSpec spec{"crm",
                                        "contact",
                                        "email",
                                        crypto::Kind::email,
                                        crypto::Algorithm::vault_token,
                                        crypto::EpochLength::none};
  const auto bound = api.vault->bind("other", std::span(&spec, 1)).value();
  const std::string unknown = api.unknown_token("form.mail");
  std::string foreign;
  std::string nobodys;
  const std::uint32_t foreign_key = bound.front().key.key_id;
  const std::uint32_t own_key = crypto::parse_token(unknown)->key_id;
  crypto::write_vault_token(foreign_key, crypto::vault::random_id(), foreign);
  crypto::write_vault_token(foreign_key ^ own_key ^ 1U, crypto::vault::random_id(), nobodys);
  std::vector<std::string> answers;
  std::vector<crypto::audit::AuditDetail> details;
  std::vector<std::size_t> sizes;
  for (const std::string& token : {unknown, foreign, nobodys}) {
    const std::uint64_t before = api.log().size();
    std::string body = api.reidentify("dpo", "contact", {token}).body;
    ASSERT_NE(body.find(token), std::string::npos);
    answers.push_back(body.replace(body.find(token), token.size(), "TOKEN"));
    const auto entries = api.entries(before);
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0].open.event, EventKind::refusal);
    details.push_back(*entries[0].detail);
    ASSERT_EQ(details.back().tokens.size(), 1U);
    sizes.push_back(crypto::audit::encode_detail(details.back(), crypto::Bytes(32, 1)).size());
    EXPECT_EQ(details.back().tokens[0].key_id, crypto::parse_token(token)->key_id);
    details.back().tokens.clear();
  }
  EXPECT_NE(answers[0].find("unavailable"), std::string::npos);
  for (std::size_t i = 1; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i], answers[0]);
    EXPECT_EQ(details[i], details[0]);
    EXPECT_EQ(sizes[i], sizes[0]);
  }
  EXPECT_EQ(api.api->counters().read().at({"dpo", "contact", "unavailable"}), 3U);
}

TEST(Reidentify, BarredAltogether) {
  Api api;
  const std::string mail = api.token_of("form.mail", kMail);
  const std::uint64_t before = api.log().size();
  EXPECT_EQ(api.reidentify("", "contact", {mail}).status, 401);
  EXPECT_EQ(api.log().size(), before) << "who is nobody leaves no entry in a tenant's log";
  EXPECT_EQ(api.reidentify("stranger", "contact", {mail}).status, 403);
  EXPECT_EQ(api.reidentify("admin", "contact", {mail}).status, 403);
  EXPECT_EQ(api.reidentify("support", "billing", {mail}).status, 403);
  EXPECT_EQ(api.reidentify("dpo", "curiosity", {mail}).status, 403);
  const auto entries = api.entries(before);
  ASSERT_EQ(entries.size(), 3U);
  for (const auto& entry : entries) {
    EXPECT_EQ(entry.open.event, EventKind::refusal);
    EXPECT_EQ(entry.open.outcome, crypto::audit::Outcome::refused);
    EXPECT_EQ(entry.detail->reason, "case 17");
    EXPECT_EQ(entry.detail->tokens.size(), 1U);
  }
  EXPECT_EQ(entries[0].detail->operator_name, "admin");
  EXPECT_EQ(entries[2].detail->purpose, "curiosity");
  // A purpose of the client's own invention is no label.
  for (const auto& [key, count] : api.api->counters().read()) {
    EXPECT_NE(std::get<1>(key), "curiosity");
  }
}

TEST(Reidentify, EveryTokenIsOnTheRecord) {
  Api api;
  const std::string mail = api.token_of("form.mail", kMail);
  const std::uint64_t before = api.log().size();
  const AdminResponse response =
      api.reidentify("dpo", "contact", {mail, "junk", api.unknown_token("form.mail")});
  ASSERT_EQ(Api::results(response).at(0).status, "revealed");
  const auto entries = api.entries(before);
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].open.event, EventKind::reveal);
  EXPECT_EQ(entries[0].open.outcome, crypto::audit::Outcome::done);
  EXPECT_EQ(entries[0].detail->tokens.size(), 1U);
  EXPECT_EQ(entries[0].detail->operator_name + entries[0].detail->role + entries[0].detail->purpose,
            "dpodpocontact");
  EXPECT_EQ(entries[1].open.event, EventKind::refusal);
  EXPECT_EQ(entries[1].detail->remark, "malformed");
  EXPECT_EQ(entries[2].detail->remark, "unavailable");
  EXPECT_EQ(entries[2].detail->tokens.size(), 1U);
  for (const auto& entry : entries) {
    const auto& detail = *entry.detail;
    const std::string all = detail.reason + detail.subject + detail.object + detail.remark +
                            detail.grant + detail.operator_name;
    EXPECT_EQ(all.find("jane"), std::string::npos);
    EXPECT_EQ(all.find("junk"), std::string::npos);
    EXPECT_EQ(all.find(mail), std::string::npos);
  }
}

TEST(Reidentify, WithoutARecordNothingIsGivenOut) {
  Api api;
  const std::string mail = api.token_of("form.mail", kMail);
  const auto audit = api.folder.path() / "audit";
  // The log's folder is gone: nothing can be written.
  std::filesystem::rename(audit, api.folder.path() / "elsewhere");
  const std::uint64_t before = api.log().size();
  for (const char* purpose : {"contact", "curiosity"}) {
    const AdminResponse response = api.reidentify("dpo", purpose, {mail});
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.body.find("jane"), std::string::npos) << response.body;
    EXPECT_NE(response.body.find("audit-unavailable"), std::string::npos);
  }
  EXPECT_EQ(api.log().size(), before);
  EXPECT_EQ(api.api->counters().read().count({"dpo", "contact", "revealed"}), 0U);
  std::filesystem::rename(api.folder.path() / "elsewhere", audit);
  const auto again = Api::results(api.reidentify("dpo", "contact", {mail}));
  EXPECT_EQ(again.at(0).value, kMail);
}

TEST(Reidentify, ABodyThatCannotBeReadNamesTheMember) {
  Api api;
  const std::uint64_t before = api.log().size();
  const AdminResponse response =
      api.reidentify("dpo", R"({"purpose":"contact","reason":" ","tokens":["secret"]})");
  EXPECT_EQ(response.status, 400);
  EXPECT_NE(response.body.find("reason"), std::string::npos);
  EXPECT_EQ(response.body.find("secret"), std::string::npos);
  EXPECT_EQ(api.log().size(), before);
}

TEST(Reidentify, TheMostTokensAtOnce) {
  Api api;
  const std::string mail = api.token_of("form.mail", kMail);
  std::vector<std::string> tokens(10'000, mail);
  const std::uint64_t before = api.log().size();
  EXPECT_EQ(Api::results(api.reidentify("dpo", "contact", tokens)).size(), 10'000U);
  EXPECT_EQ(api.log().size(), before + 10'000);
  tokens.push_back(mail);
  EXPECT_EQ(api.reidentify("dpo", "contact", tokens).status, 400);
  EXPECT_EQ(api.log().size(), before + 10'000);
}

}  // namespace
}  // namespace paravent::proxy::admin
