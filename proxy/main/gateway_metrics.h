// GatewayMetrics: what /metrics shows, gathered from every part of the running gateway.
//
// Borrows the parts, which outlive it. Thread safe, as they are.

#pragma once

#include <string>

#include "proxy/admin/admin_api.h"
#include "proxy/main/installation.h"
#include "proxy/main/reload.h"
#include "proxy/net/server.h"
#include "proxy/telemetry/access_log.h"

namespace paravent::proxy::main {

class GatewayMetrics {
 public:
  // `access_log` may be null.
  GatewayMetrics(Installation& installation, const net::Server& server,
                 const telemetry::AccessLog* access_log, const ReloadCounters& reloads)
      : installation_(installation), server_(server), access_log_(access_log), reloads_(reloads) {}

  std::string text(const admin::AdminApi& api) const;

 private:
  Installation& installation_;
  const net::Server& server_;
  const telemetry::AccessLog* access_log_;
  const ReloadCounters& reloads_;
};

}  // namespace paravent::proxy::main
