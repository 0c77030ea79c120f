// GatewayTls: the certificates of a gateway file, read and checked: what each listener and the
// admin API speak, and how each upstream of the plan is spoken to.
//
// Built anew by a reload; the keys of session tickets live on from one to the next.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "proxy/config/gateway_config.h"
#include "proxy/net/tls/server_context.h"
#include "proxy/net/worker.h"

namespace paravent::proxy::main {

struct GatewayTls {
  net::ListenerTls listeners;                            // as long as GatewayConfig::listen
  std::shared_ptr<const net::tls::ServerContext> admin;  // null: plain
  net::UpstreamSettings upstreams;
  std::vector<std::string> warnings;
};

// configuration: one sentence about the file that is wrong.
crypto::Result<GatewayTls> build_tls(const config::GatewayConfig& config,
                                     const policies::PolicyPlan& plan,
                                     const std::shared_ptr<net::tls::TicketKeys>& tickets);

}  // namespace paravent::proxy::main
