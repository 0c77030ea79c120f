// A token of another tenant and one that nobody has: the same answer and the same work. Work is
// counted, not timed: what the store is asked for, which keys are opened, what is taken from the
// heap, and whose context row is looked at.

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/keys/context_row.h"
#include "crypto/reveal/reidentifier.h"
#include "crypto/tokens/field_protector.h"
#include "crypto/tokens/token_header.h"
#include "crypto/tokens/token_text.h"
#include "crypto/vault/engine/catalogue/tenant_contexts.h"
#include "crypto/vault/engine/rows/memory_token_store.h"
#include "crypto/vault/engine/vault/vault.h"
#include "tests/support/allocation_counter.h"

namespace paravent::crypto::reveal {
namespace {

// What a row store was asked for.
struct Asked {
  std::size_t calls = 0;
  std::size_t rows = 0;
  std::size_t found = 0;
  bool operator==(const Asked&) const = default;
};

class CountingStore final : public vault::MemoryTokenStore {
 public:
  explicit CountingStore(Asked& asked) : asked_(asked) {}
  Status find(std::span<const vault::IndexKey> keys,
              std::span<std::optional<vault::FoundFacts>> out) override {
    ++asked_.calls;
    return MemoryTokenStore::find(keys, out);
  }
  Status facts(std::span<const vault::Id> ids, std::span<std::optional<std::string>> out) override {
    ++asked_.calls;
    return MemoryTokenStore::facts(ids, out);
  }
  Status resolve(std::span<const vault::Id> ids,
                 std::span<std::optional<std::string>> out) override {
    ++asked_.calls;
    asked_.rows += ids.size();
    const auto status = MemoryTokenStore::resolve(ids, out);
    for (const auto& row : out) asked_.found += row ? 1U : 0U;
    return status;
  }
  Status find_aliases(std::span<const vault::AliasKey> keys,
                      std::span<std::optional<vault::Id>> out) override {
    ++asked_.calls;
    return MemoryTokenStore::find_aliases(keys, out);
  }

 private:
  Asked& asked_;
};

// What one question costs.
struct Work {
  Asked store;
  std::uint64_t allocations = 0;
  std::size_t keys = 0;
  bool operator==(const Work&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Work& work) {
  return out << work.store.calls << " calls for " << work.store.rows << " rows, "
             << work.store.found << " found, " << work.allocations << " allocations, " << work.keys
             << " keys";
}

class ToldApart : public ::testing::Test {
 protected:
  ToldApart() {
    const std::vector<vault::PolicyNames> names{{"asker", {"crm"}, {"contact"}},
                                                {"other", {"crm"}, {"contact"}}};
    EXPECT_TRUE(vault_->admit_names(names).has_value());
    asker_ = vault_->tenant_id("asker").value();
  }

  vault::Binding bind(const std::string& tenant, Algorithm algorithm) {
    const vault::ContextSpec spec{"crm",       "contact", "email",
                                  Kind::email, algorithm, EpochLength::none};
    auto bound = vault_->bind(tenant, std::span(&spec, 1));
    EXPECT_TRUE(bound.has_value());
    return std::move(bound->front());
  }

  ParsedToken stored_token(const std::string& tenant) {
    const vault::Binding bound = bind(tenant, Algorithm::vault_token);
    auto batch = std::make_shared<vault::ResolveBatch>();
    batch->values = "marie@example.org";
    vault::MintJob job;
    job.key_id = bound.key.key_id;
    job.seal_key_id = bound.seal_key_id;
    job.kind = Kind::email;
    job.end = static_cast<std::uint32_t>(batch->values.size());
    batch->jobs.push_back(job);
    std::promise<void> answered;
    batch->done = [&] { answered.set_value(); };
    vault_->resolve(batch);
    answered.get_future().wait();
    EXPECT_EQ(batch->status, vault::ResolveStatus::ok);
    return vault_token(bound.key.key_id, batch->jobs[0].id);
  }

  static ParsedToken vault_token(std::uint32_t key_id, const vault::Id& id) {
    std::string text;
    write_vault_token(key_id, id, text);
    return parse_token(text).value();
  }

  ParsedToken derived_token(const std::string& tenant) {
    std::vector<ProtectionKey> slots;
    slots.push_back(bind(tenant, Algorithm::derived).key);
    std::string text;
    EXPECT_TRUE(
        (*FieldProtector::create(slots))->protect(0, Kind::email, "marie@example.org", text));
    return parse_token(text).value();
  }

  // The least of some: whatever the vault's own threads still do is not the question's.
  Work work_of(const ParsedToken& token) {
    Work least;
    for (int i = 0; i < 5; ++i) {
      vault::KeyMemo memo;
      asked_ = {};
      const std::uint64_t before = paravent::testing::allocations();
      const auto answer = stairs_.reidentifier->describe(token, asker_, memo);
      Work work{asked_, paravent::testing::allocations() - before, memo.size()};
      EXPECT_FALSE(answer);
      if (!answer) {
        EXPECT_EQ(answer.error().kind(), ErrorKind::refused);
        EXPECT_EQ(answer.error().sentence(), "");
      }
      if (i == 0 || work.allocations < least.allocations) least = work;
    }
    return least;
  }

  SystemClock clock_;
  Asked asked_;
  std::unique_ptr<vault::Vault> vault_ =
      vault::Vault::in_memory(clock_, std::make_unique<CountingStore>(asked_)).value();
  Staircase stairs_ = build_staircase(*vault_);
  vault::Id asker_{};
};

TEST_F(ToldApart, NoVaultTokenByTheWorkItMakes) {
  const ParsedToken own = stored_token("asker");
  const ParsedToken foreign = stored_token("other");
  // The store counts: what is one's own is found.
  vault::KeyMemo memo;
  asked_ = {};
  ASSERT_TRUE(stairs_.reidentifier->describe(own, asker_, memo));
  EXPECT_EQ(asked_, (Asked{1, 1, 1}));

  const std::uint32_t nobodys = own.key_id ^ foreign.key_id ^ 1U;
  const Work unknown = work_of(vault_token(own.key_id, vault::random_id()));
  EXPECT_EQ(unknown.store, (Asked{1, 1, 0})) << "looked for, and not there";
  EXPECT_EQ(unknown.keys, 0U);
  EXPECT_GT(unknown.allocations, 0U);
  EXPECT_EQ(work_of(foreign), unknown);
  EXPECT_EQ(work_of(vault_token(foreign.key_id, vault::random_id())), unknown);
  EXPECT_EQ(work_of(vault_token(nobodys, vault::random_id())), unknown);
  EXPECT_EQ(work_of(vault_token(nobodys, vault::id_from(as_text(own.payload)))), unknown);
}

TEST_F(ToldApart, NoDerivedTokenByTheWorkItMakes) {
  const ParsedToken own = derived_token("asker");
  const ParsedToken foreign = derived_token("other");
  const auto header = token_header(own.key_id ^ foreign.key_id ^ 1U, Algorithm::derived);
  std::string body(as_text(ByteView(header)));
  body.append(as_text(ByteView(foreign.payload)));
  std::string text;
  write_short_token(foreign.token_class, as_bytes(body), text);
  const Work unknown = work_of(parse_token(text).value());
  EXPECT_EQ(unknown.store, Asked());
  EXPECT_EQ(unknown.keys, 0U);
  EXPECT_EQ(work_of(foreign), unknown);
}

vault::ContextRecord record_of(const vault::Id& tenant, std::uint32_t key_id, Algorithm algorithm) {
  vault::ContextRecord record;
  record.row.tenant_id = std::string(as_text(ByteView(tenant)));
  record.row.key_id = key_id;
  record.row.algorithm = algorithm;
  return record;
}

// Not the other's row, nor anything that its key id leads to.
TEST(TenantContexts, AnothersKeyIdAndNobodysAreOneThing) {
  const vault::Id one = vault::random_id();
  const vault::Id two = vault::random_id();
  std::vector<vault::ContextRecord> records;
  for (std::uint32_t i = 1; i <= 9; ++i) {
    records.push_back(record_of(i % 3 == 0 ? two : one, i * 10, Algorithm::vault_token));
  }
  records.push_back(record_of(one, 55, Algorithm::derived));
  vault::TenantContexts contexts;
  for (const auto& record : records) contexts.add(record);
  for (std::uint32_t key_id = 0; key_id < 100; ++key_id) {
    const bool has_it = key_id % 10 == 0 && key_id > 0 && key_id % 30 != 0;
    const auto found = contexts.find(one, key_id, Algorithm::vault_token);
    EXPECT_EQ(found.own, has_it || key_id == 55) << key_id;
    ASSERT_NE(found.record, nullptr);
    EXPECT_EQ(found.record->row.key_id, found.own ? key_id : 80) << "the newest stands in";
  }
  EXPECT_EQ(contexts.find(one, 30, Algorithm::derived).record->row.key_id, 55U);
  EXPECT_EQ(contexts.find(two, 55, Algorithm::derived).record, nullptr);
  EXPECT_FALSE(contexts.find(vault::random_id(), 10, Algorithm::vault_token).own);
  contexts.clear();
  EXPECT_FALSE(contexts.find(one, 10, Algorithm::vault_token).own);
}

}  // namespace
}  // namespace paravent::crypto::reveal
