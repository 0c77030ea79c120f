// Reads `vault:` of the gateway file: by which of the five ways the root key comes.

#pragma once

#include <string>

#include "policies/model/diagnostics.h"
#include "policies/model/yaml_document.h"
#include "proxy/config/gateway_config.h"

namespace paravent::proxy::config {

// `root_key` receives the path of a key file.
void read_vault(const policies::YamlNode& node, UnsealSettings& settings, std::string& root_key,
                policies::Diagnostics& out);

}  // namespace paravent::proxy::config
