// Reads `vault:` of the gateway file: by which of the five ways the root key comes,
// and how much memory tokens may take.

#pragma once

#include <string>

#include "policies/model/diagnostics.h"
#include "policies/model/yaml_document.h"
#include "proxy/config/gateway_config.h"

namespace paravent::proxy::config {

void read_vault(const policies::YamlNode& node, GatewayConfig& config, policies::Diagnostics& out);

}  // namespace paravent::proxy::config
