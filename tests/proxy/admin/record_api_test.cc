// Entries, checkpoints and proofs of the audit logs by API: who sees what, and that a client can
// verify it with the public key alone. The dossier.

#include "proxy/admin/record_api.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "crypto/audit/log_proof.h"
#include "crypto/base/encoding.h"
#include "proxy/admin/audit_entry_json.h"
#include "proxy/admin/dossier.h"
#include "tests/proxy/admin/admin_testing.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;
namespace json = boost::json;

json::object parsed(const AdminResponse& response) {
  EXPECT_EQ(response.status, 200) << response.body;
  return response.status == 200 ? json::parse(response.body).as_object() : json::object();
}

std::string text(const json::value& value) { return std::string(value.as_string()); }

audit::Hash hash_of(const json::value& value) {
  return *audit::hash_from_bytes(*crypto::from_base64(text(value)));
}

std::vector<audit::Hash> hashes_of(const json::value& value) {
  std::vector<audit::Hash> hashes;
  for (const auto& one : value.as_array()) hashes.push_back(hash_of(one));
  return hashes;
}

// An API with 250 reveals of one token by the dpo on record, and one refusal of support's.
struct Recorded : Api {
  Recorded() {
    token = token_of("form.mail", "anne@example.fr");
    EXPECT_EQ(reidentify("dpo", "contact", std::vector<std::string>(250, token)).status, 200);
    EXPECT_EQ(reidentify("support", "billing", {token}).status, 403);
  }
  json::object entries_page(const std::string& query, const std::string& who = "dpo") {
    return parsed(get("/v1/audit/entries" + query, credentials.at(who)));
  }
  std::string token;
};

TEST(RecordApi, EntriesPageByPage) {
  Recorded api;
  const json::object first = api.entries_page("");
  EXPECT_EQ(first.at("entries").as_array().size(), 100U);
  EXPECT_EQ(first.at("next").as_int64(), 100);
  EXPECT_EQ(first.at("size").as_int64(), 251);
  EXPECT_EQ(text(first.at("log")), crypto::vault::id_hex(api.tenant));
  std::int64_t seen = 0;
  for (std::int64_t next = 0;;) {
    const json::object page = api.entries_page("?count=77&from=" + std::to_string(next));
    for (const auto& entry : page.at("entries").as_array()) {
      EXPECT_EQ(entry.at("index").as_int64(), seen++);
    }
    if (!page.contains("next")) break;
    next = page.at("next").as_int64();
  }
  EXPECT_EQ(seen, 251);
  const json::object last = api.entries_page("?from=250&count=1");
  const json::object& refusal = last.at("entries").as_array().front().as_object();
  EXPECT_EQ(text(refusal.at("event")), "refusal");
  EXPECT_EQ(text(refusal.at("operator")), "support");
  EXPECT_EQ(text(refusal.at("reason")), "case 17");
  EXPECT_FALSE(last.contains("next"));
  EXPECT_EQ(api.entries_page("?from=251").at("entries").as_array().size(), 0U);
  // Nothing of the value, nothing of the token's text.
  const AdminResponse all = api.get("/v1/audit/entries?count=1000", api.credentials.at("dpo"));
  EXPECT_EQ(all.body.find("anne@example"), std::string::npos);
  EXPECT_EQ(all.body.find(api.token), std::string::npos);
}

TEST(RecordApi, WhoReadsWhat) {
  Recorded api;
  EXPECT_EQ(api.get("/v1/audit/entries", api.credentials.at("support")).status, 403);
  EXPECT_EQ(api.get("/v1/audit/entries").status, 401);
  EXPECT_EQ(api.get("/v1/audit/entries?log=installation", api.credentials.at("dpo")).status, 403);
  EXPECT_EQ(api.get("/v1/audit/entries", api.credentials.at("stranger")).status, 404);
  // The administrator of keys sees that there were reveals, not whose.
  const json::object page = api.entries_page("?count=1", "admin");
  const json::object& entry = page.at("entries").as_array().front().as_object();
  EXPECT_EQ(text(entry.at("detail")), "withheld");
  EXPECT_FALSE(entry.contains("operator"));
  const json::object installation = api.entries_page("?log=installation", "admin");
  const json::object& known = installation.at("entries").as_array().front().as_object();
  EXPECT_EQ(text(known.at("event")), "log-checkpoint");
  EXPECT_EQ(text(known.at("object")), api.log().key().text());
  // Checkpoints and proofs say nothing, and are for every operator.
  EXPECT_EQ(api.get("/v1/audit/checkpoint", api.credentials.at("support")).status, 200);
  EXPECT_EQ(api.get("/v1/audit/proof/inclusion?index=0", api.credentials.at("support")).status,
            200);
}

TEST(RecordApi, QueriesAreStrict) {
  Recorded api;
  const std::string& dpo = api.credentials.at("dpo");
  for (const char* query :
       {"?count=0", "?count=1001", "?count=-1", "?count=01", "?count=", "?count=1&count=1",
        "?from=252", "?from=99999999999999999999", "?log=other", "?page=1", "?from=1;count=2",
        "?from=%zz", "?from=0x10"}) {
    EXPECT_EQ(api.get(std::string("/v1/audit/entries") + query, dpo).status, 400) << query;
  }
  for (const char* query : {"", "?index=251", "?index=1&size=1", "?index=1&size=252", "?size=3",
                            "?index=1&size=0", "?index=a"}) {
    EXPECT_EQ(api.get(std::string("/v1/audit/proof/inclusion") + query, dpo).status, 400) << query;
  }
  for (const char* query : {"", "?to=3", "?from=4&to=3", "?from=1&to=252", "?from=252"}) {
    EXPECT_EQ(api.get(std::string("/v1/audit/proof/consistency") + query, dpo).status, 400)
        << query;
  }
  EXPECT_EQ(api.get("/v1/audit/checkpoint?from=1", dpo).status, 400);
}

TEST(RecordApi, AClientVerifiesEveryEntryWithThePublicKeyAlone) {
  Recorded api;
  const std::string& dpo = api.credentials.at("dpo");
  for (const int index : {0, 1, 127, 250}) {
    const json::object answer =
        parsed(api.get("/v1/audit/proof/inclusion?index=" + std::to_string(index), dpo));
    audit::InclusionProof proof;
    proof.leaf = crypto::as_text(*crypto::from_base64(text(answer.at("leaf"))));
    proof.index = static_cast<std::uint64_t>(answer.at("index").as_int64());
    proof.hashes = hashes_of(answer.at("proof"));
    proof.checkpoint = text(answer.at("checkpoint"));
    const auto proven = audit::verify_inclusion_proof(proof, api.log().key());
    ASSERT_TRUE(proven.has_value()) << proven.error().sentence();
    EXPECT_EQ(proven->checkpoint.size, 251U);
    // The leaf of the entries page is the one that is proved.
    const json::object page = api.entries_page("?count=1&from=" + std::to_string(index));
    EXPECT_EQ(text(page.at("entries").as_array().front().at("leaf")), text(answer.at("leaf")));
  }
}

TEST(RecordApi, EverySizeContinuesEveryEarlierOne) {
  Api api;
  const std::string& dpo = api.credentials.at("dpo");
  std::vector<audit::Checkpoint> saved;
  for (int i = 0; i < 9; ++i) {
    saved.push_back(
        *audit::open_checkpoint(api.get("/v1/audit/checkpoint", dpo).body, api.log().key()));
    EXPECT_EQ(api.reidentify("dpo", "contact", {"pvv1nothing"}).status, 200);
  }
  for (const audit::Checkpoint& from : saved) {
    for (const audit::Checkpoint& to : saved) {
      const AdminResponse answer =
          api.get("/v1/audit/proof/consistency?from=" + std::to_string(from.size) +
                      "&to=" + std::to_string(to.size),
                  dpo);
      EXPECT_EQ(answer.status == 200, from.size <= to.size);
      if (answer.status != 200) continue;
      const auto proof = hashes_of(parsed(answer).at("proof"));
      EXPECT_TRUE(
          audit::verify_consistency(from.size, to.size, from.root, to.root, proof).has_value())
          << from.size << " " << to.size;
    }
  }
  const json::object latest = parsed(api.get("/v1/audit/proof/consistency?from=3", dpo));
  EXPECT_EQ(latest.at("to").as_int64(), 9);
  EXPECT_TRUE(latest.contains("checkpoint"));
}

TEST(RecordApi, ADossierSaysWhatAnOperatorTouched) {
  Recorded api;
  const std::string other = api.token_of("form.phone", "+33612345678");
  EXPECT_EQ(api.reidentify("support", "contact", {api.token, other, "pvv1nothing"}).status, 200);
  const json::object dossier =
      parsed(api.post("dpo", "/v1/dossier", R"({"operator":"support","reason":"lost telephone"})"));
  EXPECT_EQ(dossier.at("entries").as_array().size(), 4U);
  EXPECT_EQ(dossier.at("tokens").as_array().size(), 2U);
  EXPECT_EQ(dossier.at("kinds").as_object(), (json::object{{"email", 1}, {"phone", 1}}));
  EXPECT_EQ(dossier.at("purposes").at("contact").as_int64(), 3);
  EXPECT_EQ(dossier.at("events").at("refusal").as_int64(), 2);
  EXPECT_EQ(text(dossier.at("asked").at("reason")), "lost telephone");
  // Each entry with its proof, which leads to the signed checkpoint.
  for (const auto& entry : dossier.at("entries").as_array()) {
    audit::InclusionProof proof;
    proof.leaf = crypto::as_text(*crypto::from_base64(text(entry.at("leaf"))));
    proof.index = static_cast<std::uint64_t>(entry.at("index").as_int64());
    proof.hashes = hashes_of(entry.at("proof"));
    proof.checkpoint = text(dossier.at("checkpoint"));
    EXPECT_TRUE(audit::verify_inclusion_proof(proof, api.log().key()).has_value());
  }
  // It is itself on the record.
  const auto records = api.entries(0);
  EXPECT_EQ(records.back().open.event, audit::EventKind::record_export);
  EXPECT_EQ(records.back().detail->object, "dossier of support");
}

// Of two credentials of one operator, one was stolen.
TEST(RecordApi, ADossierByCredential) {
  Recorded api;
  const json::object listed = parsed(api.get("/v1/operators", api.credentials["admin"]));
  std::string mine;
  for (const auto& one : listed.at("operators").as_array()) {
    if (text(one.at("name")) != "support") continue;
    mine = text(one.at("credentials").as_array().front().at("id"));
  }
  ASSERT_EQ(mine.size(), 12U);
  const json::object made = parsed(
      api.post("admin", "/v1/operators/support/credentials", R"({"reason":"a second one"})"));
  const std::string second = text(made.at("id"));
  const std::string body =
      R"({"purpose":"contact","reason":"x","tokens":[")" + api.token + R"(","pvv1nothing"]})";
  ASSERT_EQ(api.post_with("/v1/reidentify", text(made.at("credential")), body).status, 200);
  const auto dossier = [&](const std::string& credential) {
    return parsed(api.post("dpo", "/v1/dossier",
                           R"({"credential":")" + credential + R"(","reason":"stolen"})"));
  };
  const json::object of_second = dossier(second);
  ASSERT_EQ(of_second.at("entries").as_array().size(), 2U);
  EXPECT_EQ(of_second.at("tokens").as_array().size(), 1U);
  EXPECT_EQ(text(of_second.at("asked").at("credential")), second);
  for (const auto& entry : of_second.at("entries").as_array()) {
    EXPECT_EQ(text(entry.at("operator")), "support");
    EXPECT_EQ(text(entry.at("credential")), second);
  }
  const json::object of_mine = dossier(mine);
  for (const auto& entry : of_mine.at("entries").as_array()) {
    EXPECT_EQ(text(entry.at("credential")), mine);
  }
  EXPECT_EQ(dossier("000000000000").at("entries").as_array().size(), 0U);
  EXPECT_EQ(dossier("certificate").at("entries").as_array().size(), 0U);
  const auto records = api.entries(0);
  EXPECT_EQ(records.back().detail->object, "dossier by certificate");
  // The credential itself is nowhere in it.
  const AdminResponse page = api.post(
      "dpo", "/v1/dossier", R"({"credential":")" + second + R"(","reason":"r","format":"html"})");
  EXPECT_NE(page.body.find(second), std::string::npos);
  EXPECT_EQ(page.body.find(text(made.at("credential"))), std::string::npos);
}

TEST(RecordApi, ADossierByKeyAndPeriod) {
  Recorded api;
  const json::object entry =
      api.entries_page("?count=1").at("entries").as_array().front().as_object();
  const std::string key = text(entry.at("tokens").as_array().front().at("key_id"));
  const auto count = [&](const std::string& members) {
    const json::object dossier =
        parsed(api.post("dpo", "/v1/dossier", "{" + members + R"("reason":"r"})"));
    return dossier.at("entries").as_array().size();
  };
  // What was asked for where the role may not ask at all belongs to it as well.
  EXPECT_EQ(count(R"("key":")" + key + R"(",)"), 251U);
  EXPECT_EQ(count(R"("key":"00000000",)"), 0U);
  EXPECT_EQ(count(R"("to":"2001-01-01",)"), 0U);
  EXPECT_EQ(count(R"("from":"2001-01-01","operator":"dpo","to":"9000-01-01",)") >= 250U, true);
  EXPECT_EQ(count(R"("from":"9000-01-01",)"), 0U);
}

TEST(RecordApi, ADossierIsRefusedAndMalformed) {
  Recorded api;
  const auto records = api.log().size();
  EXPECT_EQ(api.post("support", "/v1/dossier", R"({"reason":"curious"})").status, 403);
  EXPECT_EQ(api.log().size(), records + 1);  // the refusal too is on the record
  EXPECT_EQ(api.entries(records).front().open.outcome, audit::Outcome::refused);
  EXPECT_EQ(api.post("stranger", "/v1/dossier", R"({"reason":"curious"})").status, 403);
  for (const char* body :
       {"", "{}", R"({"reason":" "})", R"({"reason":"r","from":"yesterday"})",
        R"({"reason":"r","to":"2026-13-01"})", R"({"reason":"r","key":"1"})",
        R"({"reason":"r","subject":"00"})", R"({"reason":"r","credential":"pvcred_x"})",
        R"({"reason":"r","credential":"00"})", R"({"reason":"r","format":"pdf"})",
        R"({"reason":"r","from":"2026-11-28","to":"2026-11-27"})", R"({"reason":"r","more":"x"})",
        "[]", "{"}) {
    EXPECT_EQ(api.post("dpo", "/v1/dossier", body).status, 400) << body;
  }
}

// A name that is misspelled has done nothing, and nothing is what the dossier would show.
TEST(RecordApi, ADossierSaysWhereNoEntryNamesTheOperator) {
  Recorded api;
  const auto named = [&](const std::string& name, const std::string& members = "") {
    const json::object dossier = parsed(api.post(
        "dpo", "/v1/dossier", R"({"operator":")" + name + R"(",)" + members + R"("reason":"r"})"));
    return dossier.at("operator_named").as_bool();
  };
  EXPECT_TRUE(named("support"));
  EXPECT_TRUE(named("support", R"("to":"2001-01-01",)"));  // outside the period
  EXPECT_FALSE(named("suport"));
  EXPECT_FALSE(
      parsed(api.post("dpo", "/v1/dossier", R"({"reason":"r"})")).contains("operator_named"));
  const AdminResponse page =
      api.post("dpo", "/v1/dossier", R"({"operator":"suport","reason":"r","format":"html"})");
  EXPECT_NE(page.body.find("no entry at any time names it"), std::string::npos);
}

TEST(RecordApi, ThePageEscapesWhatPeopleWrote) {
  Api api;
  EXPECT_EQ(api.reidentify("dpo", R"({"purpose":"contact","reason":"<script>alert(1)</script>&\"",)"
                                  R"("tokens":["pvv1nothing"]})")
                .status,
            200);
  const AdminResponse page =
      api.post("dpo", "/v1/dossier", R"({"operator":"dpo","reason":"<b>","format":"html"})");
  ASSERT_EQ(page.status, 200);
  EXPECT_TRUE(page.content_type.starts_with("text/html"));
  EXPECT_EQ(page.body.find("<script"), std::string::npos);
  EXPECT_EQ(page.body.find("<b>"), std::string::npos);
  EXPECT_NE(page.body.find("&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;"), std::string::npos);
  EXPECT_NE(page.body.find("<!DOCTYPE html>"), std::string::npos);
}

TEST(Dossier, AnEntryWithoutDetailBelongsOnlyToAPeriod) {
  audit::AuditRecord record;
  record.open.time = crypto::WallTime(std::chrono::hours(48));
  DossierQuestion question;
  EXPECT_TRUE(concerns(question, record));
  question.from = crypto::WallTime(std::chrono::hours(48));
  question.until = crypto::WallTime(std::chrono::hours(72));
  EXPECT_TRUE(concerns(question, record));
  question.operator_name = "dpo";
  EXPECT_FALSE(concerns(question, record));
  record.detail.emplace();
  record.detail->operator_name = "dpo";
  EXPECT_TRUE(concerns(question, record));
  question.until = crypto::WallTime(std::chrono::hours(48));
  EXPECT_FALSE(concerns(question, record));
  Dossier dossier;
  dossier.entries.resize(3);
  dossier.entries[0].record = record;
  summarise(dossier, {});
  EXPECT_EQ(dossier.unreadable, 2U);
}

}  // namespace
}  // namespace paravent::proxy::admin
