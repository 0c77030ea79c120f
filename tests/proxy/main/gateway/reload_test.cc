// What of a gateway file a reload may change, and what it may not.

#include "proxy/main/gateway/reload.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

namespace paravent::proxy::main {
namespace {

using config::GatewayConfig;

GatewayConfig running() {
  GatewayConfig config;
  config.listen = {{{"127.0.0.1", 80}, {}}, {{"::1", 443}, {}}};
  config.listen[1].tls.certificates = {{"a.pem", "a.key"}};
  config.admin = {"127.0.0.1", 8081};
  config.data = "/srv/data";
  config.root_key = "/etc/key";
  config.policies = {"policy.yaml"};
  config.access_log = "/var/log/a";
  return config;
}

TEST(Reload, WhatMayChange) {
  EXPECT_TRUE(check_reloadable(running(), running()));
  const std::function<void(GatewayConfig&)> changes[] = {
      [](GatewayConfig& to) {
        to.policies = {"another.yaml", "third.yaml"};
      },
      [](GatewayConfig& to) { to.limits.form_bytes = 4096; },
      [](GatewayConfig& to) {
        to.listen[1].tls.certificates = {{"b.pem", "b.key"}};
      },
      [](GatewayConfig& to) { to.listen[1].tls = {}; },
      [](GatewayConfig& to) {
        to.listen[0].tls.certificates = {{"a.pem", "a.key"}};
      },
  };
  for (const auto& change : changes) {
    GatewayConfig next = running();
    change(next);
    EXPECT_TRUE(check_reloadable(running(), next));
  }
}

TEST(Reload, WhatMayNotIsNamed) {
  const std::pair<std::string, std::function<void(GatewayConfig&)>> changes[] = {
      {"listen", [](GatewayConfig& to) { to.listen[0].address.port = 81; }},
      {"listen", [](GatewayConfig& to) { to.listen.pop_back(); }},
      {"listen", [](GatewayConfig& to) { std::swap(to.listen[0], to.listen[1]); }},
      {"admin.address", [](GatewayConfig& to) { to.admin.port = 1; }},
      {"admin.tls",
       [](GatewayConfig& to) {
         to.admin_tls.certificates = {{"a.pem", "a.key"}};
       }},
      {"data", [](GatewayConfig& to) { to.data = "/srv/other"; }},
      {"vault.unseal", [](GatewayConfig& to) { to.root_key = "/etc/other"; }},
      {"vault.memory", [](GatewayConfig& to) { to.vault_memory.store = 1U << 30U; }},
      {"workers", [](GatewayConfig& to) { to.workers = 3; }},
      {"busy-poll-us", [](GatewayConfig& to) { to.busy_poll_us = 50; }},
      {"trusted-proxies", [](GatewayConfig& to) { to.trusted_proxies = {"10.0.0.0/8"}; }},
      {"access-log", [](GatewayConfig& to) { to.access_log.clear(); }},
      {"operators.passphrase-length", [](GatewayConfig& to) { ++to.operators.passphrase_length; }},
      {"operators.passphrase-classes",
       [](GatewayConfig& to) { --to.operators.passphrase_classes; }},
      {"operators.session-minutes", [](GatewayConfig& to) { ++to.operators.session_minutes; }},
      {"operators.oidc", [](GatewayConfig& to) { to.operators.oidc.emplace_back(); }},
  };
  for (const auto& [key, change] : changes) {
    GatewayConfig next = running();
    change(next);
    const auto status = check_reloadable(running(), next);
    ASSERT_FALSE(status) << key;
    EXPECT_EQ(status.error().kind(), crypto::ErrorKind::configuration);
    EXPECT_TRUE(status.error().sentence().starts_with(key)) << status.error().sentence();
  }
}

}  // namespace
}  // namespace paravent::proxy::main
