#include "proxy/main/gateway_tls.h"

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

}  // namespace

crypto::Result<GatewayTls> build_tls(const config::GatewayConfig& config,
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
  return built;
}

}  // namespace paravent::proxy::main
