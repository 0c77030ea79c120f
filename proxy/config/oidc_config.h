// OidcIssuerConfig: an issuer of JWTs whose subjects the policies may give roles, as the gateway
// file says it: who it is, where its keys are, and what its credentials have to look like. Plain
// data; files are only named here.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "policies/model/diagnostics.h"
#include "policies/model/yaml_document.h"

namespace paravent::proxy::config {

struct OidcIssuerConfig {
  std::string name;                     // in policies and operators' names
  std::string issuer;                   // iss, to the letter
  std::string audience;                 // that has to be in aud
  std::string keys_file;                // exactly one of the two
  std::string keys_url;                 // https://, or http:// of a loopback address
  std::string keys_ca;                  // of keys_url; empty: the system's
  std::vector<std::string> algorithms;  // of RS256, ES256, EdDSA
  std::string type;                     // typ; empty: none, JWT or at+jwt
  std::vector<std::string> tenants;     // whose policies may name it; empty: one of them
  std::uint32_t leeway_seconds = 30;
  std::uint32_t lifetime_minutes = 60;
  std::uint32_t refresh_seconds = 3600;
  std::uint32_t most_age_hours = 24;

  bool operator==(const OidcIssuerConfig&) const = default;
  void take_paths_from(const std::filesystem::path& folder);
};

// operators.oidc: [{ name, issuer, audience, keys, tenants, algorithms, type, leeway-seconds,
// lifetime-minutes, refresh-seconds, max-age-hours }]
std::vector<OidcIssuerConfig> read_oidc_issuers(const policies::YamlNode& node,
                                                policies::Diagnostics& out);

}  // namespace paravent::proxy::config
