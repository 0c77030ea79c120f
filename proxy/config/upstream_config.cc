#include "proxy/config/upstream_config.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "policies/model/yaml_reader.h"

namespace paravent::proxy::config {
namespace {

using policies::Diagnostics;
using policies::MapReader;
using policies::YamlNode;

void read_tls(const YamlNode& node, MapReader& upstream, UpstreamConfig& out) {
  MapReader map(node, upstream.key("tls"), upstream.diagnostics());
  if (const auto ca = map.text("ca")) out.ca = ca->value;
  if (const auto certificate = map.text("certificate")) out.certificate = certificate->value;
  if (const auto key = map.text("key")) out.key = key->value;
  if (const auto name = map.text("name")) out.server_name = name->value;
  if (out.certificate.empty() != out.key.empty()) {
    map.diagnostics().error(map.at(), map.key(out.key.empty() ? "key" : "certificate"),
                            "a certificate and its private key go together",
                            "Write tls: { certificate: FILE, key: FILE }");
  }
  const bool name_is_one = out.server_name.empty() || policies::is_host_name(out.server_name) ||
                           policies::is_ipv4(out.server_name) || policies::is_ipv6(out.server_name);
  if (!name_is_one) {
    map.diagnostics().error(map.at(), map.key("name"),
                            policies::in_quotes(out.server_name) + " is no host name or address");
  }
  if (!out.target.text.empty() && !out.target.tls) {
    map.diagnostics().error(map.at(), map.key(), "this upstream is not spoken to over TLS",
                            "Write https:// here and in the policy, or take tls out");
  }
  map.finish();
}

// What may stand in a request line as it is.
bool is_path(std::string_view text) {
  return text.starts_with('/') && text.size() <= 1024 &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c > ' ' && c < 0x7F && c != '#'; });
}

void read_health(const YamlNode& node, MapReader& upstream, UpstreamConfig& out) {
  MapReader map(node, upstream.key("health"), upstream.diagnostics());
  const auto path = map.text("path");
  if (map.is_map() && map.find("path") == nullptr) {
    map.diagnostics().error(map.at(), map.key("path"), "a check needs a path",
                            "Write for example health: { path: /healthz }");
  } else if (path && !is_path(path->value)) {
    map.diagnostics().error(path->at, map.key("path"), "not a path", "Write for example /healthz");
  } else if (path) {
    out.health_path = path->value;
  }
  if (const auto seconds = map.integer("seconds", 1, 3600)) out.health_seconds = seconds->value;
  map.finish();
}

}  // namespace

void UpstreamConfig::take_paths_from(const std::filesystem::path& folder) {
  for (std::string* file : {&ca, &certificate, &key}) {
    if (!file->empty()) *file = (folder / *file).lexically_normal();
  }
}

std::vector<UpstreamConfig> read_upstreams(const YamlNode& node, Diagnostics& out) {
  std::vector<UpstreamConfig> list;
  if (!node.is_sequence()) {
    out.error(node.at, "upstreams", "expected a list of upstreams",
              "Write for example [{ url: https://app.example, tls: { ca: FILE } }]");
    return list;
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    MapReader map(node.items[i], "upstreams[" + std::to_string(i) + "]", out);
    if (!map.is_map()) continue;
    UpstreamConfig one;
    const auto url = map.text("url");
    if (map.find("url") == nullptr) {
      out.error(map.at(), map.key("url"), "an upstream needs the address that policies name");
    } else if (url) {
      auto parsed = policies::parse_upstream(url->value);
      if (const auto* fault = std::get_if<policies::UpstreamFault>(&parsed)) {
        out.error(url->at, map.key("url"), fault->message, fault->hint);
      } else {
        one.target = std::move(*std::get_if<policies::UpstreamAddress>(&parsed));
      }
      const bool twice = std::any_of(list.begin(), list.end(), [&](const UpstreamConfig& other) {
        return same_target(other.target, one.target);
      });
      if (twice) out.error(url->at, map.key("url"), "this upstream is described twice");
    }
    if (const YamlNode* tls = map.find("tls")) read_tls(*tls, map, one);
    if (const YamlNode* health = map.find("health")) read_health(*health, map, one);
    map.finish();
    list.push_back(std::move(one));
  }
  return list;
}

}  // namespace paravent::proxy::config
