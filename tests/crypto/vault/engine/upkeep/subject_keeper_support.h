// What the tests of people's keys share: a vault that keeps them for contact and billing, and its
// keepers, under clocks of the test's.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "crypto/vault/engine/rows/memory_token_store.h"
#include "crypto/vault/engine/upkeep/key_admin.h"
#include "crypto/vault/engine/upkeep/retention_keeper.h"
#include "crypto/vault/engine/upkeep/subject_keeper.h"
#include "tests/crypto/vault/engine/subject_support.h"

namespace paravent::crypto::vault {

class NoNotes final : public KeeperJournal {
 public:
  Status record(KeyOperation, std::span<const KeyInfo>) override { return {}; }
  Status record_freeze(Freeze) override { return {}; }
};

class Notes final : public SubjectJournal {
 public:
  Status record(KeyOperation operation, std::span<const DueSubject> subjects) override {
    if (refuses) return Error(ErrorKind::disk_full, "The audit log has no space.");
    if (!subjects.empty() && subjects[0].tenant == refused_tenant) {
      return Error(ErrorKind::data, "Its log cannot be written.");
    }
    if (at_record) at_record(operation);
    largest = std::max(largest, subjects.size());
    for (const DueSubject& one : subjects) {
      lines.push_back(std::string(key_operation_name(operation)) + " " + one.purpose);
    }
    return {};
  }
  std::vector<std::string> lines;
  bool refuses = false;
  std::function<void(KeyOperation)> at_record;
  std::size_t largest = 0;
  Id refused_tenant{};
};

// Removes nothing while it is full. Forgets nothing while a backup is being made.
class FullStore final : public MemoryTokenStore {
 public:
  Status forget_removed() override {
    if (at_forget) at_forget();
    waits = backup.load();
    backup.wait(true);
    return MemoryTokenStore::forget_removed();
  }
  std::atomic<bool> backup{false};
  std::atomic<bool> waits{false};
  std::function<void()> at_forget;
  Status remove(std::span<const Id> ids) override {
    if (full) return Error(ErrorKind::disk_full, "The token store is full.");
    return MemoryTokenStore::remove(ids);
  }
  bool full = false;
};

class SubjectKeeperTest : public testing::Test {
 protected:
  SubjectKeeperTest() {
    auto rows = std::make_unique<FullStore>();
    store_ = rows.get();
    place_.vault = Vault::in_memory(place_.clock, std::move(rows)).value();
    const std::vector<PolicyNames> policies{atelier()};
    EXPECT_TRUE(place_.vault->admit_names(policies));
    say();
  }
  // contact: a year from the last contact; billing: two from the end of the contract.
  void say() {
    const std::array stated{
        PurposeRetention{"atelier", "contact", RetentionRule{CountsFrom::contact, {12, 0}, {}}},
        PurposeRetention{"atelier", "billing", RetentionRule{CountsFrom::event, {12, 0}, {12, 0}}}};
    EXPECT_TRUE(KeyAdmin(*place_.vault).set_retentions(stated));
    keys_ = std::make_unique<RetentionKeeper>(*place_.vault, monotonic_, no_notes_);
    keeper_ = std::make_unique<SubjectKeeper>(*place_.vault, notes_);
  }
  void pass(std::chrono::hours time) {
    for (std::chrono::hours done{0}; done < time; done += std::chrono::hours(12)) {
      place_.clock.advance(std::chrono::hours(12));
      monotonic_.time += std::chrono::hours(12);
      EXPECT_TRUE(keys_->tick());
      const auto ticked = keeper_->tick();
      EXPECT_TRUE(ticked || notes_.refuses || notes_.refused_tenant != Id{} || store_->full);
    }
  }
  Answer ask(const std::string& person, const std::string& purpose = "contact",
             const std::string& name = "Anne") {
    return vault::ask(*place_.vault, bound_route(*place_.vault, purpose), person, name);
  }
  // What a walk over all rows finds.
  IndexReport report() { return place_.vault->rebuild_index().value(); }
  std::string open(const std::string& text, const std::string& purpose = "contact") {
    return open_text(*place_.vault, text, purpose);
  }
  SubjectAdmin admin() { return SubjectAdmin(*place_.vault); }
  Id find(const std::string& person) {
    return admin().find(*place_.vault->tenant_id("atelier"), Kind::email, person).value();
  }
  std::vector<DueSubject> due_within(std::chrono::hours time) {
    return SubjectKeeper::due_before(*place_.vault, place_.clock.now() + time);
  }

  InMemoryVault place_;
  FullStore* store_ = nullptr;
  FakeMonotonic monotonic_;
  NoNotes no_notes_;
  Notes notes_;
  std::unique_ptr<RetentionKeeper> keys_;
  std::unique_ptr<SubjectKeeper> keeper_;
};

}  // namespace paravent::crypto::vault
