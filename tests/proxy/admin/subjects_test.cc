// People's rights: what was asked is on record, also where nothing came of it.

#include <gtest/gtest.h>

#include <future>

#include "crypto/tokens/token_text.h"
#include "crypto/vault/engine/rows/memory_token_store.h"
#include "policies/model/load_policy.h"
#include "policies/plan/compiler.h"
#include "tests/proxy/admin/admin_testing.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;

std::string policy() {
  std::string text = admin_test_policy();
  const std::string old = "dpo: { reveal: clear }";
  text.replace(text.find(old), old.size(), "dpo: { reveal: clear, subjects: true }");
  return text + R"(  - name: people
    match: { method: POST, path: /p }
    upstream: http://127.0.0.1:9000
    recipient: crm
    purpose: contact
    subject: form.who
    fields:
      form.who: { kind: email, do: tokenise, space: who, erasable: subject }
four-eyes: { approve: [dpo, auditor], purposes: [billing] }
)";
}

// Reads nothing, or takes nothing more, while it is told so.
struct Trouble {
  bool broken = false;
  bool full = false;
};

class BrokenStore final : public crypto::vault::MemoryTokenStore {
 public:
  explicit BrokenStore(const Trouble& trouble) : trouble_(trouble) {}
  crypto::Status facts(std::span<const crypto::vault::Id> ids,
                       std::span<std::optional<std::string>> out) override {
    if (trouble_.broken) return crypto::Error(crypto::ErrorKind::data);
    return MemoryTokenStore::facts(ids, out);
  }
  crypto::Status remove(std::span<const crypto::vault::Id> ids) override {
    if (trouble_.full) return crypto::Error(crypto::ErrorKind::disk_full);
    return MemoryTokenStore::remove(ids);
  }
  crypto::Status resolve(std::span<const crypto::vault::Id> ids,
                         std::span<std::optional<std::string>> out) override {
    if (trouble_.broken) return crypto::Error(crypto::ErrorKind::data);
    return MemoryTokenStore::resolve(ids, out);
  }

 private:
  const Trouble& trouble_;
};

class Subjects : public testing::Test {
 protected:
  // A token of somebody who has this address.
  std::string person(const std::string& address) {
    const auto loaded = policies::load_policy_text("test.yaml", policy());
    const auto plan = policies::compile({&loaded.policy, 1}).value();
    const auto bound = api_.vault->bind("atelier", plan->context_specs()).value();
    auto batch = std::make_shared<crypto::vault::ResolveBatch>();
    batch->values = address;
    const auto end = static_cast<std::uint32_t>(address.size());
    for (const auto& route : plan->routes()) {
      if (route->name != "people") continue;
      const auto* action = route->find(policies::Carrier::form, "who");
      auto& subject = batch->subject.emplace();
      subject.key_id = bound[route->subject_slot].key.key_id;
      subject.needs_key = true;
      subject.end = end;
      crypto::vault::MintJob job;
      job.key_id = bound[action->slot].key.key_id;
      job.seal_key_id = bound[action->slot].seal_key_id;
      job.kind = action->kind;
      job.end = end;
      batch->jobs.push_back(job);
    }
    std::promise<void> answered;
    batch->done = [&answered] { answered.set_value(); };
    api_.vault->resolve(batch);
    answered.get_future().wait();
    EXPECT_EQ(batch->status, crypto::vault::ResolveStatus::ok);
    std::string token;
    crypto::write_vault_token(batch->jobs.at(0).key_id, batch->jobs.at(0).id, token);
    return token;
  }
  audit::AuditRecord last() { return std::move(api_.entries(api_.log().size() - 1).at(0)); }

  Trouble trouble_;
  Api api_{policy(), std::make_unique<BrokenStore>(trouble_)};
};

// Whether two tokens are one person's is an answer, and there is none without a record.
TEST_F(Subjects, TokensOfSeveralPeopleAreOnRecord) {
  const std::string anne = person("anne@example.fr");
  const std::string paul = person("paul@example.fr");
  const std::uint64_t before = api_.log().size();
  const std::string both =
      R"({"reason":"are they one","tokens":[")" + anne + R"(",")" + paul + R"("]})";
  const AdminResponse answer = api_.post("dpo", "/v1/subjects/export", both);
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("several-subjects"), std::string::npos);
  ASSERT_EQ(api_.log().size(), before + 1);
  const auto entry = last();
  EXPECT_EQ(entry.open.event, audit::EventKind::subject_right);
  EXPECT_EQ(entry.open.outcome, audit::Outcome::refused);
  EXPECT_EQ(entry.detail->object + " " + entry.detail->remark, "export several-subjects");
  EXPECT_EQ(entry.detail->reason, "are they one");
  EXPECT_EQ(entry.detail->tokens.size(), 2U);
  std::filesystem::remove_all(api_.folder.path() / "audit");
  EXPECT_EQ(api_.post("dpo", "/v1/subjects/export", both).status, 503);
}

TEST_F(Subjects, AnErasureSaysWhatIsLeft) {
  const std::string anne = R"({"reason":"r","tokens":[")" + person("anne@example.fr") + "\"]}";
  const std::string paul = R"({"reason":"r","tokens":[")" + person("paul@example.fr") + "\"]}";
  // Nothing happens where it cannot be told what there is.
  trouble_.broken = true;
  EXPECT_EQ(api_.post("dpo", "/v1/subjects/erase", anne).status, 503);
  EXPECT_EQ(last().open.outcome, audit::Outcome::failed);
  trouble_.broken = false;
  trouble_.full = true;
  AdminResponse answer = api_.post("dpo", "/v1/subjects/erase", anne);
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find("\"erased\":1"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find("\"rows_left\":true"), std::string::npos) << answer.body;
  trouble_.full = false;
  answer = api_.post("dpo", "/v1/subjects/erase", paul);
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find("\"erased\":1"), std::string::npos) << answer.body;
  EXPECT_EQ(answer.body.find("rows_left"), std::string::npos) << answer.body;
}

TEST_F(Subjects, WhatCannotBeReadIsOnRecord) {
  const std::string token = api_.unknown_token("form.mail");
  const std::uint64_t before = api_.log().size();
  trouble_.broken = true;
  EXPECT_EQ(api_.post("dpo", "/v1/subjects/locate", R"({"reason":"r","tokens":[")" + token + "\"]}")
                .status,
            503);
  ASSERT_EQ(api_.log().size(), before + 1);
  const auto entry = last();
  EXPECT_EQ(entry.open.outcome, audit::Outcome::failed);
  EXPECT_EQ(entry.detail->object + " " + entry.detail->remark, "locate store-unavailable");
  EXPECT_EQ(entry.detail->tokens.size(), 1U);
  // Where a grant is wanted, the same.
  EXPECT_EQ(
      api_.post("dpo", "/v1/grants",
                R"({"purpose":"contact","basis":"contract","hours":1,"reason":"r","tokens":[")" +
                    token + "\"]}")
          .status,
      503);
  ASSERT_EQ(api_.log().size(), before + 2);
  EXPECT_EQ(last().open.event, audit::EventKind::grant_change);
  EXPECT_EQ(last().open.outcome, audit::Outcome::refused);
  EXPECT_EQ(last().detail->tokens.size(), 1U);
}

}  // namespace
}  // namespace paravent::proxy::admin
