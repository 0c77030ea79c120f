// What holds for every function of the folder, whatever comes in.

#include <gtest/gtest.h>

#include <random>

#include "tests/crypto/tokens/cases.h"
#include "tests/crypto/tokens/naughty_strings.h"
#include "tests/proxy/pipeline/generalise/every_function.h"

namespace paravent::proxy::testing {
namespace {

const std::string kCases = "tests/proxy/pipeline/generalise/cases/";

// All columns of all case files: values, results and settings alike.
std::vector<std::string> seeds() {
  std::vector<std::string> all = crypto::testing::naughty_strings();
  const std::pair<const char*, std::size_t> files[] = {
      {"age_band", 5},   {"bare_address", 2}, {"bins", 3},       {"dates", 5},
      {"decimal", 3},    {"department", 2},   {"gps_grid", 4},   {"language", 2},
      {"shift_date", 3}, {"url", 4},          {"user_agent", 3}, {"truncate_address", 4}};
  for (const auto& [name, columns] : files) {
    for (auto& row : crypto::testing::read_cases(kCases + name + ".tsv", columns)) {
      for (auto& field : row) all.push_back(std::move(field));
    }
  }
  return all;
}

void check(const std::string& value) {
  for (const Function& function : every_function()) {
    EXPECT_EQ(broken_law(function, value), "") << function.name << " on " << value;
  }
}

TEST(Generalisation, NaughtyStringsAndCasesObeyTheLaws) {
  const auto all = seeds();
  ASSERT_GT(all.size(), 1500U);
  for (const auto& value : all) check(value);
}

TEST(Generalisation, MutatedCasesObeyTheLaws) {
  std::mt19937 rng(5);
  const auto all = seeds();
  for (int i = 0; i < 10'000; ++i) {
    std::string value = all[rng() % all.size()];
    for (unsigned edits = rng() % 4; edits > 0 && !value.empty(); --edits) {
      const std::size_t at = rng() % value.size();
      if (rng() % 2 == 0) value[at] = static_cast<char>(rng());
      if (rng() % 3 == 0) value.erase(at, 1);
      if (rng() % 3 == 0) value.insert(at, all[rng() % all.size()].substr(0, 4));
    }
    check(value);
  }
}

// Of a value that is refused, and of one that is cut, nothing comes out that was not meant to.
TEST(Generalisation, NothingOfARefusedValueComesOut) {
  const std::string secret = "jane.doe@example.org";
  for (const Function& function : every_function()) {
    if (function.name == "truncate_text" || function.name == "url") continue;
    std::string out;
    if (function.append(secret, out)) {
      EXPECT_EQ(out.find("jane"), std::string::npos) << function.name;
    }
  }
}

}  // namespace
}  // namespace paravent::proxy::testing
