#include "proxy/config/unseal_reader.h"

#include "policies/model/yaml_reader.h"

namespace paravent::proxy::config {

using policies::Diagnostics;
using policies::MapReader;
using policies::YamlNode;

namespace {

void read_passphrase(const YamlNode& node, UnsealSettings& unseal, Diagnostics& out) {
  if (node.is_scalar()) {
    if (node.text == "ask") return;
    out.error(node.at, "vault.unseal.passphrase", "expected ask or { file: FILE }",
              "The pass-phrase itself never stands in a gateway file");
    return;
  }
  MapReader map(node, "vault.unseal.passphrase", out);
  if (map.is_map() && map.find("file") == nullptr) {
    out.error(map.at(), map.key("file"), "expected ask or { file: FILE }");
  } else if (auto file = map.text("file")) {
    unseal.passphrase_file = file->value;
  }
  map.finish();
}

void read_pkcs11(const YamlNode& node, UnsealSettings& unseal, Diagnostics& out) {
  MapReader map(node, "vault.unseal.pkcs11", out);
  struct Entry {
    std::string_view key;
    std::string UnsealSettings::*member;
  };
  for (const Entry& entry :
       {Entry{"module", &UnsealSettings::module}, Entry{"token", &UnsealSettings::token},
        Entry{"key", &UnsealSettings::key}}) {
    if (map.require(entry.key) == nullptr) continue;
    if (auto text = map.text(entry.key)) unseal.*entry.member = text->value;
  }
  if (auto file = map.text("pin-file")) unseal.pin_file = file->value;
  if (!unseal.module.empty() && !unseal.module.starts_with('/')) {
    out.error(map.at(), map.key("module"), "expected an absolute path",
              "Write for example /usr/lib/softhsm/libsofthsm2.so");
  }
  map.finish();
}

void read_memory(const YamlNode& node, VaultMemoryConfig& memory, Diagnostics& out) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 40U;
  MapReader map(node, "vault.memory", out);
  struct Entry {
    std::string_view key;
    std::uint64_t VaultMemoryConfig::*member;
    std::uint64_t least;
  };
  for (const Entry& entry :
       {Entry{"known-tokens", &VaultMemoryConfig::known_tokens, std::uint64_t{64} << 10U},
        Entry{"store", &VaultMemoryConfig::store, std::uint64_t{8} << 20U}}) {
    const auto text = map.text(entry.key);
    if (!text) continue;
    const auto bytes = parse_size(text->value);
    if (!bytes || *bytes < entry.least || *bytes > kMost) {
      out.error(text->at, map.key(entry.key),
                "expected a size from " + std::to_string(entry.least) + " to " +
                    std::to_string(kMost) + " bytes",
                "Write for example 64MiB or 1GiB");
      continue;
    }
    memory.*entry.member = *bytes;
  }
  map.finish();
}

}  // namespace

void read_vault(const YamlNode& node, GatewayConfig& config, Diagnostics& out) {
  UnsealSettings& settings = config.unseal;
  MapReader vault(node, "vault", out);
  if (const YamlNode* memory = vault.find("memory")) read_memory(*memory, config.vault_memory, out);
  if (const YamlNode* unseal = vault.find("unseal")) {
    MapReader map(*unseal, "vault.unseal", out);
    config.says_unseal = true;
    int ways = 0;
    const auto chosen = [&](UnsealWay way) {
      settings.way = way;
      ++ways;
    };
    if (auto file = map.text("key-file")) {
      config.root_key = file->value;
      chosen(UnsealWay::key_file);
    }
    if (const YamlNode* passphrase = map.find("passphrase")) {
      read_passphrase(*passphrase, settings, out);
      chosen(UnsealWay::passphrase);
    }
    if (auto name = map.text("systemd-credential")) {
      settings.credential = name->value;
      chosen(UnsealWay::systemd_credential);
    }
    if (const YamlNode* token = map.find("pkcs11")) {
      read_pkcs11(*token, settings, out);
      chosen(UnsealWay::pkcs11);
    }
    if (auto count = map.integer("shares", 2, 255)) {
      settings.shares = count->value;
      chosen(UnsealWay::shares);
    }
    if (map.is_map() && ways > 1) {
      out.error(map.at(), map.key(), "more than one way to unseal", "Leave only one");
    }
    if (map.is_map() && unseal->entries.empty()) {
      out.error(map.at(), map.key(), "no way to unseal",
                "Write for example { key-file: root.key }, or leave vault.unseal out");
    }
    map.finish();
  }
  vault.finish();
}

}  // namespace paravent::proxy::config
