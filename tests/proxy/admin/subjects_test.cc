// People's rights: what was asked is on record, also where nothing came of it.

#include <gtest/gtest.h>

#include <future>

#include "crypto/tokens/token_text.h"
#include "crypto/vault/engine/rows/memory_token_store.h"
#include "crypto/vault/engine/upkeep/key_admin.h"
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

// Whom only a key that is out of use would find may be somebody: nothing is answered as for nobody,
// and an erasure that meets nobody would be believed.
class KeysOutOfUse : public Subjects {
 protected:
  using Class = crypto::vault::KeyClass;
  using Operation = crypto::vault::KeyOperation;

  void each(Class of, Operation operation) {
    crypto::vault::KeyAdmin keys(*api_.vault);
    std::size_t applied = 0;
    for (const auto& key : keys.list()) {
      const bool audit = key.record.key_class == Class::audit_detail;
      if (audit || key.record.key_class != of || key.record.tenant != api_.tenant) continue;
      ASSERT_TRUE(keys.apply(key.record.id, operation));
      ++applied;
    }
    ASSERT_GT(applied, 0U);
  }
  AdminResponse ask(const std::string& door, const std::string& who, const std::string& more = {}) {
    return api_.post("dpo", "/v1/subjects/" + door, R"({"reason":"r",)" + who + more + "}");
  }
  static std::string by_token(const std::string& token) { return R"("tokens":[")" + token + "\"]"; }
  static std::string by_address(const std::string& address) {
    return R"("identifier":{"kind":"email","value":")" + address + "\"}";
  }
  // At every door, in one manner, and on record.
  void expect_refused_at_every_door(const std::string& who) {
    const std::string event = R"(,"purpose":"contact","event":"last-contact","day":"2026-01-01")";
    for (const auto& [door, more] : {std::pair<std::string, std::string>{"locate", ""},
                                     {"export", ""},
                                     {"restrict", R"(,"restricted":true)"},
                                     {"object", R"(,"objected":true)"},
                                     {"events", event},
                                     {"erase", ""}}) {
      const std::uint64_t before = api_.log().size();
      const AdminResponse answer = ask(door, who, more);
      EXPECT_EQ(answer.status, 409) << door << answer.body;
      EXPECT_EQ(answer.reason, "sealed") << door;
      EXPECT_NE(answer.body.find("A key of this tenant is out of use"), std::string::npos);
      EXPECT_EQ(api_.log().size(), before + 1) << door;
      EXPECT_EQ(last().open.outcome, audit::Outcome::failed) << door;
      EXPECT_EQ(last().detail->object + " " + last().detail->remark, door + " key-out-of-use");
    }
  }
  std::size_t found(const std::string& who) {
    const AdminResponse answer = ask("locate", who);
    EXPECT_EQ(answer.status, 200) << answer.body;
    if (answer.status != 200) return 0;
    return boost::json::parse(answer.body).at("subjects").as_array().size();
  }
  std::string reference_of(const std::string& address) {
    const AdminResponse answer = ask("locate", by_address(address));
    return boost::json::parse(answer.body).at("subjects").at(0).at("reference").as_string().c_str();
  }
};

TEST_F(KeysOutOfUse, OfTheTenantNobodyIsFoundBySomethingOfTheirs) {
  const std::string anne = by_token(person("anne@example.fr"));
  const std::string reference = R"("reference":")" + reference_of("anne@example.fr") + "\"";
  each(Class::tenant, Operation::disable);
  expect_refused_at_every_door(by_address("anne@example.fr"));
  expect_refused_at_every_door(by_address("nobody@example.fr"));
  expect_refused_at_every_door(anne);
  // A reference is no secret of the key's.
  EXPECT_EQ(found(reference), 1U);
  EXPECT_EQ(ask("restrict", reference, R"(,"restricted":true)").status, 200);
  each(Class::tenant, Operation::enable);
  EXPECT_EQ(found(anne), 1U);
  each(Class::tenant, Operation::compromise);
  expect_refused_at_every_door(by_address("anne@example.fr"));
  expect_refused_at_every_door(anne);
  const AdminResponse erased = ask("erase", reference);
  EXPECT_EQ(erased.status, 200) << erased.body;
  EXPECT_NE(erased.body.find("\"erased\":1"), std::string::npos) << erased.body;
  each(Class::tenant, Operation::override_compromise);
  EXPECT_EQ(found(by_address("anne@example.fr")), 0U);
}

TEST_F(KeysOutOfUse, OfADomainOrAnEpochNobodyIsFoundByAToken) {
  const std::string token = person("anne@example.fr");
  const std::string nobodys = api_.unknown_token("form.mail");
  for (const Class of : {Class::domain, Class::epoch}) {
    each(of, Operation::disable);
    expect_refused_at_every_door(by_token(token));
    // One that is known does not answer for the other; and one that nobody has is unknown.
    expect_refused_at_every_door(R"("tokens":["pvv1nonsense",")" + token + "\"]");
    EXPECT_EQ(found(by_token(nobodys)), 0U);
    EXPECT_EQ(found(by_token("pvv1nonsense")), 0U);
    EXPECT_EQ(found(by_address("anne@example.fr")), 1U);
    each(of, Operation::enable);
    EXPECT_EQ(found(by_token(token)), 1U);
  }
  // Texts in a shape hang on the domain's key, and any of them may be somebody's.
  each(Class::domain, Operation::disable);
  expect_refused_at_every_door(by_token("0123456789abcdef"));
  each(Class::domain, Operation::enable);
  EXPECT_EQ(found(by_token("0123456789abcdef")), 0U);
}

TEST_F(KeysOutOfUse, OfADestroyedOneEverybodyIsGone) {
  const std::string token = person("anne@example.fr");
  crypto::vault::KeyAdmin keys(*api_.vault);
  each(Class::tenant, Operation::disable);
  ASSERT_TRUE(keys.destroy_tenant(api_.tenant));
  EXPECT_EQ(found(by_address("anne@example.fr")), 0U);
  EXPECT_EQ(found(by_token(token)), 0U);
  EXPECT_EQ(found(by_token("0123456789abcdef")), 0U);
}

}  // namespace
}  // namespace paravent::proxy::admin
