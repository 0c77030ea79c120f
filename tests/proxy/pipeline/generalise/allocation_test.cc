// No heap once `out` has room: every function, over all cases. What ICU takes is taken when a zone
// is compiled.

#include <gtest/gtest.h>

#include "tests/crypto/tokens/cases.h"
#include "tests/proxy/pipeline/generalise/every_function.h"
#include "tests/support/allocation_counter.h"

namespace paravent::proxy::testing {
namespace {

TEST(Generalisation, AllocatesNothing) {
  std::vector<std::string> values;
  const std::string cases = "tests/proxy/pipeline/generalise/cases/";
  const std::pair<const char*, std::size_t> files[] = {
      {"age_band", 5}, {"bins", 3}, {"dates", 5},      {"department", 2}, {"gps_grid", 4},
      {"language", 2}, {"url", 4},  {"user_agent", 3}, {"shift_date", 3}, {"truncate_address", 4}};
  for (const auto& [name, columns] : files) {
    for (const auto& row : crypto::testing::read_cases(cases + name + ".tsv", columns)) {
      values.insert(values.end(), row.begin(), row.end());
    }
  }
  std::string out;
  out.reserve(4096);
  for (const Function& function : every_function()) {
    const std::uint64_t before = paravent::testing::allocations();
    std::size_t done = 0;
    for (const std::string& value : values) {
      out.clear();
      if (function.append(value, out)) ++done;
    }
    EXPECT_EQ(paravent::testing::allocations() - before, 0U) << function.name;
    EXPECT_GT(done, 0U) << function.name;
  }
}

}  // namespace
}  // namespace paravent::proxy::testing
