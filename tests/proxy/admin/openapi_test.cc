// Every path that is served is described, and nothing is described that is not served. The answers
// are compared in tests/e2e/cases/openapi.py.

#include "proxy/admin/openapi.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <set>

#include "proxy/admin/admin_api.h"
#include "proxy/admin/seal_gate.h"

namespace paravent::proxy::admin {
namespace {

// Whether the served pattern ("/v1/keys/*") stands for the described path ("/v1/keys/{id}/rotate").
bool covers(std::string_view served, std::string_view described) {
  if (!served.ends_with("/*")) return served == described;
  served.remove_suffix(1);
  return described.starts_with(served);
}

std::vector<std::string> described_paths() {
  std::vector<std::string> all;
  const auto document = boost::json::parse(openapi_document());
  for (const auto& [path, item] : document.at("paths").as_object()) {
    for (const auto& [method, operation] : item.as_object()) {
      if (method == "parameters") continue;
      std::string upper(method);
      std::transform(upper.begin(), upper.end(), upper.begin(),
                     [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      all.push_back(upper + " " + std::string(path));
    }
  }
  return all;
}

TEST(OpenApi, DescribesWhatIsServedAndNothingElse) {
  const auto described = described_paths();
  auto served = AdminApi::served_paths();
  served.insert(served.end(), SealGate::kServed.begin(), SealGate::kServed.end());
  EXPECT_GT(served.size(), 30U);
  for (const std::string& route : served) {
    EXPECT_TRUE(std::any_of(described.begin(), described.end(),
                            [&](const std::string& path) { return covers(route, path); }))
        << route << " is served and not described";
  }
  for (const std::string& path : described) {
    EXPECT_TRUE(std::any_of(served.begin(), served.end(),
                            [&](const std::string& route) { return covers(route, path); }))
        << path << " is described and not served";
  }
}

// Every POST but those that read, give values out, let somebody in or hand shares of a root key out
// (idempotency.h), and the two of the seal, which is in front of it.
TEST(OpenApi, EveryChangeTakesAnIdempotencyKey) {
  const std::set<std::string> none{
      "/v1/reidentify",      "/v1/protect",         "/v1/dossier", "/v1/login",  "/v1/enrol",
      "/v1/subjects/export", "/v1/subjects/locate", "/v1/logout",  "/v1/rewrap", "/v1/seal",
      "/v1/unseal"};
  const auto document = boost::json::parse(openapi_document());
  std::size_t changes = 0;
  for (const auto& [path, item] : document.at("paths").as_object()) {
    const auto* post = item.as_object().if_contains("post");
    if (post == nullptr) continue;
    bool takes = false;
    if (const auto* parameters = post->as_object().if_contains("parameters")) {
      takes = boost::json::serialize(*parameters).find("IdempotencyKey") != std::string::npos;
    }
    EXPECT_EQ(takes, !none.contains(std::string(path))) << path;
    if (!takes) continue;
    ++changes;
    for (const char* status : {"400", "409", "422"}) {
      EXPECT_TRUE(post->at("responses").as_object().contains(status)) << path << " " << status;
    }
  }
  EXPECT_GT(changes, 25U);
}

// Every list that can grow comes in pages.
TEST(OpenApi, EveryListHasPages) {
  const auto document = boost::json::parse(openapi_document());
  for (const char* path : {"/v1/operators", "/v1/keys", "/v1/grants", "/v1/honey-tokens",
                           "/v1/tenants", "/v1/holds", "/v1/oidc"}) {
    const auto& get = document.at("paths").at(path).at("get");
    const std::string parameters = boost::json::serialize(get.at("parameters"));
    EXPECT_NE(parameters.find("parameters/After"), std::string::npos) << path;
    EXPECT_NE(parameters.find("parameters/Count"), std::string::npos) << path;
  }
}

// Every 403 says for what reasons it may come, and `hours` is among them exactly where hours count.
TEST(OpenApi, SaysWhyARoleMayNot) {
  const auto with_hours = AdminApi::paths_with_hours();
  EXPECT_GT(with_hours.size(), 15U);
  const auto document = boost::json::parse(openapi_document());
  std::size_t counted = 0;
  for (const std::string& path : described_paths()) {
    const std::size_t space = path.find(' ');
    std::string method = path.substr(0, space);
    for (char& c : method) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const auto& answers =
        document.at("paths").at(path.substr(space + 1)).at(method).at("responses").as_object();
    const auto* refused = answers.if_contains("403");
    const bool hours = std::any_of(with_hours.begin(), with_hours.end(),
                                   [&](const std::string& served) { return covers(served, path); });
    EXPECT_TRUE(!hours || (refused != nullptr && answers.contains("503"))) << path;
    if (refused == nullptr) continue;
    const auto& reasons = refused->at("x-reasons").as_array();
    EXPECT_FALSE(reasons.empty()) << path;
    EXPECT_EQ(std::find(reasons.begin(), reasons.end(), "hours") != reasons.end(), hours) << path;
    if (hours) ++counted;
  }
  EXPECT_GE(counted, with_hours.size());
}

}  // namespace
}  // namespace paravent::proxy::admin
