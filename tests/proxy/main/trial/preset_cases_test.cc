// Every preset keeps the promises of its recorded cases (tests/policies/presets), as `paravent
// test` would run them; and every preset but the two with tests of their own has such cases.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include "policies/model/load_policy.h"
#include "policies/model/preset.h"
#include "proxy/main/trial/policy_test.h"

namespace paravent::proxy::main {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = "tests/policies/presets";
constexpr std::string_view kSuffix = ".test.yaml";
// tests/e2e/cases/contact_form.py and analytics.py.
const std::set<std::string> kTestedElsewhere = {"contact-form", "analytics-ip"};

std::set<std::string> names_with_cases() {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    const std::string file = entry.path().filename().string();
    if (file.ends_with(kSuffix)) names.insert(file.substr(0, file.size() - kSuffix.size()));
  }
  return names;
}

TEST(PresetCases, EveryPresetHasSome) {
  const auto names = names_with_cases();
  for (const policies::Preset& preset : policies::presets()) {
    const std::string name(preset.name);
    EXPECT_TRUE(names.contains(name) || kTestedElsewhere.contains(name)) << name;
  }
}

// In its head, in front of the policy, where whoever copies it reads it.
TEST(PresetCases, EachSaysWhatItProtectsAndWhatItLeaves) {
  for (const policies::Preset& preset : policies::presets()) {
    const std::string_view head = preset.text.substr(0, preset.text.find("\npolicy:"));
    for (const std::string_view sentence :
         {"# WHAT IT PROTECTS: ", "# WHAT IT LEAVES, AND WHY: "}) {
      const std::size_t at = head.find(sentence);
      ASSERT_NE(at, std::string_view::npos) << preset.name << " does not say " << sentence;
      EXPECT_GT(head.find('\n', at) - at, 60U) << preset.name;
    }
  }
}

TEST(PresetCases, AllPass) {
  for (const std::string& name : names_with_cases()) {
    SCOPED_TRACE(name);
    const auto loaded = policies::load_preset(name, {});
    ASSERT_TRUE(loaded) << "no such preset";
    ASSERT_TRUE(loaded->ok());
    auto explainer = Explainer::create(loaded->policy);
    ASSERT_TRUE(explainer);
    const auto file = load_policy_test((kFolder / (name + std::string(kSuffix))).string());
    ASSERT_FALSE(file.diagnostics.has_errors());
    ASSERT_FALSE(file.cases.empty());
    EXPECT_EQ(fs::path(file.policy).filename().string(), name + ".yaml");
    for (const PolicyTestCase& one : file.cases) {
      for (const std::string& failure : failures_of(one, (*explainer)->explain(one.request))) {
        ADD_FAILURE() << one.name << ": " << failure;
      }
    }
  }
}

}  // namespace
}  // namespace paravent::proxy::main
