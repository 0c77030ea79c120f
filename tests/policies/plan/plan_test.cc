#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "policies/model/load_policy.h"
#include "policies/plan/compiler.h"

namespace paravent::policies {
namespace {

using crypto::Algorithm;
using crypto::EpochLength;
using crypto::Kind;
using crypto::vault::ContextSpec;

Policy policy_of(const std::string& text) {
  LoadedPolicy loaded = load_policy_text("test.yaml", text);
  EXPECT_TRUE(loaded.ok()) << diagnostics_text(loaded.diagnostics);
  return std::move(loaded.policy);
}

std::shared_ptr<const PolicyPlan> compiled(const std::vector<Policy>& policies) {
  auto plan = compile(policies);
  EXPECT_TRUE(plan.has_value()) << (plan.has_error() ? plan.error().sentence() : "");
  return plan.has_value() ? *plan : nullptr;
}

std::string head_of(const std::string& tenant) {
  return "policy: 1\ntenant: " + tenant +
         "\nrecipients: { crm: { name: CRM, country: FR } }\n"
         "purposes: { p: { basis: contract, retention: { active: P3Y } } }\nroutes:\n";
}

std::string route_of(const std::string& name, const std::string& match, const std::string& rest) {
  return "  - { name: " + name + ", match: " + match +
         ", upstream: \"http://127.0.0.1:9000\", recipient: crm, purpose: p, " + rest + " }\n";
}

TEST(Plan, CompilesTheContractsExample) {
  const LoadedPolicy loaded = load_policy_file("tests/policies/golden/contract.yaml");
  const auto plan = compiled({loaded.policy});
  ASSERT_NE(plan, nullptr);
  ASSERT_EQ(plan->routes().size(), 2U);
  const RoutePlan& route = *plan->routes()[0];
  EXPECT_EQ(route.name, "contact-form");
  EXPECT_EQ(route.mode, RouteMode::protect);
  EXPECT_EQ(route.client_address, ClientAddress::drop);
  EXPECT_EQ(plan->routes()[1]->name, "elsewhere");
  EXPECT_EQ(plan->routes()[1]->mode, RouteMode::pass);
  EXPECT_EQ(plan->upstreams().size(), 1U);

  const FieldAction* email = route.find(Carrier::form, "email");
  ASSERT_NE(email, nullptr);
  EXPECT_EQ(email->name, "form.email");
  EXPECT_EQ(email->action, ActionKind::tokenise_vault);
  EXPECT_EQ(email->shape, Shape::email);
  EXPECT_TRUE(email->is_subject);
  // The retention counts from the last contact, and the route says whose: erasable by person.
  ContextSpec bound{
      "crm", "contact", "email", Kind::email, Algorithm::vault_token, EpochLength::none};
  bound.subject_bound = true;
  EXPECT_EQ(plan->context_specs().at(email->slot), bound);
  const FieldAction* phone = route.find(Carrier::form, "phone");
  ASSERT_NE(phone, nullptr);
  EXPECT_EQ(plan->context_specs().at(phone->slot),
            (ContextSpec{"crm", "contact", "phone", Kind::phone, Algorithm::derived,
                         EpochLength::month}));
  const FieldAction* submit = route.find(Carrier::form, "submit");
  ASSERT_NE(submit, nullptr);
  EXPECT_EQ(submit->action, ActionKind::keep);
  EXPECT_EQ(submit->slot, kNoSlot);
  const FieldAction* agent = route.find(Carrier::header, "USER-agent");
  ASSERT_NE(agent, nullptr);
  EXPECT_EQ(agent->generalisation, Generalisation::browser_family);
  EXPECT_EQ(route.find(Carrier::form, "unknown"), nullptr);
  EXPECT_EQ(route.find(Carrier::query, "email"), nullptr);
  EXPECT_EQ(route.unlisted_action.action, ActionKind::refuse);
}

TEST(Plan, NumbersActionsDenselyWithTheirRoutes) {
  const LoadedPolicy loaded = load_policy_file("tests/policies/golden/contract.yaml");
  const auto plan = compiled({loaded.policy});
  // Seven rules and `unlisted` of the route, `unlisted` of elsewhere.
  ASSERT_EQ(plan->action_count(), 9U);
  ASSERT_EQ(plan->actions().size(), 9U);
  ASSERT_EQ(plan->action_routes().size(), 9U);
  for (std::uint32_t id = 0; id < plan->action_count(); ++id) {
    EXPECT_EQ(plan->actions()[id]->id, id);
  }
  EXPECT_EQ(plan->actions()[7], &plan->routes()[0]->unlisted_action);
  EXPECT_EQ(plan->action_routes()[7], 0U);
  EXPECT_EQ(plan->action_routes()[8], 1U);
}

TEST(Plan, RulesOfOneTenantShareEqualContextsAndTenantsDoNot) {
  const std::string route = route_of(
      "r", "{ path: /TENANT }",
      "fields: { form.a: { kind: name, do: tokenise }, form.b: { kind: name, do: tokenise }, "
      "form.c: { kind: name, do: tokenise, space: pupil }, form.d: { kind: name, do: encrypt } }");
  const auto text = [&](const std::string& tenant) {
    std::string r = route;
    r.replace(r.find("TENANT"), 6, tenant);
    return head_of(tenant) + r;
  };
  const auto plan = compiled({policy_of(text("one")), policy_of(text("two"))});
  ASSERT_EQ(plan->tenants().size(), 2U);
  EXPECT_EQ(plan->tenants()[0].first_slot, 0U);
  EXPECT_EQ(plan->tenants()[0].slots, 3U);
  EXPECT_EQ(plan->tenants()[1].first_slot, 3U);
  EXPECT_EQ(plan->tenants()[1].slots, 3U);
  const RoutePlan& one = *plan->routes()[0];
  const RoutePlan& two = *plan->routes()[1];
  EXPECT_EQ(one.find(Carrier::form, "a")->slot, one.find(Carrier::form, "b")->slot);
  EXPECT_NE(one.find(Carrier::form, "a")->slot, one.find(Carrier::form, "c")->slot);
  EXPECT_EQ(two.find(Carrier::form, "a")->slot, one.find(Carrier::form, "a")->slot + 3);
  EXPECT_EQ(two.tenant, 1U);
}

TEST(Plan, AcceptsTheBodiesThatItsRulesName) {
  const auto plan = compiled({policy_of(
      head_of("t") + route_of("form", "{ path: /form }", "fields: { form.a: { do: drop } }") +
      route_of("json", "{ path: /json }", "unlisted: keep, fields: { json.a: { do: drop } }") +
      route_of("any", "{ path: /any }", "unlisted: keep") +
      route_of("none", "{ path: /none }", "fields: { query.a: { do: drop } }"))});
  const auto& routes = plan->routes();
  EXPECT_TRUE(routes[0]->accepts(Carrier::form));
  EXPECT_FALSE(routes[0]->accepts(Carrier::json));
  EXPECT_FALSE(routes[0]->accepts(Carrier::multipart));
  EXPECT_TRUE(routes[1]->accepts(Carrier::json));
  EXPECT_FALSE(routes[1]->accepts(Carrier::form));
  for (const Carrier carrier : {Carrier::form, Carrier::json, Carrier::multipart}) {
    EXPECT_TRUE(routes[2]->accepts(carrier));
    EXPECT_FALSE(routes[3]->accepts(carrier));
  }
  EXPECT_TRUE(routes[3]->has_rules(Carrier::query));
  EXPECT_FALSE(routes[3]->has_rules(Carrier::form));
  EXPECT_TRUE(routes[1]->has_rules(Carrier::json));
}

TEST(Plan, KeepsTheArgumentsOfEveryRule) {
  const auto plan = compiled(
      {policy_of(head_of("t") + route_of("r", "{ path: /r }",
                                         "on-error: protect-raw, unlisted: encrypt, fields: { "
                                         "form.a: { do: replace, with: gone, max-len: 9 }, "
                                         "form.b: { do: truncate, length: 4, required: true }, "
                                         "form.c: { kind: ip, do: truncate, on-error: drop }, "
                                         "form.d: { kind: phone, do: tokenise, required: true }, "
                                         "query.e: { do: mask } }"))});
  const RoutePlan& route = *plan->routes()[0];
  const auto& find = [&](const char* name) { return route.find(Carrier::form, name); };
  EXPECT_EQ(find("a")->literal, "gone");
  EXPECT_EQ(find("a")->max_len, 9U);
  EXPECT_EQ(find("a")->on_error, OnError::refuse);  // replace cannot protect raw bytes
  EXPECT_EQ(find("b")->keep_length, 4U);
  EXPECT_EQ(find("c")->ipv4_bits, 16U);
  EXPECT_EQ(find("c")->ipv6_bits, 48U);
  EXPECT_EQ(find("c")->on_error, OnError::drop);
  EXPECT_EQ(find("d")->on_error, OnError::protect_raw);
  EXPECT_EQ(route.unlisted_action.on_error, OnError::protect_raw);
  EXPECT_EQ(route.unlisted_action.action, ActionKind::encrypt);
  EXPECT_NE(route.unlisted_action.slot, kNoSlot);
  ASSERT_EQ(route.required.size(), 2U);
  EXPECT_EQ(route.required[0], find("b"));
  EXPECT_EQ(route.required[1], find("d"));
  EXPECT_EQ(route.required[1]->required_index, 1U);
  EXPECT_EQ(route.find(Carrier::query, "e")->carrier, Carrier::query);
}

// The whole golden policy of transformations, field by field.
class Transformations : public testing::Test {
 protected:
  Transformations()
      : policy_(load_policy_file("tests/policies/golden/transformations.yaml").policy),
        plan_(compiled({policy_})) {}

  const RoutePlan& route() const { return *plan_->routes().at(0); }
  const FieldAction& form(std::string_view name) const {
    const FieldAction* action = route().find(Carrier::form, name);
    EXPECT_NE(action, nullptr) << name;
    return action != nullptr ? *action : route().unlisted_action;
  }
  const ContextSpec& spec(const FieldAction& action) const {
    return plan_->context_specs().at(action.slot);
  }

  Policy policy_;
  std::shared_ptr<const PolicyPlan> plan_;
};

TEST_F(Transformations, ShapesKeepTheirLengths) {
  EXPECT_EQ(form("order").shape, Shape::digits);
  EXPECT_EQ(form("order").shape_length, 12);
  EXPECT_EQ(form("ticket").shape_length, 18);
  EXPECT_EQ(form("account").shape_length, 16);
  EXPECT_EQ(form("session").shape, Shape::uuid);
  EXPECT_EQ(form("session").shape_length, 0);
  EXPECT_EQ(form("cohort").bits, 16);
  EXPECT_EQ(form("iban").bits, 0);
  EXPECT_EQ(route().find(Carrier::header, "x-visitor-address")->shape, Shape::ip);
}

TEST_F(Transformations, ModesBecomeAlgorithms) {
  const auto algorithm = [&](std::string_view name) { return spec(form(name)).algorithm; };
  EXPECT_EQ(algorithm("ip_a"), Algorithm::address);
  EXPECT_EQ(algorithm("ip_b"), Algorithm::address_prefix);
  EXPECT_EQ(algorithm("ip_c"), Algorithm::address_random);
  EXPECT_EQ(algorithm("card"), Algorithm::format_preserving);
  EXPECT_EQ(algorithm("will"), Algorithm::sealed);
  EXPECT_EQ(algorithm("codicil"), Algorithm::sealed_single);
  EXPECT_EQ(form("ip_b").shape, Shape::ip);
  EXPECT_EQ(spec(form("ip_a")).epoch, EpochLength::day);
  // Bytes of RFC 7748 6.1.
  EXPECT_EQ(spec(form("will")).public_key.size(), 32U);
  EXPECT_EQ(spec(form("will")).public_key.front(), 0x85);
  EXPECT_EQ(spec(form("will")).public_key.back(), 0x6a);
  EXPECT_TRUE(spec(form("ip_a")).public_key.empty());
}

TEST_F(Transformations, ScopesHaveContextsAndDelimitersOfTheirOwn) {
  EXPECT_EQ(spec(form("session")).scope, Scope::request);
  EXPECT_EQ(form("session").scope, Scope::request);
  EXPECT_EQ(form("session").relationship, nullptr);
  EXPECT_EQ(spec(form("account")).scope, Scope::relationship);
  EXPECT_EQ(form("account").relationship, &form("company"));
  EXPECT_EQ(form("pair").relationship, &form("email"));
  ASSERT_EQ(route().delimiters.size(), 2U);
  EXPECT_EQ(route().delimiters[form("company").delimiter_index], &form("company"));
  EXPECT_EQ(route().delimiters[form("email").delimiter_index], &form("email"));
  EXPECT_TRUE(form("company").delimits);
  EXPECT_FALSE(form("account").delimits);
}

TEST_F(Transformations, AnOverlapDropsWhatTheSenderPutsInItsPlace) {
  EXPECT_EQ(form("id").previous, "previous_id");
  EXPECT_EQ(spec(form("id")).overlap_seconds, 7200U);
  EXPECT_EQ(form("previous_id").action, ActionKind::drop);
  EXPECT_EQ(form("previous_id").name, "form.previous_id");
  EXPECT_EQ(plan_->actions()[form("previous_id").id], &form("previous_id"));
  EXPECT_EQ(form("cohort").previous, "");
}

TEST_F(Transformations, GeneralisationsKeepTheirArguments) {
  EXPECT_EQ(form("born").generalisation, Generalisation::age_band);
  EXPECT_EQ(form("born").options.band, 5U);
  EXPECT_EQ(form("born").options.top, 85U);
  EXPECT_EQ(form("seen").options.time_zone, "Indian/Reunion");
  EXPECT_EQ(form("place").options.step.text, "0.01");
  EXPECT_EQ(form("place").options.axis, GridAxis::both);
  EXPECT_EQ(form("lat").options.step.value, 0.1);
  EXPECT_EQ(form("lat").options.axis, GridAxis::latitude);
  EXPECT_EQ(form("amount").options.step.value, 100);
  ASSERT_EQ(form("grade").options.edges.size(), 4U);
  EXPECT_EQ(form("grade").options.edges[2].text, "2.5");
  EXPECT_EQ(form("page").options.keep_query, std::vector<std::string>{"utm_source"});
  EXPECT_EQ(form("page").options.templates, std::vector<std::string>{"/user/*/orders"});
  EXPECT_EQ(form("name").show_first, 1);
  EXPECT_EQ(form("number").show_last, 4);
  EXPECT_EQ(form("ip_e").ipv4_bits, 24U);
  EXPECT_EQ(form("ip_e").ipv6_bits, 56U);
}

TEST_F(Transformations, ShiftedDatesShareOneKeyOfTheirOwn) {
  EXPECT_EQ(form("visit").action, ActionKind::shift_date);
  EXPECT_EQ(form("visit").options.days, 14U);
  EXPECT_EQ(spec(form("visit")), (ContextSpec{"shop", "p", "date-shift", Kind::text,
                                              Algorithm::pseudonym, EpochLength::none}));
}

TEST_F(Transformations, TheClientAddressHasASlot) {
  EXPECT_EQ(route().client_address, ClientAddress::pseudonym);
  EXPECT_EQ(route().address_shape, Shape::ipv4);
  ASSERT_NE(route().address_slot, kNoSlot);
  EXPECT_EQ(plan_->context_specs().at(route().address_slot),
            (ContextSpec{"shop", "p", "ip", Kind::ip, Algorithm::pseudonym, EpochLength::day}));
  // A rule that pseudonymises addresses of the same space in the same way shares it.
  EXPECT_EQ(form("ip_d").slot, route().address_slot);
}

TEST(Plan, ThePreviousFieldIsDroppedWhereverItStands) {
  const std::string rule = "do: pseudonymise, overlap: PT1H, previous: before }";
  const auto plan = compiled({policy_of(
      head_of("t") +
      route_of(
          "r", "{ path: /r }",
          "unlisted: keep, fields: { json.*: { do: keep }, 'form.*': { do: keep }, "
          "'json.items[*].id': { space: item, " +
              rule + ", 'json.items[*].*': { do: keep }, form.before: { do: drop }, json.id: { " +
              rule + ", form.id: { " + rule + ", header.X-Id: { space: head, " + rule + " }"))});
  const RoutePlan& route = *plan->routes()[0];
  const PathStep before{"before", 0, false};
  const FieldAction* top = route.find_json({&before, 1});
  ASSERT_NE(top, nullptr);
  EXPECT_EQ(top->action, ActionKind::drop);
  EXPECT_EQ(top->name, "json.before");
  const std::vector<PathStep> nested{{"items", 0, false}, {"", 3, true}, {"before", 0, false}};
  const FieldAction* item = route.find_json({nested.data(), nested.size()});
  ASSERT_NE(item, nullptr);
  EXPECT_EQ(item->action, ActionKind::drop);
  EXPECT_EQ(item->name, "json.items[*].before");
  EXPECT_EQ(route.find(Carrier::header, "BEFORE")->action, ActionKind::drop);
  // Listed by the policy already: not twice.
  EXPECT_EQ(route.find(Carrier::form, "before")->action, ActionKind::drop);
  EXPECT_EQ(std::count_if(plan->actions().begin(), plan->actions().end(),
                          [](const FieldAction* a) { return a->name == "form.before"; }),
            1);
}

TEST(Plan, ARouteWithoutShiftsOrPseudonymsHasNoSlots) {
  const auto plan = compiled(
      {policy_of(head_of("t") +
                 route_of("r", "{ path: /r }",
                          "unlisted: keep, fields: { form.a: { do: generalise, to: month } }"))});
  EXPECT_TRUE(plan->context_specs().empty());
  EXPECT_EQ(plan->routes()[0]->address_slot, kNoSlot);
  EXPECT_EQ(plan->routes()[0]->find(Carrier::form, "a")->slot, kNoSlot);
}

class Routing : public testing::Test {
 protected:
  Routing()
      : plan_(compiled({policy_of(
            head_of("t") + route_of("host", "{ host: a.example, path: /x }", "unlisted: keep") +
            route_of("post", "{ method: POST, path: /x }", "fields: { form.email: { do: drop } }") +
            route_of("put", "{ method: [PUT, PATCH], path: /x }", "unlisted: keep") +
            route_of("blog", "{ method: POST, path: /blog/* }", "unlisted: keep") +
            route_of("entry", "{ method: GET, path: /blog/entry }", "unlisted: keep") +
            route_of("script", "{ method: GET, path: [/s.js, /js/s*.js] }", "unlisted: keep") +
            "elsewhere: { methods: [GET, HEAD, POST], upstream: \"http://127.0.0.1:9001\", "
            "do: pass }\n")})) {}

  std::string route(std::string_view method, std::string_view host, std::string_view path) {
    const RouteMatch match = plan_->route_for(method, host, path);
    if (match.route == nullptr) return match.path_is_protected ? "405" : "404";
    if (match.protected_route != nullptr)
      return match.route->name + " of " + match.protected_route->name;
    return match.route->name;
  }

  std::shared_ptr<const PolicyPlan> plan_;
};

TEST_F(Routing, TakesTheFirstRouteThatMatches) {
  EXPECT_EQ(route("POST", "a.example", "/x"), "host");
  EXPECT_EQ(route("POST", "b.example", "/x"), "post");
  EXPECT_EQ(route("PATCH", "b.example", "/x"), "put");
  EXPECT_EQ(route("GET", "", "/js/s.min.js"), "script");
  EXPECT_EQ(route("GET", "", "/s.js"), "script");
  EXPECT_EQ(route("POST", "", "/blog/entry"), "blog");
  EXPECT_EQ(route("GET", "", "/blog/entry"), "entry");
}

TEST_F(Routing, LetsOnlyPagesThroughOnAProtectedPath) {
  EXPECT_EQ(route("GET", "b.example", "/x"), "elsewhere of post");
  EXPECT_EQ(route("HEAD", "b.example", "/x"), "elsewhere of post");
  EXPECT_EQ(route("DELETE", "b.example", "/x"), "405");
  // elsewhere lists POST, but not for a path that a route protects.
  EXPECT_EQ(route("POST", "", "/js/s.js"), "405");
  EXPECT_EQ(route("get", "b.example", "/x"), "405");
}

TEST_F(Routing, ANameIsListedWhicheverRouteOfThePathListsIt) {
  EXPECT_TRUE(plan_->is_listed("a.example", "/x", "email"));  // "post", though "host" is first
  EXPECT_TRUE(plan_->is_listed("b.example", "/x", "email"));
  EXPECT_FALSE(plan_->is_listed("b.example", "/x", "page"));
  EXPECT_FALSE(plan_->is_listed("b.example", "/other", "email"));
}

TEST_F(Routing, TellsWhatAPathTakes) {
  EXPECT_EQ(plan_->methods_for("b.example", "/x"), "GET, HEAD, PATCH, POST, PUT");
  EXPECT_EQ(plan_->methods_for("", "/blog/entry"), "GET, HEAD, POST");
  EXPECT_EQ(plan_->methods_for("", "/js/s.js"), "GET, HEAD");
  EXPECT_EQ(plan_->methods_for("", "/other"), "GET, HEAD, POST");
}

TEST_F(Routing, SendsTheRestElsewhereOrNowhere) {
  EXPECT_EQ(route("GET", "", "/other"), "elsewhere");
  EXPECT_EQ(route("POST", "", "/other"), "elsewhere");
  EXPECT_EQ(route("PUT", "", "/other"), "404");
  EXPECT_EQ(plan_->upstreams().size(), 2U);
  const RouteMatch match = plan_->route_for("GET", "", "/other");
  EXPECT_EQ(plan_->upstreams()[match.route->upstream].targets.at(0).port, 9001);
  EXPECT_FALSE(match.path_is_protected);
}

TEST(Compile, RefusesWhatOnlySeveralPoliciesGetWrong) {
  const Policy one = policy_of(head_of("one") + route_of("r", "{ path: /x }", "unlisted: keep"));
  const Policy two = policy_of(head_of("two") + route_of("s", "{ path: /x }", "unlisted: keep"));
  const auto sentence = [](const std::vector<Policy>& policies) {
    const auto plan = compile(policies);
    return plan.has_error() ? plan.error().sentence() : std::string();
  };
  EXPECT_NE(sentence({}), "");
  EXPECT_NE(sentence({one, one}).find("tenant one"), std::string::npos);
  EXPECT_NE(sentence({one, two}).find("r of one"), std::string::npos);
  const std::string elsewhere =
      "elsewhere: { methods: [GET], upstream: \"http://127.0.0.1:9001\", do: pass }\n";
  const auto with = [&](const std::string& tenant) {
    return policy_of(head_of(tenant) +
                     route_of("r", "{ path: /" + tenant + " }", "unlisted: keep") + elsewhere);
  };
  EXPECT_NE(sentence({with("a"), with("b")}).find("elsewhere"), std::string::npos);
  EXPECT_EQ(sentence({with("a"), two}), "");
  // Conditions tell routes apart where something is left to the later one.
  const auto asking = [](const std::string& tenant, const std::string& values) {
    return policy_of(
        head_of(tenant) +
        route_of(tenant, "{ path: /y, when: { form.action: " + values + " } }", "unlisted: keep"));
  };
  EXPECT_NE(sentence({asking("a", "[x, y]"), asking("b", "y")}).find("a of a"), std::string::npos);
  EXPECT_EQ(sentence({asking("a", "y"), asking("b", "[x, y]")}), "");
  EXPECT_EQ(sentence({asking("a", "x"), asking("b", "y")}), "");
}

TEST(Compile, RefusesAPolicyWithErrors) {
  const LoadedPolicy broken = load_policy_file("tests/policies/golden/ten_mistakes.yaml");
  const auto plan = compile(std::vector<Policy>{broken.policy});
  ASSERT_TRUE(plan.has_error());
  EXPECT_EQ(plan.error().kind(), crypto::ErrorKind::configuration);
}

}  // namespace
}  // namespace paravent::policies
