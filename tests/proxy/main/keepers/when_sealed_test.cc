#include "proxy/main/keepers/when_sealed.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "policies/model/load_policy.h"
#include "policies/plan/compiler.h"

namespace paravent::proxy::main {
namespace {

constexpr std::string_view kPolicy = R"(policy: 1
tenant: shop
recipients: { shop: { name: Shop, country: FR } }
purposes: { p: { basis: contract, retention: { active: P3Y } } }
public-keys: { one: { key: 'pvpub1s5s0qzvfxzn4gayt0hwtg0hhtgxm7wsdycup4a8t5j5ca25mfe4qgy396d' } }
routes:
  - name: report
    match: { path: /report }
    upstream: http://127.0.0.1:9000
    recipient: shop
    purpose: p
    when-sealed: encrypt-to one
    fields: { form.a: { do: encrypt }, form.b: { do: drop } }
  - name: contact
    match: { path: /contact }
    upstream: http://127.0.0.1:9000
    recipient: shop
    purpose: p
    fields: { form.a: { kind: name, do: tokenise } }
  - name: plain
    match: { path: /plain }
    upstream: http://127.0.0.1:9000
    recipient: shop
    purpose: p
    fields: { form.a: { do: keep } }
)";

std::shared_ptr<const policies::PolicyPlan> plan_of(std::string_view text) {
  const auto loaded = policies::load_policy_text("policy.yaml", text);
  EXPECT_TRUE(loaded.ok()) << policies::diagnostics_text(loaded.diagnostics);
  return policies::compile({&loaded.policy, 1}).value();
}

// As an unsealed gateway would publish it, with made-up ids.
Snapshot unsealed(std::shared_ptr<const policies::PolicyPlan> plan) {
  Snapshot snapshot;
  for (const auto& spec : plan->context_specs()) {
    crypto::ProtectionKey key;
    key.key_id = static_cast<std::uint32_t>(snapshot.protection_keys.size()) + 7;
    key.algorithm = spec.algorithm;
    key.ctx = "context " + std::to_string(key.key_id);
    snapshot.protection_keys.push_back(std::move(key));
  }
  snapshot.plan = std::move(plan);
  return snapshot;
}

const policies::RoutePlan& route(const policies::PolicyPlan& plan, std::string_view name) {
  for (const auto& one : plan.routes()) {
    if (one->name == name) return *one;
  }
  std::abort();
}

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "paravent-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path = name;
  }
  ~TempFolder() { std::filesystem::remove_all(path); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::filesystem::path path;
};

TEST(WhenSealed, ThePlanHasAVariantThatNeedsNoKeyOfOurs) {
  const auto plan = plan_of(kPolicy);
  const policies::RoutePlan* variant = route(*plan, "report").when_sealed;
  ASSERT_NE(variant, nullptr);
  EXPECT_EQ(variant->name, "report/when-sealed");
  EXPECT_EQ(variant->find(policies::Carrier::form, "a")->action, policies::ActionKind::seal);
  EXPECT_EQ(route(*plan, "report").find(policies::Carrier::form, "a")->action,
            policies::ActionKind::encrypt);
  EXPECT_EQ(route(*plan, "contact").when_sealed, nullptr);
  EXPECT_TRUE(route(*plan, "contact").needs_keys);
  EXPECT_FALSE(route(*plan, "plain").needs_keys);
  EXPECT_EQ(plan->route_for("POST", "", "/report").route, &route(*plan, "report"));
}

TEST(WhenSealed, ASealedSnapshotHasTheKnownContextsAndNothingElse) {
  const auto plan = plan_of(kPolicy);
  const TempFolder folder;
  const Snapshot with_keys = unsealed(plan);
  ASSERT_TRUE(keep_sealed_contexts(folder.path, with_keys));
  const auto contexts = read_sealed_contexts(folder.path);
  ASSERT_TRUE(contexts) << contexts.error().sentence();
  EXPECT_EQ(contexts->size(), 1U);
  const std::shared_ptr list = telemetry::SealedList::open((folder.path / "list").string()).value();
  const auto sealed = sealed_snapshot(plan, Limits(), *contexts, list);
  EXPECT_FALSE(sealed->keys_available);
  const policies::RoutePlan& variant = *route(*plan, "report").when_sealed;
  EXPECT_FALSE(sealed->lacks_keys(variant.id));
  EXPECT_TRUE(sealed->lacks_keys(route(*plan, "report").id));
  EXPECT_TRUE(sealed->lacks_keys(route(*plan, "contact").id));
  EXPECT_FALSE(sealed->lacks_keys(route(*plan, "plain").id));
  const std::uint32_t slot = variant.find(policies::Carrier::form, "a")->slot;
  EXPECT_EQ(sealed->protection_keys[slot].key_id, with_keys.protection_keys[slot].key_id);
  EXPECT_EQ(sealed->protection_keys[slot].ctx, with_keys.protection_keys[slot].ctx);
  EXPECT_EQ(sealed->protection_keys[slot].public_key.size(), 32U);
  for (const auto& key : sealed->protection_keys) EXPECT_TRUE(key.key.empty());
  // Without the list, without the contexts, and for another public key the route is refused.
  EXPECT_TRUE(sealed_snapshot(plan, Limits(), *contexts, nullptr)->lacks_keys(variant.id));
  EXPECT_TRUE(sealed_snapshot(plan, Limits(), {}, list)->lacks_keys(variant.id));
  std::string other(kPolicy);
  other.replace(other.find("recipient: shop\n    purpose: p\n    when"), 15, "recipient: shop");
  other.replace(other.find("tenant: shop"), 12, "tenant: other");
  const auto others = plan_of(other);
  EXPECT_TRUE(sealed_snapshot(others, Limits(), *contexts, list)
                  ->lacks_keys(route(*others, "report").when_sealed->id));
}

TEST(WhenSealed, TheFileHasOneSpellingAndEveryAlterationIsNoticed) {
  const SealedContexts contexts{{SpecFingerprint{1}, {7, "context seven"}},
                                {SpecFingerprint{2}, {8, "context eight"}}};
  const std::string text = sealed_contexts_text(contexts);
  EXPECT_EQ(parse_sealed_contexts(text).value(), contexts);
  EXPECT_EQ(parse_sealed_contexts(sealed_contexts_text({})).value(), SealedContexts());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string bad = text;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(parse_sealed_contexts(bad)) << i;
    EXPECT_FALSE(parse_sealed_contexts(text.substr(0, i))) << i;
  }
  EXPECT_FALSE(parse_sealed_contexts(text + "\n"));
  const TempFolder folder;
  EXPECT_EQ(read_sealed_contexts(folder.path).value(), SealedContexts());
  std::ofstream(folder.path / "when-sealed") << "something else";
  const auto read = read_sealed_contexts(folder.path);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind(), crypto::ErrorKind::data);
}

}  // namespace
}  // namespace paravent::proxy::main
