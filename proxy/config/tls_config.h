// TlsConfig: the `tls` part of a listener in the gateway file, as plain data. Files are only named
// here; whoever listens reads them.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "policies/model/diagnostics.h"
#include "policies/model/yaml_document.h"

namespace paravent::proxy::config {

enum class ClientCertificate : std::uint8_t { none, requested, required };

struct CertificatePaths {
  std::string certificate;
  std::string key;
};

struct TlsConfig {
  std::vector<CertificatePaths> certificates;  // none: plain
  ClientCertificate client_certificate = ClientCertificate::none;
  std::string client_ca;

  bool enabled() const { return !certificates.empty(); }
  bool asks_for_certificate() const { return client_certificate != ClientCertificate::none; }
  // Relative paths are meant from there.
  void take_paths_from(const std::filesystem::path& folder);
};

// { certificate: FILE, key: FILE } or { certificates: [{ certificate: FILE, key: FILE }, ...] },
// and { client-certificate: none | requested | required, client-ca: FILE }.
TlsConfig read_tls(const policies::YamlNode& node, const std::string& key,
                   policies::Diagnostics& out);

}  // namespace paravent::proxy::config
