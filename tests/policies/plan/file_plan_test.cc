#include "policies/plan/file_plan.h"

#include <gtest/gtest.h>

#include <string>

#include "policies/model/load_policy.h"
#include "policies/plan/compiler.h"

namespace paravent::policies {
namespace {

std::shared_ptr<const PolicyPlan> plan_of(const std::string& rules, const std::string& route = "") {
  const LoadedPolicy loaded = load_policy_text(
      "test.yaml",
      "policy: 1\ntenant: t\nrecipients: { r: { name: R, country: FR } }\n"
      "purposes: { p: { basis: contract, retention: { active: P1Y } } }\n"
      "routes:\n  - name: form\n    match: { path: /f }\n    upstream: http://127.0.0.1:1\n"
      "    recipient: r\n    purpose: p\n" +
          route + "    fields:\n" + rules);
  EXPECT_TRUE(loaded.ok()) << diagnostics_text(loaded.diagnostics);
  return compile({&loaded.policy, 1}).value();
}

TEST(FilePlan, KnowsWhatBecomesOfFilesAndTheirNames) {
  const auto plan = plan_of(
      "      multipart.cv: { file: pass, metadata: strip }\n"
      "      multipart.photo*: { file: pass }\n"
      "      multipart.photo* > file-name: { do: tokenise }\n"
      "      multipart.old: { do: keep, file: drop }\n"
      "      multipart.note: { do: keep }\n");
  const RoutePlan& route = *plan->routes()[0];
  EXPECT_TRUE(route.streams_files);
  EXPECT_FALSE(route.any_order);
  const FieldAction* cv = route.find(Carrier::multipart, "cv");
  ASSERT_NE(cv, nullptr);
  ASSERT_NE(cv->file, nullptr);
  EXPECT_EQ(cv->action, ActionKind::refuse) << "what is no file";
  EXPECT_TRUE(cv->file->goes_on());
  EXPECT_TRUE(cv->file->rule.strip_metadata);
  ASSERT_NE(cv->file->name, nullptr) << "without a rule the name is dropped";
  EXPECT_EQ(cv->file->name->action, ActionKind::drop);
  EXPECT_EQ(cv->file->name->name, "multipart.cv > file-name");
  const FieldAction* photo = route.find(Carrier::multipart, "photo-1");
  ASSERT_NE(photo, nullptr);
  ASSERT_NE(photo->file, nullptr);
  EXPECT_EQ(photo->file->name->action, ActionKind::tokenise_vault);
  EXPECT_NE(photo->file->name->slot, kNoSlot);
  const FieldAction* old = route.find(Carrier::multipart, "old");
  EXPECT_FALSE(old->file->goes_on());
  EXPECT_EQ(old->file->name, nullptr);
  EXPECT_EQ(route.find(Carrier::multipart, "note")->file, nullptr);
  EXPECT_EQ(route.find(Carrier::file_name, "file-name"), nullptr) << "only inside of a part";
}

TEST(FilePlan, StreamsOnlyWhereFilesMayCome) {
  EXPECT_FALSE(plan_of("      multipart.a: { do: keep }\n")->routes()[0]->streams_files);
  EXPECT_FALSE(plan_of("      multipart.a: { file: refuse }\n")->routes()[0]->streams_files);
  EXPECT_TRUE(plan_of("      multipart.a: { file: drop }\n")->routes()[0]->streams_files);
  EXPECT_TRUE(plan_of("      multipart.a: { file: pass }\n", "    stream: any-order\n")
                  ->routes()[0]
                  ->any_order);
}

TEST(FilePlan, KnowsWhenTheSizeCannotChange) {
  const std::string kept =
      "      multipart.a: { file: pass }\n      multipart.a > file-name: { do: keep }\n";
  const auto constant = [](const std::string& rules, const std::string& route = "") {
    return plan_of(rules, route)->routes()[0]->constant_size;
  };
  EXPECT_TRUE(constant(kept));
  EXPECT_TRUE(constant(kept + "      multipart.email: { kind: email, do: tokenise }\n"));
  EXPECT_FALSE(constant(kept, "    stream: any-order\n"));
  EXPECT_FALSE(constant(kept, "    unlisted: drop\n"));
  EXPECT_FALSE(constant(kept + "      multipart.b: { do: drop }\n"));
  EXPECT_FALSE(constant(kept + "      multipart.b: { file: drop }\n"));
  EXPECT_FALSE(constant(kept + "      multipart.b: { file: pass }\n"));
  EXPECT_FALSE(
      constant("      multipart.a: { file: pass, metadata: strip }\n"
               "      multipart.a > file-name: { do: keep }\n"));
}

}  // namespace
}  // namespace paravent::policies
