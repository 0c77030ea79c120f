// Bodies with texts, numbers, lists and maps: what is taken, and what is refused by name.

#include "proxy/admin/body_members.h"

#include <gtest/gtest.h>

#include <array>

namespace paravent::proxy::admin {
namespace {

constexpr std::array<MemberRule, 4> kRules{{{"reason", MemberType::text, 10},
                                            {"hours", MemberType::number, 720},
                                            {"fields", MemberType::list, 3},
                                            {"values", MemberType::map, 2}}};

std::string fault_of(std::string_view body) {
  const auto read = read_body_members(body, kRules);
  return read ? "" : read.error().sentence();
}

TEST(BodyMembers, TakesEveryType) {
  const auto read = read_body_members(
      R"({"reason":"caf\u00e9","hours":720,"fields":["a","b"],"values":{"form.a":"1","b":""}})",
      kRules);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->text("reason"), "caf\xC3\xA9");
  EXPECT_EQ(read->number("hours"), 720U);
  EXPECT_EQ(read->list("fields"), (std::vector<std::string>{"a", "b"}));
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(read->maps.at("values"), (Pairs{{"form.a", "1"}, {"b", ""}}));
  const auto empty = read_body_members("{}", kRules);
  ASSERT_TRUE(empty.has_value());
  EXPECT_EQ(empty->text("reason"), "");
  EXPECT_FALSE(empty->number("hours").has_value());
  EXPECT_TRUE(empty->list("fields").empty());
}

TEST(BodyMembers, RefusesEverythingElseByName) {
  for (const auto& [body, fault] : std::vector<std::pair<std::string, std::string>>{
           {"", "The body is not strict JSON."},
           {"[]", "The body must be one object."},
           {"1", "The body must be one object."},
           {R"({"reason":"x"} )" + std::string("{}"), "The body is not strict JSON."},
           {R"({"reason":"x","reason":"y"})", "The body is not strict JSON."},
           {R"({"secret":"x"})", "The only members are reason, hours, fields, values."},
           {R"({"reason":1})", "The member reason must be a string."},
           {R"({"reason":["x"]})", "The member reason must be a string."},
           {R"({"reason":"12345678901"})", "The member reason goes beyond its limit of 10."},
           {R"({"hours":"1"})", "The member hours must be a whole number."},
           {R"({"hours":1.5})", "The member hours must be a whole number."},
           {R"({"hours":1e2})", "The member hours must be a whole number."},
           {R"({"hours":-1})", "The member hours must be a whole number."},
           {R"({"hours":721})", "The member hours goes beyond its limit of 720."},
           {R"({"hours":99999999999999999999})", "The member hours must be a whole number."},
           {R"({"fields":"a"})", "The member fields must be an array of strings."},
           {R"({"fields":{"a":"b"}})", "The member fields must be an array of strings."},
           {R"({"fields":[1]})", "The member fields must be an array of strings."},
           {R"({"fields":[["a"]]})", "The member fields must be an array of strings."},
           {R"({"fields":["a","b","c","d"]})", "The member fields goes beyond its limit of 3."},
           {R"({"values":["a"]})", "The member values must be an object of strings."},
           {R"({"values":{"a":{"b":"c"}}})", "The member values must be an object of strings."},
           {R"({"values":{"a":"1","b":"2","c":"3"}})",
            "The member values goes beyond its limit of 2."}}) {
    EXPECT_EQ(fault_of(body), fault) << body;
  }
}

TEST(BodyMembers, ABombOfBracketsIsRefused) {
  EXPECT_FALSE(read_body_members("{\"fields\":" + std::string(1'000'000, '['), kRules));
  std::string wide = "{\"values\":{";
  for (int i = 0; i < 100'000; ++i) wide += "\"" + std::to_string(i) + "\":\"\",";
  EXPECT_FALSE(read_body_members(wide + "\"x\":\"\"}}", kRules));
}

}  // namespace
}  // namespace paravent::proxy::admin
