#include "proxy/config/tls_config.h"

#include <array>
#include <optional>
#include <utility>

#include "policies/model/yaml_reader.h"

namespace paravent::proxy::config {
namespace {

using policies::Diagnostics;
using policies::MapReader;
using policies::Word;
using policies::YamlNode;

constexpr std::array<Word<ClientCertificate>, 3> kClientWords = {{
    {"none", ClientCertificate::none},
    {"requested", ClientCertificate::requested},
    {"required", ClientCertificate::required},
}};

// Both or none of them.
std::optional<CertificatePaths> read_pair(MapReader& map, bool must) {
  auto certificate = map.text("certificate");
  auto key = map.text("key");
  if (certificate && key) return CertificatePaths{certificate->value, key->value};
  if (certificate || key || must) {
    map.diagnostics().error(map.at(), map.key(certificate ? "key" : "certificate"),
                            "a certificate and its private key go together",
                            "Write tls: { certificate: FILE, key: FILE }");
  }
  return std::nullopt;
}

}  // namespace

void TlsConfig::take_paths_from(const std::filesystem::path& folder) {
  const auto absolute = [&folder](std::string& file) {
    if (!file.empty()) file = (folder / file).lexically_normal();
  };
  for (CertificatePaths& pair : certificates) {
    absolute(pair.certificate);
    absolute(pair.key);
  }
  absolute(client_ca);
}

TlsConfig read_tls(const YamlNode& node, const std::string& key, Diagnostics& out) {
  TlsConfig tls;
  MapReader map(node, key, out);
  if (!map.is_map()) return tls;
  const YamlNode* const list = map.find("certificates");
  if (auto pair = read_pair(map, list == nullptr)) tls.certificates.push_back(std::move(*pair));
  if (list != nullptr && (!list->is_sequence() || list->items.empty())) {
    out.error(list->at, map.key("certificates"), "expected a list of certificates",
              "Write for example [{ certificate: FILE, key: FILE }]");
  } else if (list != nullptr) {
    for (std::size_t i = 0; i < list->items.size(); ++i) {
      MapReader one(list->items[i], map.key("certificates") + "[" + std::to_string(i) + "]", out);
      if (auto pair = read_pair(one, one.is_map())) tls.certificates.push_back(std::move(*pair));
      one.finish();
    }
  }
  if (auto word = map.word<ClientCertificate>("client-certificate", kClientWords)) {
    tls.client_certificate = word->value;
  }
  const auto ca = map.text("client-ca");
  if (ca) tls.client_ca = ca->value;
  if (ca && !tls.asks_for_certificate()) {
    out.error(ca->at, map.key("client-ca"), "nobody is asked for a certificate",
              "Add client-certificate: requested or required");
  } else if (!ca && tls.asks_for_certificate()) {
    out.error(map.at(), map.key("client-certificate"),
              "the authority that issues the clients' certificates is not named",
              "Add client-ca: FILE");
  }
  map.finish();
  return tls;
}

}  // namespace paravent::proxy::config
