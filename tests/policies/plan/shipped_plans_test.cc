// What the presets do with the names that real programs send (presets' own promises).

#include <gtest/gtest.h>

#include "policies/model/preset.h"
#include "policies/plan/compiler.h"

namespace paravent::policies {
namespace {

std::shared_ptr<const PolicyPlan> plan_of(std::string_view preset) {
  const auto loaded = load_preset(preset, {});
  EXPECT_TRUE(loaded.has_value());
  const auto plan = compile(std::span<const Policy>(&loaded->policy, 1));
  EXPECT_TRUE(plan.has_value());
  return *plan;
}

ActionKind action_of(const FieldAction* action) {
  EXPECT_NE(action, nullptr);
  return action == nullptr ? ActionKind::keep : action->action;
}

TEST(AnalyticsIp, DropsEveryAddressOfMatomo) {
  const auto plan = plan_of("analytics-ip");
  for (const char* path : {"/matomo.php", "/piwik.php"}) {
    for (const char* method : {"GET", "POST"}) {
      const RouteMatch match = plan->route_for(method, "stats.example", path);
      ASSERT_NE(match.route, nullptr);
      const RoutePlan& route = *match.route;
      EXPECT_EQ(route.client_address, ClientAddress::drop);
      EXPECT_EQ(action_of(route.find(Carrier::query, "cip")), ActionKind::drop);
      EXPECT_EQ(action_of(route.find(Carrier::form, "cip")), ActionKind::drop);
      EXPECT_EQ(action_of(route.find(Carrier::query, "ua")), ActionKind::generalise);
      EXPECT_EQ(action_of(route.find(Carrier::header, "User-Agent")), ActionKind::generalise);
      EXPECT_EQ(action_of(route.find(Carrier::header, "Sec-CH-UA-Model")), ActionKind::drop);
      for (const char* name : {"idsite", "rec", "url", "_id", "action_name", "res", "cvar"}) {
        EXPECT_EQ(route.find(Carrier::query, name), nullptr) << name;
        EXPECT_EQ(route.find(Carrier::form, name), nullptr) << name;
      }
      EXPECT_EQ(route.unlisted, Unlisted::keep);
    }
  }
}

TEST(AnalyticsIp, ReadsMatomosBulkAndRefusesItsDisguises) {
  const auto plan = plan_of("analytics-ip");
  const RoutePlan& route = *plan->route_for("POST", "", "/matomo.php").route;
  EXPECT_TRUE(route.accepts(Carrier::json));
  EXPECT_FALSE(route.accepts(Carrier::multipart));
  EXPECT_TRUE(route.accepts(Carrier::form));
  EXPECT_TRUE(route.text_plain.json);
  // As PHP reads an address whose name has other spellings.
  for (const char* name : {"cip", " cip", "cip[]", "cip[x]"}) {
    EXPECT_EQ(action_of(route.find(Carrier::query, name)), ActionKind::drop) << name;
  }
  // The first field name that the form codec sees in {"requests":["?idsite=1&..."]} and its like.
  for (const char* name : {R"({"requests":["?idsite)", R"({'requests':['?idsite)", R"({"a)",
                           "\n {\"token_auth\":\"x\",\"requests\":[\"?rec"}) {
    EXPECT_EQ(action_of(route.find(Carrier::form, name)), ActionKind::refuse) << name;
  }
}

TEST(AnalyticsIp, ReadsPlausiblesJsonUnderTextPlain) {
  const auto plan = plan_of("analytics-ip");
  const RoutePlan& route = *plan->route_for("POST", "", "/api/event").route;
  EXPECT_TRUE(route.text_plain.json);
  EXPECT_TRUE(route.accepts(Carrier::json));
  EXPECT_FALSE(route.accepts(Carrier::form));
  const PathStep url{"u", 0, false};
  EXPECT_EQ(route.find_json({&url, 1}), nullptr);
  EXPECT_EQ(action_of(route.find(Carrier::header, "user-agent")), ActionKind::generalise);
  for (const char* script : {"/js/script.js", "/js/script.outbound-links.js", "/matomo.js"}) {
    const RouteMatch match = plan->route_for("GET", "", script);
    ASSERT_NE(match.route, nullptr) << script;
    EXPECT_EQ(match.route->client_address, ClientAddress::drop);
  }
  EXPECT_EQ(plan->route_for("GET", "", "/admin").route, nullptr);
}

TEST(ContactForm, TakesThreeCarriersAndEncryptsTheRest) {
  const auto plan = plan_of("contact-form");
  const RoutePlan& route = *plan->route_for("POST", "", "/contact").route;
  for (const Carrier carrier : {Carrier::form, Carrier::multipart, Carrier::json}) {
    EXPECT_TRUE(route.accepts(carrier));
  }
  EXPECT_EQ(route.unlisted_action.action, ActionKind::encrypt);
  EXPECT_EQ(action_of(route.find(Carrier::form, "csrf_token")), ActionKind::keep);
  EXPECT_EQ(route.find(Carrier::form, "birthday"), nullptr);
  // The page with the form passes; a query that carries the form's fields is for the data path to
  // refuse.
  const RouteMatch page = plan->route_for("GET", "", "/contact");
  ASSERT_NE(page.route, nullptr);
  EXPECT_EQ(page.route->mode, RouteMode::pass);
  EXPECT_EQ(page.protected_route, &route);
  EXPECT_EQ(plan->route_for("PUT", "", "/contact").route, nullptr);
}

}  // namespace
}  // namespace paravent::policies
