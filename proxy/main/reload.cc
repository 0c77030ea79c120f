#include "proxy/main/reload.h"

#include <algorithm>
#include <string_view>

namespace paravent::proxy::main {
namespace {

crypto::Status same(bool equal, std::string_view key) {
  if (equal) return {};
  return crypto::Error(crypto::ErrorKind::configuration,
                       std::string(key) + " cannot change while the gateway runs; restart it.");
}

}  // namespace

crypto::Status check_reloadable(const config::GatewayConfig& running,
                                const config::GatewayConfig& next) {
  const auto address = [](const config::ListenerConfig& a, const config::ListenerConfig& b) {
    return a.address.text() == b.address.text() && a.proxy_protocol == b.proxy_protocol;
  };
  const struct {
    bool equal;
    std::string_view key;
  } checks[] = {
      {std::equal(running.listen.begin(), running.listen.end(), next.listen.begin(),
                  next.listen.end(), address),
       "listen (an address)"},
      {running.admin.text() == next.admin.text(), "admin.address"},
      {running.admin_tls.enabled() == next.admin_tls.enabled(), "admin.tls (whether there is one)"},
      {running.data == next.data, "data"},
      {running.root_key == next.root_key && running.unseal == next.unseal, "vault.unseal"},
      {running.vault_memory == next.vault_memory, "vault.memory"},
      {running.workers == next.workers, "workers"},
      {running.trusted_proxies == next.trusted_proxies, "trusted-proxies"},
      {running.access_log == next.access_log, "access-log"},
      {running.record.anchor == next.record.anchor, "anchor"},
      {running.operators.oidc == next.operators.oidc, "operators.oidc"},
      {running.record.alarm_command == next.record.alarm_command, "alarm"},
  };
  for (const auto& check : checks) {
    if (auto status = same(check.equal, check.key); !status) return status;
  }
  return {};
}

}  // namespace paravent::proxy::main
