// Who is meant by a clear value, where one person may be kept under more than one form of it.

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <span>
#include <string>

#include "tests/proxy/admin/admin_testing.h"

namespace paravent::proxy::admin {
namespace {

class Finder : public testing::Test {
 protected:
  static std::string policy() {
    std::string text = admin_test_policy();
    const std::string old = "dpo: { reveal: clear }";
    return text.replace(text.find(old), old.size(), "dpo: { reveal: clear, subjects: true }");
  }

  // Somebody whom this normal form tells, as a request would have made them.
  void keep(const std::string& form) {
    crypto::vault::ContextSpec spec;
    spec.purpose = "contact";
    spec.kind = crypto::Kind::phone;
    spec.algorithm = crypto::Algorithm::subject_reference;
    const auto bound = api_.vault->bind("atelier", std::span(&spec, 1));
    ASSERT_TRUE(bound);
    auto batch = std::make_shared<crypto::vault::ResolveBatch>();
    batch->values = form;
    batch->subject.emplace();
    batch->subject->key_id = bound->front().key.key_id;
    batch->subject->end = static_cast<std::uint32_t>(form.size());
    batch->subject->needs_key = true;
    std::promise<void> answered;
    batch->done = [&answered] { answered.set_value(); };
    api_.vault->resolve(batch);
    answered.get_future().wait();
    ASSERT_EQ(batch->status, crypto::vault::ResolveStatus::ok);
  }
  AdminResponse ask(const std::string& door, const std::string& number) {
    return api_.post("dpo", "/v1/subjects/" + door,
                     R"({"reason":"r","identifier":{"kind":"phone","value":")" + number + "\"}}");
  }
  std::size_t found(const std::string& number) {
    const AdminResponse answer = ask("locate", number);
    EXPECT_EQ(answer.status, 200) << answer.body;
    if (answer.status != 200) return 0;
    return boost::json::parse(answer.body).at("subjects").as_array().size();
  }

  Api api_{policy()};
};

TEST_F(Finder, ANumberOfTheFrenchOverseasPlanMeansItsEarlierFormsToo) {
  keep("+262976212345");  // before its form became the next one
  for (const char* number : {"0976 21 23 45", "+262 976 21 23 45", "+33 976 21 23 45"}) {
    EXPECT_EQ(found(number), 1U) << number;
  }
  keep("+33976212345");
  EXPECT_EQ(found("0976 21 23 45"), 2U);
  EXPECT_EQ(found("0976 21 23 46"), 0U);
  const AdminResponse several = ask("export", "0976 21 23 45");
  EXPECT_EQ(several.status, 400);
  EXPECT_NE(several.body.find("several-subjects"), std::string::npos);
  EXPECT_EQ(ask("erase", "+262 976 21 23 45").status, 200);
  EXPECT_EQ(found("0976 21 23 45"), 0U);
}

// "Nobody" would be believed: of an erasure too.
TEST_F(Finder, AKindOrAValueThatIsNoneIsNobodysAnswer) {
  const auto told = [this](const std::string& kind, const std::string& value) {
    const AdminResponse answer = api_.post(
        "dpo", "/v1/subjects/erase",
        R"({"reason":"r","identifier":{"kind":")" + kind + R"(","value":")" + value + "\"}}");
    EXPECT_EQ(answer.status, 400) << answer.body;
    return std::string(boost::json::parse(answer.body).at("title").as_string());
  };
  EXPECT_EQ(told("Email", "anne@example.fr"),
            "There is no kind of that name. Did you mean \"email\"?");
  const std::string mixed_up = told("anne@example.fr", "email");
  EXPECT_EQ(mixed_up.find("anne"), std::string::npos);
  EXPECT_NE(mixed_up.find("One of text, name, email"), std::string::npos) << mixed_up;
  const std::uint64_t before = api_.log().size();
  EXPECT_EQ(told("email", "notanemail"), "The value of the identifier is none of its kind.");
  ASSERT_EQ(api_.log().size(), before + 1);
  const auto entry = std::move(api_.entries(before).at(0));
  EXPECT_EQ(entry.open.outcome, crypto::audit::Outcome::refused);
  EXPECT_EQ(entry.detail->object + " " + entry.detail->remark, "erase malformed-value");
}

}  // namespace
}  // namespace paravent::proxy::admin
