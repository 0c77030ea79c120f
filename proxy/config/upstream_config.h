// UpstreamConfig: what the gateway file says about an upstream that the policies name: whom to
// trust there, what to show there, and how to ask whether it works. Plain data; files are only
// named here.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "policies/model/diagnostics.h"
#include "policies/model/upstream_address.h"
#include "policies/model/yaml_document.h"

namespace paravent::proxy::config {

struct UpstreamConfig {
  policies::UpstreamAddress target;
  std::string ca;           // PEM; empty: the system's authorities
  std::string certificate;  // PEM, with its key; empty: none is shown
  std::string key;
  std::string server_name;  // empty: the host of the URL
  std::string health_path;  // empty: no active checks
  std::uint32_t health_seconds = 5;

  void take_paths_from(const std::filesystem::path& folder);
};

// [{ url: URL, tls: { ca, certificate, key, name }, health: { path, seconds } }, ...]
std::vector<UpstreamConfig> read_upstreams(const policies::YamlNode& node,
                                           policies::Diagnostics& out);

}  // namespace paravent::proxy::config
