// The gateway's own thread ends keys on time: nobody asks for it, and each step is on record first.

#include "proxy/main/keepers/key_keeper.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "crypto/vault/engine/upkeep/key_admin.h"
#include "crypto/vault/engine/upkeep/retention_keeper.h"
#include "tests/proxy/admin/admin_testing.h"

namespace paravent::proxy::main {
namespace {

using crypto::vault::KeyAdmin;
using crypto::vault::KeyInfo;
using crypto::vault::KeyOperation;
using crypto::vault::KeyState;
using std::chrono::hours;

class FakeMonotonic final : public crypto::MonotonicClock {
 public:
  crypto::MonotonicTime now() const noexcept override { return time; }
  crypto::MonotonicTime time{};
};

// So that time passes up to a destruction, and not over it.
class NoDestruction final : public crypto::vault::KeeperJournal {
 public:
  crypto::Status record(KeyOperation operation, std::span<const KeyInfo>) override {
    if (operation == KeyOperation::destroy) return crypto::Error(crypto::ErrorKind::disk_full);
    return {};
  }
  crypto::Status record_freeze(crypto::vault::Freeze) override { return {}; }
};

class KeyKeeperTest : public testing::Test {
 protected:
  KeyKeeperTest() {
    token_ = api_.token_of("form.email", "anne@example.fr");
    const std::array stated{crypto::vault::PurposeRetention{
        "atelier", "contact",
        crypto::vault::RetentionRule{crypto::vault::CountsFrom::collection, {1, 0}, {}}}};
    KeyAdmin keys(*api_.vault);
    EXPECT_TRUE(keys.set_retentions(stated));
    EXPECT_TRUE(keys.confirm());
    key_ = key_of_token().record.id;
  }
  KeyInfo key_of_token() {
    for (const KeyInfo& key : KeyAdmin(*api_.vault).list()) {
      if (key.record.key_class == crypto::vault::KeyClass::epoch && key.purpose == "contact" &&
          key.due) {
        return key;
      }
    }
    ADD_FAILURE() << "no key that ends";
    return {};
  }
  KeyState state() { return KeyAdmin(*api_.vault).find(key_)->record.condition.state; }
  std::string status() {
    return admin::Api::results(api_.reidentify("dpo", "contact", {token_})).front().status;
  }
  // As the gateway does, until the key is in this state.
  void keep_until(KeyState wanted) {
    std::atomic<bool> failed{false};
    const KeyKeeper keeper(
        *api_.vault, *api_.logs, [this] { ++changed_; }, [&](bool now) { failed = now; });
    for (int i = 0; i < 6000 && (state() != wanted || changed_ == 0); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_FALSE(failed);
  }
  void expect_on_record(std::uint64_t from, std::string_view operation) {
    const auto entries = api_.entries(from);
    EXPECT_TRUE(std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
      return entry.open.event == crypto::audit::EventKind::key_operation && entry.detail &&
             entry.detail->operator_name == "retention keeper" &&
             entry.detail->object == "key " + crypto::vault::id_hex(key_) &&
             entry.detail->remark.starts_with(operation);
    })) << operation;
  }

  admin::Api api_;
  std::string token_;
  crypto::vault::Id key_{};
  std::atomic<int> changed_{0};
};

TEST_F(KeyKeeperTest, DisablesAndDestroysOnTimeAndOnRecord) {
  EXPECT_EQ(status(), "revealed");
  api_.clock.move(hours(24 * 100));
  auto before = api_.log().size();
  keep_until(KeyState::suspended);
  EXPECT_EQ(state(), KeyState::suspended) << "72 hours to notice a mistake";
  expect_on_record(before, "disable");
  EXPECT_EQ(status(), "unavailable");
  // Three days of running time later.
  FakeMonotonic monotonic;
  NoDestruction journal;
  {
    crypto::vault::RetentionKeeper keeper(*api_.vault, monotonic, journal);
    ASSERT_TRUE(keeper.tick());
    for (int hour = 0; hour < 73; ++hour) {
      api_.clock.move(hours(1));
      monotonic.time += hours(1);
      std::ignore = keeper.tick();
    }
  }
  EXPECT_EQ(state(), KeyState::suspended);
  changed_ = 0;
  before = api_.log().size();
  keep_until(KeyState::destroyed);
  EXPECT_EQ(state(), KeyState::destroyed);
  expect_on_record(before, "destroy");
  EXPECT_EQ(status(), "unavailable");
}

// The old shred secret could not be erased: the keeper tries again by itself, and says so.
TEST(KeyKeeper, ErasesWhatCouldNotBeErasedBefore) {
  namespace fs = std::filesystem;
  const admin::TempFolder folder;
  const crypto::SystemClock clock;
  auto data = crypto::vault::DataDirectory::create(folder.path() / "data").value();
  const auto vault =
      crypto::vault::Vault::initialise(data, crypto::vault::RootKey::ephemeral(), clock).value();
  const std::array names{crypto::vault::PolicyNames{"atelier", {"crm"}, {"contact"}}};
  ASSERT_TRUE(vault->admit_names(names));
  const auto logs = admin::AuditLogs::open(data.audit(), *vault, clock,
                                           crypto::audit::OpenMode::create_if_missing)
                        .value();
  KeyAdmin keys(*vault);
  // Where the secret should lie there is something that cannot be overwritten.
  const fs::path secret = data.keys() / "shred-secret";
  fs::rename(secret, folder.path() / "aside");
  fs::create_directories(secret / "in the way");
  const crypto::vault::Id tenant = vault->tenant_id("atelier").value();
  ASSERT_FALSE(keys.rotate(*keys.tenant_key(tenant)));
  ASSERT_TRUE(keys.erasure_is_due());
  const auto on_record = [&] {
    const auto entries = logs->installation().read(0, logs->installation().size());
    return entries && std::any_of(entries->begin(), entries->end(), [](const auto& entry) {
             return entry.detail && entry.detail->object == "shred secret";
           });
  };
  std::atomic<bool> told_failed{false};
  const auto ticked = [&](bool failed) { told_failed = failed; };
  {
    const KeyKeeper keeper(
        *vault, *logs, [] {}, ticked);
    for (int i = 0; i < 3000 && !told_failed; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_TRUE(told_failed) << "it is still in the way, and that is said";
    EXPECT_TRUE(keys.erasure_is_due());
  }
  EXPECT_FALSE(on_record());
  fs::remove_all(secret);
  fs::rename(folder.path() / "aside", secret);
  {
    const KeyKeeper keeper(
        *vault, *logs, [] {}, ticked);
    for (int i = 0; i < 3000 && (!on_record() || told_failed); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  EXPECT_FALSE(told_failed);
  EXPECT_FALSE(keys.erasure_is_due());
  EXPECT_TRUE(on_record());
  EXPECT_FALSE(fs::exists(data.keys() / "shred-secret.next"));
}

}  // namespace
}  // namespace paravent::proxy::main
