// Reload: what a running gateway takes over from its files when it is told to, and what of it
// cannot change while it runs.
//
// Plain data and pure functions; Gateway does the work.

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "crypto/base/result.h"
#include "proxy/config/gateway_config.h"
#include "proxy/main/installation/policy_set.h"

namespace paravent::proxy::main {

// Everything that files and flags say.
struct GatewayFiles {
  config::GatewayConfig config;
  PolicySet policies;
};

// Reads them as the start did, flags included. `remarks` receives the diagnostics, a line each.
using ReadFiles = std::function<crypto::Result<GatewayFiles>(std::string& remarks)>;

// configuration: one sentence about the first thing that only a restart changes: the addresses, the
// data directory and its key, the number of workers, the trusted proxies, the access log, and
// whether the admin listener speaks TLS.
crypto::Status check_reloadable(const config::GatewayConfig& running,
                                const config::GatewayConfig& next);

// For /metrics. One writer at a time.
struct ReloadCounters {
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> refused{0};
};

}  // namespace paravent::proxy::main
