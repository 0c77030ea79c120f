// GatewayMetrics: what /metrics shows, gathered from every part of the running gateway.
//
// Borrows the parts, which outlive it. Thread safe, as they are.

#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/admin/admin_api.h"
#include "proxy/main/gateway/reload.h"
#include "proxy/main/installation/installation.h"
#include "proxy/net/server.h"
#include "proxy/telemetry/access_log.h"
#include "proxy/telemetry/exposition.h"
#include "proxy/telemetry/sealed_list.h"

namespace paravent::proxy::main {

class GatewayMetrics {
 public:
  // `access_log` may be null.
  GatewayMetrics(Installation& installation, const net::Server& server,
                 const telemetry::AccessLog* access_log, const ReloadCounters& reloads,
                 std::function<const telemetry::SealedList*()> sealed_list = {})
      : installation_(installation),
        server_(server),
        access_log_(access_log),
        reloads_(reloads),
        sealed_list_(std::move(sealed_list)) {}

  // `api`: null while sealed; then nothing of the vault is touched.
  std::string text(const admin::AdminApi* api) const;

 private:
  void add_unsealed(const admin::AdminApi& api, std::vector<telemetry::Gauge>& others) const;

  Installation& installation_;
  const net::Server& server_;
  const telemetry::AccessLog* access_log_;
  const ReloadCounters& reloads_;
  std::function<const telemetry::SealedList*()> sealed_list_;
};

}  // namespace paravent::proxy::main
