// A tenant's log takes no entry that the installation's log could not miss.

#include "proxy/admin/audit_logs.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/proxy/admin/admin_testing.h"

namespace paravent::proxy::admin {
namespace {

using crypto::audit::EventKind;

TEST(AuditLogs, NobodyGetsALogThatTheInstallationsDoesNotSpeakOf) {
  const TempFolder folder;
  const MovedClock clock;
  const auto vault = crypto::vault::Vault::in_memory(clock).value();
  const std::vector<crypto::vault::PolicyNames> names{{"atelier", {"crm"}, {"contact"}}};
  ASSERT_TRUE(vault->admit_names(names));
  const auto tenant = vault->tenant_id("atelier").value();
  const auto audit = folder.path() / "audit";
  std::filesystem::create_directory(audit);
  const auto logs =
      AuditLogs::open(audit, *vault, clock, crypto::audit::OpenMode::create_if_missing).value();

  // Only the installation's log cannot be written.
  std::filesystem::rename(audit / "installation", audit / "away");
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(logs->open_tenant(tenant));
    EXPECT_EQ(logs->tenant(tenant), nullptr);
    EXPECT_EQ(&logs->tenant_or_installation(tenant), &logs->installation());
  }
  std::filesystem::rename(audit / "away", audit / "installation");
  ASSERT_TRUE(logs->open_tenant(tenant));
  ASSERT_NE(logs->tenant(tenant), nullptr);
  EXPECT_TRUE(logs->tenant(tenant)->append({}));

  const auto records = logs->installation().read(0, 10).value();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].open.event, EventKind::log_checkpoint);
  EXPECT_NE(records[0].detail->object.find(crypto::vault::id_hex(tenant)), std::string::npos);
}

// Whether a policy names its tenant or not: what is done about its keys goes on its own record.
TEST(AuditLogs, EveryLogWithAHistoryIsOpened) {
  const TempFolder folder;
  const MovedClock clock;
  const auto vault = crypto::vault::Vault::in_memory(clock).value();
  const std::vector<crypto::vault::PolicyNames> names{{"atelier", {"crm"}, {"contact"}},
                                                      {"second", {"crm"}, {"contact"}}};
  ASSERT_TRUE(vault->admit_names(names));
  const auto known = vault->tenant_id("atelier").value();
  const auto silent = vault->tenant_id("second").value();
  const auto audit = folder.path() / "audit";
  std::filesystem::create_directory(audit);
  const auto open = [&] {
    return AuditLogs::open(audit, *vault, clock, crypto::audit::OpenMode::create_if_missing)
        .value();
  };
  {
    const auto logs = open();
    ASSERT_TRUE(logs->open_tenant(known));
    ASSERT_TRUE(logs->tenant(known)->append({}));
  }
  const auto logs = open();
  EXPECT_EQ(logs->tenant(known), nullptr);
  ASSERT_TRUE(logs->open_with_history());
  ASSERT_NE(logs->tenant(known), nullptr);
  EXPECT_EQ(logs->tenant(known)->size(), 1U);
  EXPECT_EQ(logs->tenant(silent), nullptr);
  EXPECT_FALSE(std::filesystem::exists(audit / crypto::vault::id_hex(silent)));
}

}  // namespace
}  // namespace paravent::proxy::admin
