// GatewayConfig: the gateway file that operations own, as plain data. Flags override it; unknown
// keys are errors; every problem is reported at once with its place. Built once at the start, then
// immutable.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/model/diagnostics.h"
#include "proxy/config/oidc_config.h"
#include "proxy/config/record_config.h"
#include "proxy/config/tls_config.h"
#include "proxy/config/upstream_config.h"
#include "proxy/pipeline/limits.h"

namespace paravent::proxy::config {

struct Address {
  std::string host;  // an IPv4 or IPv6 address in text, without brackets
  std::uint16_t port = 0;
  std::string unix_path{};   // of the admin listener only; then host and port are empty
  std::string text() const;  // "127.0.0.1:8080", "[::1]:8080", "unix:/run/paravent.sock"
  bool is_loopback() const;  // reached from this machine alone
};

// "127.0.0.1:8080" or "[::1]:8080"; an address and a port, nothing that needs resolving.
std::optional<Address> parse_address(std::string_view text);
// The same, or "unix:" and an absolute path of at most 100 bytes.
std::optional<Address> parse_admin_address(std::string_view text);

// "16KiB", "1MiB", "1GiB" or a plain number of bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);

// vault.unseal: exactly one way to come by the root key.
enum class UnsealWay : std::uint8_t { key_file, systemd_credential, passphrase, pkcs11, shares };

struct UnsealSettings {
  UnsealWay way = UnsealWay::key_file;
  std::string credential;       // systemd-credential: its name
  std::string passphrase_file;  // passphrase: empty: somebody is asked
  std::string module;           // pkcs11: the library
  std::string token;            // pkcs11: the token's label
  std::string key;              // pkcs11: the key's label
  std::string pin_file;         // pkcs11: empty: somebody is asked
  std::uint32_t shares = 0;     // shares: how many are needed
  bool operator==(const UnsealSettings&) const = default;
};

// vault.memory: bytes at most for tokens that need no look-up, and for what was read from the token
// store. 0: a share of the memory that there is.
struct VaultMemoryConfig {
  std::uint64_t known_tokens = 0;
  std::uint64_t store = 0;
  bool operator==(const VaultMemoryConfig&) const = default;
};

struct ListenerConfig {
  Address address;
  TlsConfig tls;
  bool proxy_protocol = false;  // connections begin with a PROXY header, from trusted proxies only
};

// How people log in to the admin API.
struct OperatorsConfig {
  std::uint32_t passphrase_length = 12;
  std::uint32_t passphrase_classes = 4;
  std::uint32_t session_minutes = 60;
  std::vector<OidcIssuerConfig> oidc;
};

struct GatewayConfig {
  std::vector<ListenerConfig> listen;
  Address admin;
  TlsConfig admin_tls;
  std::string data;
  std::string root_key;  // of UnsealWay::key_file
  UnsealSettings unseal;
  bool says_unseal = false;  // vault.unseal stands in the file
  VaultMemoryConfig vault_memory;
  std::vector<std::string> policies;
  std::vector<UpstreamConfig> upstreams;
  std::vector<std::string> trusted_proxies;  // CIDR
  Limits limits;
  OperatorsConfig operators;
  std::uint32_t workers = 0;       // 0: one per core
  std::uint32_t busy_poll_us = 0;  // how long a worker looks before it sleeps; 0: not at all
  std::string access_log;          // empty: off
  RecordConfig record;
};

struct LoadedConfig {
  GatewayConfig config;
  policies::Diagnostics diagnostics;
};

// Paths of the file are taken from the folder it lies in.
LoadedConfig load_gateway_file(const std::string& path);
LoadedConfig load_gateway_text(std::string name, std::string_view text);

// Where things lie when nobody says: root gets the system's folders, others their own (XDG).
std::string default_data_directory();
std::string default_root_key();

}  // namespace paravent::proxy::config
