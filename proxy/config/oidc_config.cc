#include "proxy/config/oidc_config.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "policies/model/oidc_entry.h"
#include "policies/model/upstream_address.h"
#include "policies/model/yaml_reader.h"

namespace paravent::proxy::config {
namespace {

using policies::Diagnostics;
using policies::MapReader;
using policies::YamlNode;

constexpr std::size_t kMostIssuers = 16;
constexpr std::size_t kMostText = 512;
constexpr std::array<std::string_view, 3> kAlgorithms{"RS256", "ES256", "EdDSA"};

// Printable ASCII without blanks: what stands in a claim or a header can be compared with it.
bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= kMostText &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

// A query may be part of it: some issuers have one there.
bool is_keys_url(const std::string& text) {
  if (!is_word(text) || text.find('#') != std::string::npos) return false;
  const std::size_t scheme = text.find("://");
  if (scheme == std::string::npos) return false;
  const std::size_t slash = text.find('/', scheme + 3);
  const auto parsed = policies::parse_upstream(text.substr(0, slash));
  const auto* address = std::get_if<policies::UpstreamAddress>(&parsed);
  return address != nullptr && address->unix_path.empty() &&
         (address->tls || policies::is_loopback(*address));
}

void read_word(MapReader& map, std::string_view key, bool needed, std::string& to) {
  if (needed) map.require(key);
  const auto text = map.text(key);
  if (!text) return;
  if (!is_word(text->value)) {
    map.diagnostics().error(text->at, map.key(key),
                            "expected 1 to 512 printable ASCII characters without blanks");
  }
  to = text->value;
}

void read_keys(MapReader& above, OidcIssuerConfig& issuer) {
  const YamlNode* node =
      above.require("keys", "keys: { url: https://... } or keys: { file: jwks.json }");
  if (node == nullptr) return;
  MapReader map(*node, above.key("keys"), above.diagnostics());
  if (const auto file = map.text("file")) issuer.keys_file = file->value;
  if (const auto url = map.text("url")) {
    issuer.keys_url = url->value;
    if (!is_keys_url(url->value)) {
      map.diagnostics().error(url->at, map.key("url"), "not a URL to get keys from",
                              "https:// (http:// only of a loopback address), a host, a path");
    }
  }
  if (const auto ca = map.text("ca")) {
    issuer.keys_ca = ca->value;
    if (issuer.keys_url.empty()) {
      map.diagnostics().error(ca->at, map.key("ca"), "an authority is for a url");
    }
  }
  if (map.is_map() && issuer.keys_file.empty() == issuer.keys_url.empty()) {
    map.diagnostics().error(map.at(), map.key(), "keys come from a file or from a url",
                            "Give exactly one of the two");
  }
  map.finish();
}

void read_algorithms(MapReader& map, OidcIssuerConfig& issuer) {
  issuer.algorithms.assign(kAlgorithms.begin(), kAlgorithms.end());
  const YamlNode* node = map.find("algorithms");
  if (node == nullptr) return;
  issuer.algorithms.clear();
  for (const auto& word :
       policies::read_texts(*node, map.key("algorithms"), false, map.diagnostics())) {
    if (std::find(kAlgorithms.begin(), kAlgorithms.end(), word.value) == kAlgorithms.end()) {
      map.diagnostics().error(word.at, map.key("algorithms"),
                              policies::in_quotes(word.value) + " is not taken here",
                              "RS256, ES256 or EdDSA");
    }
    issuer.algorithms.push_back(word.value);
  }
  if (issuer.algorithms.empty()) {
    map.diagnostics().error(node->at, map.key("algorithms"), "at least one algorithm is needed");
  }
}

void read_tenants(MapReader& map, OidcIssuerConfig& issuer) {
  const YamlNode* node = map.find("tenants");
  if (node == nullptr) return;
  for (const auto& name :
       policies::read_texts(*node, map.key("tenants"), false, map.diagnostics())) {
    if (std::find(issuer.tenants.begin(), issuer.tenants.end(), name.value) !=
        issuer.tenants.end()) {
      map.diagnostics().error(name.at, map.key("tenants"), "this tenant is there already");
    }
    issuer.tenants.push_back(name.value);
  }
  if (issuer.tenants.empty()) {
    map.diagnostics().error(node->at, map.key("tenants"), "at least one tenant is needed",
                            "Leave it out where one policy alone names the issuer");
  }
}

OidcIssuerConfig read_issuer(const YamlNode& node, std::string key, Diagnostics& out) {
  OidcIssuerConfig issuer;
  MapReader map(node, std::move(key), out);
  if (!map.is_map()) return issuer;
  map.require("name", "How policies and the record call it");
  if (const auto name = map.text("name")) {
    issuer.name = name->value;
    if (!policies::is_oidc_issuer_name(name->value)) {
      out.error(name->at, map.key("name"), policies::in_quotes(name->value) + " is no name",
                "1 to 16 lower-case letters, digits and hyphens");
    }
  }
  read_word(map, "issuer", true, issuer.issuer);
  read_word(map, "audience", true, issuer.audience);
  read_keys(map, issuer);
  read_tenants(map, issuer);
  read_algorithms(map, issuer);
  read_word(map, "type", false, issuer.type);
  const auto number = [&map](std::string_view name, std::uint32_t least, std::uint32_t most,
                             std::uint32_t& to) {
    if (const auto found = map.integer(name, least, most)) to = found->value;
  };
  number("leeway-seconds", 0, 120, issuer.leeway_seconds);
  number("lifetime-minutes", 1, 24 * 60, issuer.lifetime_minutes);
  number("refresh-seconds", 1, 24 * 3600, issuer.refresh_seconds);
  number("max-age-hours", 1, 7 * 24, issuer.most_age_hours);
  map.finish();
  return issuer;
}

}  // namespace

void OidcIssuerConfig::take_paths_from(const std::filesystem::path& folder) {
  for (std::string* file : {&keys_file, &keys_ca}) {
    if (!file->empty()) *file = (folder / *file).lexically_normal();
  }
}

std::vector<OidcIssuerConfig> read_oidc_issuers(const YamlNode& node, Diagnostics& out) {
  constexpr const char* kKey = "operators.oidc";
  std::vector<OidcIssuerConfig> list;
  if (!node.is_sequence() || node.items.empty() || node.items.size() > kMostIssuers) {
    out.error(node.at, kKey, "expected a list of at most 16 issuers",
              "Write for example [{ name: login, issuer: https://login.example, audience: "
              "paravent, keys: { file: jwks.json } }]");
    return list;
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    OidcIssuerConfig made =
        read_issuer(node.items[i], std::string(kKey) + "[" + std::to_string(i) + "]", out);
    if (std::any_of(list.begin(), list.end(), [&](const OidcIssuerConfig& before) {
          return before.name == made.name || before.issuer == made.issuer;
        })) {
      out.error(node.items[i].at, kKey, "this issuer or its name is there already");
    }
    list.push_back(std::move(made));
  }
  return list;
}

}  // namespace paravent::proxy::config
