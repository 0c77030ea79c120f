// What a restore with older keys costs: what counts as lost, and what does not.

#include "proxy/main/installation/restore_cost.h"

#include <gtest/gtest.h>

#include <chrono>

namespace paravent::proxy::main {
namespace {

using crypto::vault::IndexReport;

// Rows under contexts that are lacking, and of persons whose keys are not there.
IndexReport some_closed() {
  IndexReport report;
  report.rows = 9;
  report.lacking = 2;
  report.without_person = 3;
  return report;
}

TEST(RestoreCost, RowsOfPersonsWithoutAKeyAreLostOnlyWherePeoplesKeysAreLacking) {
  RestoreCost cost;
  cost.older_keys = cost.has_facts = true;
  count_rows(some_closed(), cost);
  EXPECT_EQ(cost.rows_lacking, 2U) << "the newest key is there: the others were destroyed";
  cost.people_lacking = true;
  count_rows(some_closed(), cost);
  EXPECT_EQ(cost.rows_lacking, 5U);
  // A data backup that does not name the newest key says nothing about it.
  cost.people_lacking = cost.has_facts = false;
  count_rows(some_closed(), cost);
  EXPECT_EQ(cost.rows_lacking, 5U);
}

TEST(RestoreCost, WithKeysThatAreNotOlderNothingIsLost) {
  RestoreCost cost;
  cost.has_facts = true;
  count_rows(some_closed(), cost);
  EXPECT_EQ(cost.rows_lacking, 0U);
  EXPECT_TRUE(check_accepted(cost, {}));
}

// The key backup's head is so much later than the data backup's.
bool is_older(const crypto::vault::ArchiveFacts& in_data,
              const crypto::vault::ArchiveFacts& in_keys, std::chrono::hours later) {
  crypto::vault::BackupInfo data;
  crypto::vault::BackupInfo keys;
  keys.made = data.made + later;
  RestoreCost cost;
  order_of(data, {in_data, 0, 0}, keys, {in_keys, 0, 0}, cost);
  return cost.older_keys;
}

TEST(RestoreCost, KeysAreOlderWhereTheCountOfKeyBackupsOrTheHeadsSaySo) {
  constexpr std::chrono::hours kLater{1};
  EXPECT_TRUE(is_older({{"key-backups", "4"}}, {{"key-backups", "4"}}, kLater));
  EXPECT_TRUE(is_older({{"key-backups", "12"}}, {{"key-backups", "4"}}, kLater));
  EXPECT_FALSE(is_older({{"key-backups", "3"}}, {{"key-backups", "4"}}, kLater));
  // A keys folder of before was put back, and its register with it.
  EXPECT_TRUE(is_older({{"key-backups", "3"}}, {{"key-backups", "4"}}, -kLater));
  // Backups that do not count.
  EXPECT_FALSE(is_older({}, {{"key-backups", "4"}}, kLater));
  EXPECT_FALSE(is_older({{"key-backups", "4"}}, {}, kLater));
  EXPECT_TRUE(is_older({}, {}, -kLater));
  // The key store goes before all of it.
  EXPECT_TRUE(is_older({{"key-backups", "3"}, {"keys-generation", "9"}},
                       {{"key-backups", "4"}, {"keys-generation", "8"}}, kLater));
  EXPECT_FALSE(is_older({{"key-backups", "4"}, {"keys-generation", "8"}},
                        {{"key-backups", "4"}, {"keys-generation", "9"}}, -kLater));
}

}  // namespace
}  // namespace paravent::proxy::main
