// Protecting single values by the code that carries requests: how they become a request, and what
// comes back.

#include "proxy/main/gateway/protector_desk.h"

#include <gtest/gtest.h>

#include "crypto/tokens/token_text.h"
#include "policies/plan/compiler.h"
#include "proxy/main/installation/snapshot_builder.h"
#include "tests/policies/policy_text.h"

namespace paravent::proxy::main {
namespace {

using policies::testing::policy_of;
using policies::testing::route_of;
using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string request(const Pairs& values) {
  const auto made = request_of(values);
  return made ? *made : "refused: " + std::string(made.error().sentence().substr(0, 30));
}

TEST(RequestOf, FlatCarriers) {
  EXPECT_EQ(request({{"form.e-mail", "a b&c"}, {"form.x[y][1]", "\xC3\xA9"}}),
            "POST / HTTP/1.1\r\nHost: protect.invalid\r\nContent-Type: "
            "application/x-www-form-urlencoded\r\nContent-Length: 39\r\n\r\n"
            "e-mail=a%20b%26c&x%5By%5D%5B1%5D=%C3%A9");
  EXPECT_EQ(request({{"query.q", "1&2"}, {"cookie.c", "v"}, {"header.X-A", "a\xC3\xA9 b"}}),
            "POST /?q=1%262 HTTP/1.1\r\nHost: protect.invalid\r\nX-A: a\xC3\xA9 b\r\nCookie: "
            "c=v\r\nContent-Length: 0\r\n\r\n");
}

TEST(RequestOf, JsonIsOneObject) {
  const std::string made = request({{"json.a.b", "\"1\""}, {"json.c", "2"}, {"json.a.d", "3"}});
  EXPECT_TRUE(made.ends_with(R"({"a":{"b":"\"1\"","d":"3"},"c":"2"})")) << made;
}

TEST(RequestOf, WhatCannotBeWritten) {
  for (const Pairs& values : std::vector<Pairs>{{{"form", "x"}},
                                                {{"form.", "x"}},
                                                {{"form.*", "x"}},
                                                {{"path.id", "x"}},
                                                {{"value.x", "x"}},
                                                {{"header.X", "a\r\nHost: b"}},
                                                {{"header.X: y", "a"}},
                                                {{"header.X\r\nY", "a"}},
                                                {{"cookie.c", "a; d=e"}},
                                                {{"json.a[*].b", "x"}},
                                                {{"json.a..b", "x"}},
                                                {{"json.a", "x"}, {"json.a.b", "y"}},
                                                {{"json.a.b", "y"}, {"json.a", "x"}},
                                                {{"multipart.a", "paravent-7f3a51d8c2e94b06"}},
                                                {{"multipart.a\"b", "x"}},
                                                {{"form.a", "x"}, {"json.a", "y"}}}) {
    EXPECT_TRUE(request(values).starts_with("refused: ")) << values.front().first;
  }
}

const std::string kPolicy =
    policy_of(route_of("form", "{ method: POST, host: shop.example, path: /f }", R"(
    fields:
      form.email: { kind: email, do: tokenise, shape: email }
      form.name: { kind: name, do: tokenise, mode: derived }
      form.pot: { do: drop }
      form.secret: { do: refuse }
      multipart.email: { kind: email, do: tokenise, shape: email }
      json.person.email: { kind: email, do: tokenise, shape: email }
    unlisted: keep
)") + route_of("strict", "{ method: POST, path: /s }", R"(
    fields:
      form.email: { kind: email, do: tokenise }
      form.must: { kind: text, do: encrypt, required: true }
)") + "elsewhere: { methods: [GET], upstream: http://127.0.0.1:9000, do: pass }\n");

class Desk : public testing::Test {
 protected:
  Desk() : vault_(crypto::vault::Vault::in_memory(clock_).value()) {
    const policies::Policy policy = policies::testing::loaded_policy(kPolicy);
    const std::vector<crypto::vault::PolicyNames> names{policy_names(policy)};
    EXPECT_TRUE(vault_->register_names(names).has_value());
    tenant_ = vault_->tenant_id("atelier").value();
    snapshot_ =
        build_snapshot(policies::compile({&policy, 1}).value(), *vault_, Limits()).value().snapshot;
  }

  crypto::Result<std::vector<admin::ProtectedField>> protect(const std::string& route,
                                                             const Pairs& values) {
    return desk_.protect(tenant_, route, values);
  }

  crypto::SystemClock clock_;
  std::unique_ptr<crypto::vault::Vault> vault_;
  crypto::vault::Id tenant_{};
  std::shared_ptr<const Snapshot> snapshot_;
  ProtectorDesk desk_{[this] { return snapshot_; }, *vault_};
};

TEST_F(Desk, TheSameValueIsTheSameTokenInEveryCarrier) {
  const auto form = protect("form", {{"form.email", " Jane@Example.org "},
                                     {"form.name", "Jane"},
                                     {"form.pot", "x"},
                                     {"form.other", "kept"}});
  ASSERT_TRUE(form.has_value());
  ASSERT_EQ(form->size(), 4U);
  const std::string token = *(*form)[0].value;
  EXPECT_TRUE(crypto::parse_token(crypto::strip_email_shape(token)).has_value()) << token;
  EXPECT_TRUE((*form)[1].value->starts_with("pvd1"));
  EXPECT_EQ((*form)[2].value, std::nullopt);
  EXPECT_EQ((*form)[3].value, "kept");
  EXPECT_EQ(*protect("form", {{"multipart.email", "jane@example.org"}}).value().at(0).value, token);
  EXPECT_EQ(*protect("form", {{"json.person.email", "jane@example.org"}}).value().at(0).value,
            token);
}

TEST_F(Desk, RefusesAsTheRouteDoes) {
  const auto reason = [&](const std::string& route, const Pairs& values) {
    const auto made = protect(route, values);
    return made ? std::string("done") : made.error().sentence();
  };
  EXPECT_EQ(reason("form", {{"form.secret", "x"}}), "refused-field form.secret");
  EXPECT_EQ(reason("strict", {{"form.other", "x"}, {"form.must", "y"}}),
            "unlisted-field form.other");
  EXPECT_EQ(reason("strict", {{"form.email", "jane@example.org"}}), "missing-field form.must");
  EXPECT_EQ(reason("strict", {{"form.email", "no address"}, {"form.must", "y"}}),
            "transform-failed form.email");
}

TEST_F(Desk, KnowsItsOwnRoutesOnly) {
  EXPECT_EQ(desk_.purpose_of(tenant_, "form"), "contact");
  EXPECT_EQ(desk_.purpose_of(tenant_, "nowhere"), std::nullopt);
  EXPECT_EQ(desk_.purpose_of(tenant_, "elsewhere"), std::nullopt);
  EXPECT_EQ(desk_.purpose_of(crypto::vault::random_id(), "form"), std::nullopt);
  snapshot_ = nullptr;
  EXPECT_EQ(protect("form", {{"form.email", "x"}}).error().kind(), crypto::ErrorKind::sealed);
}

}  // namespace
}  // namespace paravent::proxy::main
