// What a restore with older keys costs: what counts as lost, and what does not.

#include "proxy/main/installation/restore_cost.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace paravent::proxy::main
