#include "proxy/config/gateway_config.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "crypto/base/ip_address.h"
#include "policies/model/file_text.h"
#include "policies/model/yaml_document.h"
#include "policies/model/yaml_reader.h"
#include "proxy/config/unseal_reader.h"

namespace paravent::proxy::config {
namespace {

using policies::Diagnostics;
using policies::MapReader;
using policies::YamlNode;

constexpr policies::YamlLimits kYamlLimits{};

constexpr policies::Word<bool> kOnOff[] = {{"on", true}, {"off", false}};

std::optional<Address> read_address(MapReader& map, std::string_view key, bool admin = false) {
  const auto text = map.text(key);
  if (!text) return std::nullopt;
  auto address = admin ? parse_admin_address(text->value) : parse_address(text->value);
  if (!address) {
    map.diagnostics().error(text->at, map.key(key), "not an address with a port",
                            admin ? "Write for example 127.0.0.1:8081 or unix:/run/paravent.sock"
                                  : "Write for example 127.0.0.1:8080 or [::1]:8080");
  }
  return address;
}

void read_listen(const YamlNode& node, GatewayConfig& config, Diagnostics& out) {
  if (!node.is_sequence() || node.items.empty()) {
    out.error(node.at, "listen", "expected a list of listeners",
              "Write for example [{ address: 127.0.0.1:8080 }]");
    return;
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    MapReader map(node.items[i], "listen[" + std::to_string(i) + "]", out);
    if (map.is_map() && map.find("address") == nullptr) {
      out.error(map.at(), map.key("address"), "a listener needs an address");
    } else if (auto address = read_address(map, "address")) {
      config.listen.push_back({*address, {}, false});
      if (auto on = map.word<bool>("proxy-protocol", kOnOff)) {
        config.listen.back().proxy_protocol = on->value;
      }
      if (const YamlNode* tls = map.find("tls")) {
        config.listen.back().tls = read_tls(*tls, map.key("tls"), out);
      }
    }
    map.finish();
  }
}

void read_admin(const YamlNode& node, GatewayConfig& config, Diagnostics& out) {
  MapReader map(node, "admin", out);
  if (auto address = read_address(map, "address", true)) config.admin = *address;
  if (const YamlNode* tls = map.find("tls")) {
    config.admin_tls = read_tls(*tls, "admin.tls", out);
    if (config.admin_tls.asks_for_certificate()) {
      out.error(tls->at, "admin.tls", "the admin listener's authority stands beside tls",
                "Write admin: { tls: {...}, client-ca: FILE }");
    }
  }
  if (auto ca = map.text("client-ca")) {
    config.admin_tls.client_ca = ca->value;
    config.admin_tls.client_certificate = ClientCertificate::requested;
    if (!config.admin_tls.enabled()) {
      out.error(ca->at, "admin.client-ca", "client certificates need TLS",
                "Add admin: { tls: { certificate: FILE, key: FILE } }");
    }
  }
  if (!config.admin.unix_path.empty() && config.admin_tls.enabled()) {
    out.error(node.at, "admin.tls", "a Unix socket needs no TLS",
              "Take tls out; the permissions of the socket's folder say who reaches it");
  }
  if (!config.admin.is_loopback() && !config.admin_tls.enabled()) {
    out.error(node.at, "admin.address",
              "the admin listener gives clear values out and may not be reachable from elsewhere "
              "without TLS",
              "Add tls, or use a loopback address and reach it from outside through SSH");
  }
  map.finish();
}

void read_limits(const YamlNode& node, GatewayConfig& config, Diagnostics& out) {
  struct Entry {
    std::string_view key;
    std::uint64_t Limits::*member;
    std::uint64_t least;
    std::uint64_t most;
  };
  // The upper bounds keep one request from taking the machine: buffered bodies live in memory.
  constexpr std::array<Entry, 5> kEntries = {{
      {"header-bytes", &Limits::header_bytes, 1024, 64 * 1024},
      {"form-bytes", &Limits::form_bytes, 1024, 64 * 1024 * 1024},
      {"json-bytes", &Limits::json_bytes, 1024, 64 * 1024 * 1024},
      {"file-bytes", &Limits::file_bytes, 1024, std::uint64_t{1} << 50U},  // never held in memory
      {"memory", &Limits::memory_bytes, 64 * 1024 * 1024, std::uint64_t{1} << 40U},
  }};
  struct Count {
    std::string_view key;
    std::uint32_t most;
    void (*set)(Limits&, std::uint32_t);
  };
  constexpr std::array<Count, 4> kCounts = {{
      {"connections", 1'000'000, [](Limits& to, std::uint32_t n) { to.connections = n; }},
      {"connections-per-address", 1'000'000,
       [](Limits& to, std::uint32_t n) { to.connections_per_address = n; }},
      {"requests-per-second", 1'000'000,
       [](Limits& to, std::uint32_t n) { to.requests_per_second = n; }},
      {"request-burst", 10'000'000, [](Limits& to, std::uint32_t n) { to.request_burst = n; }},
  }};
  MapReader map(node, "limits", out);
  for (const Count& count : kCounts) {
    if (const auto number = map.integer(count.key, 1, count.most)) {
      count.set(config.limits, number->value);
    }
  }
  if (const auto seconds = map.integer("upstream-connect-seconds", 1, 300)) {
    config.limits.connect_ms = seconds->value * 1000;
  }
  if (const auto seconds = map.integer("upstream-answer-seconds", 1, 3600)) {
    config.limits.upstream_ms = seconds->value * 1000;
  }
  if (const auto requests = map.integer("upstream-requests", 1, 1'000'000)) {
    config.limits.upstream_requests = requests->value;
  }
  for (const Entry& entry : kEntries) {
    const auto text = map.text(entry.key);
    if (!text) continue;
    const auto bytes = parse_size(text->value);
    if (!bytes || *bytes < entry.least || *bytes > entry.most) {
      out.error(text->at, map.key(entry.key),
                "expected a size from " + std::to_string(entry.least) + " to " +
                    std::to_string(entry.most) + " bytes",
                "Write for example 16KiB or 1MiB");
      continue;
    }
    config.limits.*entry.member = *bytes;
  }
  map.finish();
}

void read_operators(const YamlNode& node, GatewayConfig& config, Diagnostics& out) {
  MapReader map(node, "operators", out);
  const auto read = [&map](std::string_view key, std::uint32_t least, std::uint32_t most,
                           std::uint32_t& to) {
    if (const auto number = map.integer(key, least, most)) to = number->value;
  };
  // Eight characters of three classes are what the CNIL asks for where a lock-out helps.
  read("passphrase-length", 8, 64, config.operators.passphrase_length);
  read("passphrase-classes", 3, 4, config.operators.passphrase_classes);
  read("session-minutes", 5, 720, config.operators.session_minutes);
  if (const YamlNode* oidc = map.find("oidc"))
    config.operators.oidc = read_oidc_issuers(*oidc, out);
  map.finish();
}

// All of `digits`, in the one spelling without sign or leading zero.
template <typename Number>
bool read_digits(std::string_view digits, Number& number) {
  const char* const end = digits.data() + digits.size();
  if (digits.size() > 1 && digits.front() == '0') return false;
  const auto read = std::from_chars(digits.data(), end, number);
  return read.ec == std::errc() && read.ptr == end && !digits.empty();
}

// inet_pton reads a C string: what lies behind a NUL would be seen by some and not by others.
bool holds_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

// As the data path reads it (net::IpRange), or a start would fail where `check` found nothing: an
// IPv4-mapped address is an IPv4 one, and no bit behind the prefix is set.
bool is_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = crypto::parse_ip(text.substr(0, slash));
  if (!address || slash == std::string_view::npos) return address.has_value();
  const unsigned before = crypto::is_ipv4(*address) ? 96 : 0;
  unsigned bits = 0;
  if (!read_digits(text.substr(slash + 1), bits) || bits > 128 - before) return false;
  for (unsigned i = before + bits; i < 128; ++i) {
    if (((*address)[i / 8] >> (7 - i % 8) & 1) != 0) return false;
  }
  return true;
}

void read_top(const YamlNode& top, GatewayConfig& config, Diagnostics& out) {
  MapReader map(top, "", out);
  if (const YamlNode* node = map.require("listen")) read_listen(*node, config, out);
  if (const YamlNode* node = map.find("admin")) read_admin(*node, config, out);
  if (auto data = map.text("data")) config.data = data->value;
  if (const YamlNode* node = map.find("vault")) read_vault(*node, config, out);
  if (const YamlNode* node = map.require("policies")) {
    for (auto& file : policies::read_texts(*node, "policies", true, out)) {
      config.policies.push_back(std::move(file.value));
    }
  }
  if (const YamlNode* node = map.find("upstreams")) config.upstreams = read_upstreams(*node, out);
  if (const YamlNode* node = map.find("trusted-proxies")) {
    for (auto& range : policies::read_texts(*node, "trusted-proxies", true, out)) {
      if (!is_cidr(range.value)) {
        out.error(
            range.at, "trusted-proxies", "not an address range",
            "Write for example 127.0.0.0/8 or 2001:db8::/32; bits behind the prefix are zero");
        continue;
      }
      config.trusted_proxies.push_back(std::move(range.value));
    }
  }
  for (const ListenerConfig& listener : config.listen) {
    if (!listener.proxy_protocol || !config.trusted_proxies.empty()) continue;
    out.error(top.at, "listen", "proxy-protocol needs trusted-proxies: nobody else may send it",
              "List the load balancer's address in trusted-proxies");
    break;
  }
  if (const YamlNode* node = map.find("limits")) read_limits(*node, config, out);
  // It would be refused as overloaded for good: what tokens took is never given back.
  const std::uint64_t tokens = config.vault_memory.known_tokens + config.vault_memory.store;
  if (config.limits.memory_bytes > 0 && tokens > config.limits.memory_bytes / 2) {
    out.error(top.at, "vault.memory", "takes more than half of limits.memory",
              "Ask for less, or leave it out: then it is a share of limits.memory");
  }
  if (const YamlNode* node = map.find("operators")) read_operators(*node, config, out);
  if (auto workers = map.integer("workers", 0, 256)) config.workers = workers->value;
  if (auto poll = map.integer("busy-poll-us", 0, 1000)) config.busy_poll_us = poll->value;
  if (auto log = map.text("access-log")) config.access_log = log->value;
  if (const YamlNode* node = map.find("anchor")) read_anchor(*node, config.record.anchor, out);
  if (const YamlNode* node = map.find("audit")) read_audit(*node, config.record, out);
  if (const YamlNode* node = map.find("alarm")) read_alarm(*node, config.record, out);
  map.finish();
}

std::string home_folder(const char* variable, const char* below_home) {
  if (const char* folder = std::getenv(variable); folder != nullptr && folder[0] == '/') {
    return folder;
  }
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : "/root") + "/" + below_home;
}

}  // namespace

std::string Address::text() const {
  if (!unix_path.empty()) return "unix:" + unix_path;
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool Address::is_loopback() const {
  return !unix_path.empty() || host == "::1" || host.starts_with("127.");
}

std::optional<Address> parse_admin_address(std::string_view text) {
  // sun_path has 108 bytes, of which a temporary name may need some.
  constexpr std::size_t kMostPath = 100;
  constexpr std::string_view kUnix = "unix:";
  if (!text.starts_with(kUnix)) return parse_address(text);
  text.remove_prefix(kUnix.size());
  if (!text.starts_with('/') || text.ends_with('/') || text.size() > kMostPath || holds_nul(text)) {
    return std::nullopt;
  }
  Address address;
  address.unix_path = text;
  return address;
}

std::optional<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || holds_nul(text)) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  int family = AF_INET;
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    family = AF_INET6;
  }
  Address address{std::string(host), 0};
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(family, address.host.c_str(), bytes.data()) != 1) return std::nullopt;
  if (!read_digits(text.substr(colon + 1), address.port)) return std::nullopt;
  return address;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t unit = 1;
  for (const auto& [suffix, bytes] :
       {std::pair<std::string_view, std::uint64_t>{"KiB", 1ULL << 10U},
        {"MiB", 1ULL << 20U},
        {"GiB", 1ULL << 30U}}) {
    if (text.ends_with(suffix)) {
      unit = bytes;
      text.remove_suffix(suffix.size());
      break;
    }
  }
  std::uint64_t number = 0;
  if (!read_digits(text, number)) return std::nullopt;
  if (number > (1ULL << 40U) / unit) return std::nullopt;
  return number * unit;
}

LoadedConfig load_gateway_text(std::string name, std::string_view text) {
  LoadedConfig loaded{{}, Diagnostics(std::move(name))};
  loaded.config.admin = {"127.0.0.1", 8081};
  loaded.config.data = default_data_directory();
  loaded.config.root_key = default_root_key();
  if (const auto tree = policies::parse_yaml(text, kYamlLimits, loaded.diagnostics)) {
    read_top(*tree, loaded.config, loaded.diagnostics);
  }
  loaded.diagnostics.sort();
  return loaded;
}

LoadedConfig load_gateway_file(const std::string& path) {
  std::error_code unknown;  // where we are, which a relative path is taken from
  const auto folder = std::filesystem::absolute(path, unknown).parent_path();
  const auto text = policies::read_file_text(path, kYamlLimits.bytes);
  if (!text || unknown) {
    LoadedConfig loaded{{}, Diagnostics(path)};
    loaded.diagnostics.error({}, "", "the file cannot be read", "Check its path and permissions");
    return loaded;
  }
  LoadedConfig loaded = load_gateway_text(path, *text);
  for (std::string* file :
       {&loaded.config.data, &loaded.config.root_key, &loaded.config.access_log,
        &loaded.config.unseal.passphrase_file, &loaded.config.unseal.pin_file}) {
    if (!file->empty()) *file = (folder / *file).lexically_normal();
  }
  for (ListenerConfig& listener : loaded.config.listen) listener.tls.take_paths_from(folder);
  loaded.config.admin_tls.take_paths_from(folder);
  loaded.config.record.take_paths_from(folder);
  for (OidcIssuerConfig& issuer : loaded.config.operators.oidc) issuer.take_paths_from(folder);
  for (UpstreamConfig& upstream : loaded.config.upstreams) upstream.take_paths_from(folder);
  for (std::string& file : loaded.config.policies) file = (folder / file).lexically_normal();
  return loaded;
}

std::string default_data_directory() {
  if (::geteuid() == 0) return "/var/lib/paravent";
  return home_folder("XDG_STATE_HOME", ".local/state") + "/paravent";
}

std::string default_root_key() {
  if (::geteuid() == 0) return "/etc/paravent/root.key";
  return home_folder("XDG_CONFIG_HOME", ".config") + "/paravent/root.key";
}

}  // namespace paravent::proxy::config
