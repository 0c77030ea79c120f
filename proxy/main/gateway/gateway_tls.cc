#include "proxy/main/gateway/gateway_tls.h"

#include <algorithm>
#include <utility>

namespace paravent::proxy::main {
namespace {

using net::tls::ServerContext;

net::tls::ClientCertificate client_certificate(config::ClientCertificate word) {
  switch (word) {
    case config::ClientCertificate::none:
      return net::tls::ClientCertificate::none;
    case config::ClientCertificate::requested:
      return net::tls::ClientCertificate::requested;
    case config::ClientCertificate::required:
      return net::tls::ClientCertificate::required;
  }
  return net::tls::ClientCertificate::required;
}

crypto::Result<std::shared_ptr<const ServerContext>> build_one(
    const config::TlsConfig& config, const std::shared_ptr<net::tls::TicketKeys>& tickets,
    std::vector<std::string>& warnings) {
  if (!config.enabled()) return std::shared_ptr<const ServerContext>();
  net::tls::ServerOptions options;
  for (const config::CertificatePaths& pair : config.certificates) {
    options.certificates.push_back({pair.certificate, pair.key});
  }
  options.client_certificate = client_certificate(config.client_certificate);
  options.client_ca = config.client_ca;
  options.tickets = tickets;
  return ServerContext::make(options, warnings);
}

crypto::Status build_upstream(const policies::UpstreamTarget& target,
                              const config::UpstreamConfig* config, GatewayTls& built) {
  net::UpstreamSetting& setting = built.upstreams[target.text];
  if (config != nullptr) {
    setting.health_path = config->health_path;
    setting.health_seconds = config->health_seconds;
  }
  if (!target.tls) return {};
  net::tls::ClientOptions options;
  options.server_name = target.host;
  if (config != nullptr) {
    if (!config->server_name.empty()) options.server_name = config->server_name;
    options.ca = config->ca;
    options.certificate = config->certificate;
    options.key = config->key;
  }
  auto made = net::tls::ClientContext::make(options, built.warnings);
  if (!made) return made.error();
  setting.tls = std::move(*made);
  return {};
}

crypto::Status build_upstreams(const config::GatewayConfig& config,
                               const policies::PolicyPlan& plan, GatewayTls& built) {
  std::vector<bool> used(config.upstreams.size(), false);
  for (const policies::UpstreamPlan& upstream : plan.upstreams()) {
    for (const policies::UpstreamTarget& target : upstream.targets) {
      const auto found = std::find_if(
          config.upstreams.begin(), config.upstreams.end(),
          [&target](const config::UpstreamConfig& one) { return same_target(one.target, target); });
      const bool known = found != config.upstreams.end();
      if (known) used[static_cast<std::size_t>(found - config.upstreams.begin())] = true;
      if (built.upstreams.contains(target.text)) continue;
      auto status = build_upstream(target, known ? &*found : nullptr, built);
      if (!status) return status;
    }
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i]) continue;
    built.warnings.push_back("No policy sends anything to the upstream " +
                             config.upstreams[i].target.text + ".");
  }
  return {};
}

// Not an error: a listener may be meant to get its authority later. But nobody will be served
// there.
void check_client_certificates(const config::GatewayConfig& config,
                               const policies::PolicyPlan& plan, GatewayTls& built) {
  const bool asked = std::any_of(
      config.listen.begin(), config.listen.end(),
      [](const config::ListenerConfig& listener) { return listener.tls.asks_for_certificate(); });
  if (asked) return;
  for (const auto& route : plan.routes()) {
    if (!route->client_certificate) continue;
    built.warnings.push_back(
        "The route " + route->name +
        " needs a client certificate, and no listener asks for one; it refuses "
        "every request.");
  }
}

}  // namespace

crypto::Result<GatewayTls> build_tls(const config::GatewayConfig& config,
                                     const policies::PolicyPlan& plan,
                                     const std::shared_ptr<net::tls::TicketKeys>& tickets) {
  GatewayTls built;
  for (const config::ListenerConfig& listener : config.listen) {
    auto one = build_one(listener.tls, tickets, built.warnings);
    if (!one) return one.error();
    built.listeners.push_back(std::move(*one));
  }
  // No tickets: operators are few, and no key of the public door opens a session of this one.
  auto admin = build_one(config.admin_tls, nullptr, built.warnings);
  if (!admin) return admin.error();
  built.admin = std::move(*admin);
  if (auto status = build_upstreams(config, plan, built); !status) return status.error();
  check_client_certificates(config, plan, built);
  return built;
}

}  // namespace paravent::proxy::main
