// Golden policies: tests/policies/golden/NAME.yaml is loaded, and what it gets is compared with
// NAME.expected, byte for byte. Adding a case is adding the two files. What a policy without errors
// promises about equality is compared with NAME.promises where there is one.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "policies/model/equality_promise.h"
#include "policies/model/load_policy.h"
#include "tests/support/whole_file.h"

namespace paravent::policies {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "tests/policies/golden";

std::string read(const fs::path& path) {
  EXPECT_TRUE(std::filesystem::exists(path)) << path;
  return test::whole_file(path);
}

std::vector<std::string> names_with(const std::string& extension) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == extension) names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, GetsTheExpectedDiagnostics) {
  const fs::path file = fs::path(kFolder) / (GetParam() + ".yaml");
  const LoadedPolicy loaded = load_policy_text(GetParam() + ".yaml", read(file));
  EXPECT_EQ(diagnostics_text(loaded.diagnostics),
            read(fs::path(kFolder) / (GetParam() + ".expected")));
}

INSTANTIATE_TEST_SUITE_P(Policies, Golden, testing::ValuesIn(names_with(".yaml")),
                         [](const auto& test) { return test.param; });

class GoldenPromises : public testing::TestWithParam<std::string> {};

TEST_P(GoldenPromises, AreTheExpectedSentences) {
  const LoadedPolicy loaded =
      load_policy_file((fs::path(kFolder) / (GetParam() + ".yaml")).string());
  ASSERT_TRUE(loaded.ok());
  std::string text;
  for (const Promise& promise : equality_promises(loaded.policy)) {
    text += promise_text(promise) + '\n';
  }
  EXPECT_EQ(text, read(fs::path(kFolder) / (GetParam() + ".promises")));
}

INSTANTIATE_TEST_SUITE_P(Policies, GoldenPromises, testing::ValuesIn(names_with(".promises")),
                         [](const auto& test) { return test.param; });

TEST(GoldenFolder, EveryCaseIsAPairOfFiles) {
  EXPECT_GE(names_with(".yaml").size(), 15U);
  EXPECT_EQ(names_with(".yaml"), names_with(".expected"));
}

TEST(GoldenFolder, TenMistakesGetTenDiagnostics) {
  const LoadedPolicy loaded = load_policy_file(std::string(kFolder) + "/ten_mistakes.yaml");
  EXPECT_EQ(loaded.diagnostics.count(Severity::error), 10U);
  EXPECT_EQ(loaded.diagnostics.items().size(), 10U);
  EXPECT_FALSE(loaded.ok());
}

}  // namespace
}  // namespace paravent::policies
