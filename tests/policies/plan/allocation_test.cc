// Look-ups on the data path allocate nothing: counted at operator new.

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "policies/model/preset.h"
#include "policies/plan/compiler.h"
#include "policies/plan/json_matcher.h"
#include "tests/support/allocation_counter.h"

namespace paravent::policies {
namespace {

TEST(Allocations, TheCounterCounts) {
  const std::uint64_t before = paravent::testing::allocations();
  const std::string text(1000, 'x');
  EXPECT_GT(paravent::testing::allocations(), before);
  EXPECT_EQ(text.size(), 1000U);
}

TEST(Allocations, LookUpsMakeNone) {
  const auto contact = load_preset("contact-form", {});
  auto analytics = load_preset("analytics-ip", {});
  ASSERT_TRUE(contact.has_value() && analytics.has_value());
  const std::array<Policy, 2> policies = {contact->policy, analytics->policy};
  const auto plan = compile(policies);
  ASSERT_TRUE(plan.has_value());
  const std::string long_name(500, 'q');
  const std::array<PathStep, 3> path = {PathStep{"a", 0, false}, PathStep{{}, 4, true},
                                        PathStep{"email", 0, false}};

  const std::uint64_t before = paravent::testing::allocations();
  std::size_t found = 0;
  for (const char* target : {"/contact", "/matomo.php", "/js/script.hash.js", "/nothing"}) {
    const RouteMatch match = (*plan)->route_for("POST", "www.example.org", target);
    const RoutePlan* route = match.route;
    if (route == nullptr) continue;
    for (const std::string_view name :
         {std::string_view("email"), std::string_view("csrf_x"), std::string_view(long_name)}) {
      for (const Carrier carrier :
           {Carrier::form, Carrier::multipart, Carrier::query, Carrier::header, Carrier::cookie}) {
        if (route->find(carrier, name) != nullptr) ++found;
      }
    }
    if (route->find_json(path) != nullptr) ++found;
    if (route->json_matcher()->may_match_below(path)) ++found;
  }
  EXPECT_EQ(paravent::testing::allocations(), before);
  EXPECT_GT(found, 0U);
}

}  // namespace
}  // namespace paravent::policies
