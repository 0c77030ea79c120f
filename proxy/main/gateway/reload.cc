#include "proxy/main/gateway/reload.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace paravent::proxy::main {
namespace {

bool same_file(const std::string& one, const std::string& other) {
  std::error_code error;
  return std::filesystem::equivalent(one, other, error) && !error;
}

crypto::Status same(bool equal, std::string_view key) {
  if (equal) return {};
  return crypto::Error(crypto::ErrorKind::configuration,
                       std::string(key) + " cannot change while the gateway runs; restart it.");
}

// What a person may have written into the file after a change of the way while the gateway ran: the
// file that gives the pass-phrase or the PIN at the next start. A key file's name counts only where
// there is one.
bool same_way(const config::GatewayConfig& running, const config::GatewayConfig& next) {
  config::UnsealSettings now = running.unseal;
  if (now.passphrase_file.empty()) now.passphrase_file = next.unseal.passphrase_file;
  if (now.pin_file.empty()) now.pin_file = next.unseal.pin_file;
  const bool module =
      now.module == next.unseal.module ||
      (now.way == config::UnsealWay::pkcs11 && same_file(now.module, next.unseal.module));
  if (module) now.module = next.unseal.module;
  const bool file = now.way != config::UnsealWay::key_file || running.root_key == next.root_key;
  return file && now == next.unseal;
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
      {same_way(running, next), "vault.unseal"},
      {running.vault_memory == next.vault_memory, "vault.memory"},
      {running.workers == next.workers, "workers"},
      {running.busy_poll_us == next.busy_poll_us, "busy-poll-us"},
      {running.trusted_proxies == next.trusted_proxies, "trusted-proxies"},
      {running.access_log == next.access_log, "access-log"},
      {running.record.anchor == next.record.anchor, "anchor"},
      {running.operators.passphrase_length == next.operators.passphrase_length,
       "operators.passphrase-length"},
      {running.operators.passphrase_classes == next.operators.passphrase_classes,
       "operators.passphrase-classes"},
      {running.operators.session_minutes == next.operators.session_minutes,
       "operators.session-minutes"},
      {running.operators.oidc == next.operators.oidc, "operators.oidc"},
      {running.record.alarm_command == next.record.alarm_command, "alarm"},
  };
  for (const auto& check : checks) {
    if (auto status = same(check.equal, check.key); !status) return status;
  }
  return {};
}

}  // namespace paravent::proxy::main
