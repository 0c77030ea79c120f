// The gateway's own thread ends keys on time: nobody asks for it, and each step is on record first.

#include "proxy/main/keepers/key_keeper.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "crypto/vault/engine/upkeep/key_admin.h"
#include "crypto/vault/engine/upkeep/retention_keeper.h"
#include "crypto/vault/engine/upkeep/subject_admin.h"
#include "tests/proxy/admin/admin_testing.h"
#include "tests/proxy/main/come.h"

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

// A clock that was ahead at a start has disabled somebody; then it is right, and somebody says so.
TEST_F(KeyKeeperTest, WhomAWrongClockDisabledIsBackWhenItIsConfirmed) {
  KeyAdmin keys(*api_.vault);
  const std::array stated{crypto::vault::PurposeRetention{
      "atelier", "contact",
      crypto::vault::RetentionRule{crypto::vault::CountsFrom::contact, {12, 0}, {}}}};
  ASSERT_TRUE(keys.set_retentions(stated));
  ASSERT_TRUE(keys.confirm());
  come(*api_.vault, "anne@example.fr");
  const crypto::vault::SubjectAdmin people(*api_.vault);
  const auto anne = people.find(api_.tenant, crypto::Kind::email, "anne@example.fr").value();
  const auto is_disabled = [&] { return people.info(anne)->purposes.front().disabled.has_value(); };
  const auto until = [](auto condition) {
    for (int i = 0; i < 3000 && !condition(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return condition();
  };
  const auto keeper = [&](std::chrono::milliseconds tick) {
    return std::make_unique<KeyKeeper>(
        *api_.vault, *api_.logs, [] {}, [](bool) {}, tick);
  };
  // As a gateway's start does: while the clock is behind no log gets a new month's key.
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::start;
  ASSERT_TRUE(api_.logs->installation().append(entry));
  ASSERT_TRUE(api_.log().append(entry));
  constexpr hours kFiveYears{24 * 365 * 5};
  api_.clock.move(kFiveYears);
  auto running = keeper(KeyKeeper::kTick);
  ASSERT_TRUE(until(is_disabled));
  running.reset();
  api_.clock.move(-kFiveYears);
  running = keeper(std::chrono::milliseconds(10));
  ASSERT_TRUE(until([&] { return keys.freeze_info().keeper.frozen(); }));
  EXPECT_TRUE(is_disabled()) << "which of the clocks is right nobody has said yet";
  // A few looks later.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  ASSERT_TRUE(keys.confirm());
  EXPECT_TRUE(until([&] { return !is_disabled(); }));
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
        *vault, *logs, [] {}, ticked, std::chrono::milliseconds(10));
    for (int i = 0; i < 3000 && !told_failed; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_TRUE(told_failed) << "it is still in the way, and that is said";
    EXPECT_TRUE(keys.erasure_is_due());
    EXPECT_FALSE(on_record());
    fs::remove_all(secret);
    fs::rename(folder.path() / "aside", secret);
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
