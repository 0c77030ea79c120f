// The gateway file: defaults, every kind of mistake with its key, and paths taken from the file's
// folder.

#include "proxy/config/gateway_config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace paravent::proxy::config {
namespace {

const std::string kGood = "listen: [{ address: 127.0.0.1:8080 }]\npolicies: [policy.yaml]\n";

TEST(ParseAddress, Table) {
  const std::pair<std::string, const char*> cases[] = {
      {"127.0.0.1:8080", "127.0.0.1:8080"},
      {"0.0.0.0:65535", "0.0.0.0:65535"},
      {"[::1]:8080", "[::1]:8080"},
      {"[2001:db8::1]:1", "[2001:db8::1]:1"},
      {"127.0.0.1:0", "127.0.0.1:0"},
      {"127.0.0.1", nullptr},
      {"127.0.0.1:", nullptr},
      {":8080", nullptr},
      {"", nullptr},
      {"localhost:8080", nullptr},
      {"::1:8080", nullptr},
      {"[::1]", nullptr},
      {"[::1:8080", nullptr},
      {"[127.0.0.1]:80", nullptr},
      {"127.0.0.1:65536", nullptr},
      {"127.0.0.1:-1", nullptr},
      {"127.0.0.1:+1", nullptr},
      {"127.0.0.1:80x", nullptr},
      {"127.0.0.1: 80", nullptr},
      {"127.0.0.1:080", nullptr},
      {"127.1:80", nullptr},
      {"unix:/run/paravent", nullptr},
      {"[fe80::1%eth0]:80", nullptr},
      {std::string("127.0.0.1\0.evil:80", 18), nullptr}};
  for (const auto& [text, expected] : cases) {
    const auto address = parse_address(text);
    ASSERT_EQ(address.has_value(), expected != nullptr) << text;
    if (address) {
      EXPECT_EQ(address->text(), expected);
    }
  }
}

TEST(Address, Loopback) {
  for (const char* text : {"127.0.0.1:1", "127.255.255.254:1", "[::1]:1"}) {
    EXPECT_TRUE(parse_address(text)->is_loopback()) << text;
  }
  for (const char* text :
       {"0.0.0.0:1", "128.0.0.1:1", "[::]:1", "[::ffff:127.0.0.1]:1", "10.0.0.1:1"}) {
    EXPECT_FALSE(parse_address(text)->is_loopback()) << text;
  }
}

TEST(ParseSize, Table) {
  const std::pair<const char*, std::optional<std::uint64_t>> cases[] = {
      {"0", 0},
      {"1", 1},
      {"16KiB", 16384},
      {"1MiB", 1048576},
      {"1GiB", 1073741824},
      {"1024GiB", 1ULL << 40U},
      {"1025GiB", {}},
      {"1099511627776", 1ULL << 40U},
      {"1099511627777", {}},
      {"99999999999999999999", {}},
      {"18446744073709551615KiB", {}},
      {"", {}},
      {"KiB", {}},
      {"1kib", {}},
      {"1KB", {}},
      {"1 KiB", {}},
      {"-1", {}},
      {"+1", {}},
      {"1.5MiB", {}},
      {"01", {}},
      {"0x10", {}}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(parse_size(text), expected) << text;
}

TEST(GatewayFile, Defaults) {
  const LoadedConfig loaded = load_gateway_text("gateway.yaml", kGood);
  EXPECT_FALSE(loaded.diagnostics.has_errors()) << policies::diagnostics_text(loaded.diagnostics);
  const GatewayConfig& config = loaded.config;
  ASSERT_EQ(config.listen.size(), 1U);
  EXPECT_EQ(config.listen[0].address.text(), "127.0.0.1:8080");
  EXPECT_EQ(config.admin.text(), "127.0.0.1:8081");
  EXPECT_EQ(config.policies, std::vector<std::string>{"policy.yaml"});
  EXPECT_EQ(config.data, default_data_directory());
  EXPECT_EQ(config.root_key, default_root_key());
  EXPECT_TRUE(config.trusted_proxies.empty());
  EXPECT_EQ(config.workers, 0U);
  EXPECT_EQ(config.busy_poll_us, 0U);
  EXPECT_EQ(config.operators.passphrase_length, 12U);
  EXPECT_EQ(config.operators.passphrase_classes, 4U);
  EXPECT_EQ(config.operators.session_minutes, 60U);
  EXPECT_EQ(config.access_log, "");
  EXPECT_EQ(config.limits.header_bytes, 16U * 1024);
  EXPECT_EQ(config.limits.form_bytes, 1024U * 1024);
  EXPECT_EQ(config.limits.json_bytes, 8U * 1024 * 1024);
  EXPECT_FALSE(config.listen[0].proxy_protocol);
  EXPECT_EQ(config.limits.connections_per_address, 256U);
  EXPECT_EQ(config.limits.requests_per_second, 0U);
  EXPECT_EQ(config.limits.memory_bytes, 0U);
  EXPECT_EQ(config.vault_memory.known_tokens, 0U);  // a share
  EXPECT_EQ(config.vault_memory.store, 0U);
}

TEST(GatewayFile, MemoryOfTheVaultHasItsBounds) {
  for (const char* memory : {"{ store: 7MiB }", "{ store: lots }", "{ known-tokens: 0 }",
                             "{ known-tokens: 2097152GiB }", "{ blocks: 8MiB }", "64MiB"}) {
    const std::string text =
        "listen: [{ address: 127.0.0.1:80 }]\npolicies: [a.yaml]\nvault: { memory: " +
        std::string(memory) + " }\n";
    const LoadedConfig loaded = load_gateway_text("gateway.yaml", text);
    EXPECT_TRUE(loaded.diagnostics.has_errors()) << memory;
  }
}

TEST(GatewayFile, MemoryOfTheVaultLeavesHalfOfWhatTheProcessMayTake) {
  const auto errors = [](const std::string& limit) {
    const std::string text =
        "listen: [{ address: 127.0.0.1:80 }]\npolicies: [a.yaml]\nlimits: { memory: " + limit +
        " }\nvault: { memory: { known-tokens: 64MiB, store: 192MiB } }\n";
    return load_gateway_text("gateway.yaml", text).diagnostics.has_errors();
  };
  EXPECT_FALSE(errors("512MiB"));
  EXPECT_TRUE(errors("511MiB"));
}

TEST(GatewayFile, EverythingSaid) {
  const LoadedConfig loaded = load_gateway_text("gateway.yaml", R"(
listen: [{ address: 0.0.0.0:80 }, { address: "[::]:80", proxy-protocol: on }]
admin: { address: "[::1]:9" }
data: /srv/data
vault: { unseal: { key-file: /etc/key }, memory: { known-tokens: 256MiB, store: 8MiB } }
policies: [a.yaml, b.yaml]
trusted-proxies: [127.0.0.0/8, 2001:db8::/32, 192.0.2.1]
limits:
  { header-bytes: 8KiB, form-bytes: 64KiB, json-bytes: 2MiB, memory: 1GiB, connections: 100,
    connections-per-address: 10, requests-per-second: 20, request-burst: 40 }
workers: 3
busy-poll-us: 50
operators: { passphrase-length: 16, passphrase-classes: 3, session-minutes: 15 }
access-log: /var/log/x
)");
  EXPECT_FALSE(loaded.diagnostics.has_errors()) << policies::diagnostics_text(loaded.diagnostics);
  const GatewayConfig& config = loaded.config;
  EXPECT_EQ(config.listen.size(), 2U);
  EXPECT_EQ(config.admin.text(), "[::1]:9");
  EXPECT_EQ(config.data + config.root_key + config.access_log, "/srv/data/etc/key/var/log/x");
  EXPECT_EQ(config.policies.size(), 2U);
  EXPECT_EQ(config.trusted_proxies.size(), 3U);
  EXPECT_EQ(config.limits.header_bytes, 8192U);
  EXPECT_EQ(config.limits.form_bytes, 65536U);
  EXPECT_EQ(config.limits.json_bytes, 2097152U);
  EXPECT_EQ(config.workers, 3U);
  EXPECT_EQ(config.busy_poll_us, 50U);
  EXPECT_EQ(config.operators.passphrase_length, 16U);
  EXPECT_EQ(config.operators.passphrase_classes, 3U);
  EXPECT_EQ(config.operators.session_minutes, 15U);
  EXPECT_FALSE(config.listen[0].proxy_protocol);
  EXPECT_TRUE(config.listen[1].proxy_protocol);
  EXPECT_EQ(config.limits.memory_bytes, std::uint64_t{1} << 30U);
  EXPECT_EQ(config.vault_memory.known_tokens, std::uint64_t{256} << 20U);
  EXPECT_EQ(config.vault_memory.store, std::uint64_t{8} << 20U);
  EXPECT_EQ(config.limits.connections, 100U);
  EXPECT_EQ(config.limits.connections_per_address, 10U);
  EXPECT_EQ(config.limits.requests_per_second, 20U);
  EXPECT_EQ(config.limits.request_burst, 40U);
}

TEST(GatewayFile, Tls) {
  const LoadedConfig loaded = load_gateway_text("gateway.yaml", R"(
listen:
  - { address: 0.0.0.0:443, tls: { certificate: a.pem, key: a.key } }
  - address: 0.0.0.0:444
    tls:
      certificates: [{ certificate: a.pem, key: a.key }, { certificate: b.pem, key: b.key }]
      client-certificate: required
      client-ca: clients.pem
  - { address: 127.0.0.1:80 }
admin: { address: 0.0.0.0:8081, tls: { certificate: c.pem, key: c.key }, client-ca: staff.pem }
policies: [policy.yaml]
)");
  EXPECT_FALSE(loaded.diagnostics.has_errors()) << policies::diagnostics_text(loaded.diagnostics);
  const GatewayConfig& config = loaded.config;
  ASSERT_EQ(config.listen.size(), 3U);
  ASSERT_EQ(config.listen[0].tls.certificates.size(), 1U);
  EXPECT_EQ(config.listen[0].tls.certificates[0].key, "a.key");
  EXPECT_FALSE(config.listen[0].tls.asks_for_certificate());
  ASSERT_EQ(config.listen[1].tls.certificates.size(), 2U);
  EXPECT_EQ(config.listen[1].tls.certificates[1].certificate, "b.pem");
  EXPECT_EQ(config.listen[1].tls.client_certificate, ClientCertificate::required);
  EXPECT_EQ(config.listen[1].tls.client_ca, "clients.pem");
  EXPECT_FALSE(config.listen[2].tls.enabled());
  EXPECT_TRUE(config.admin_tls.enabled());
  EXPECT_EQ(config.admin_tls.client_certificate, ClientCertificate::requested);
  EXPECT_EQ(config.admin_tls.client_ca, "staff.pem");
}

TEST(GatewayFile, Upstreams) {
  const LoadedConfig loaded = load_gateway_text("gateway.yaml", kGood + R"(
upstreams:
  - url: https://App.example:8443
    tls: { ca: a.pem, certificate: g.pem, key: g.key, name: 10.0.0.1 }
    health: { path: /healthz, seconds: 9 }
  - { url: http://127.0.0.1:9000, health: { path: / } }
limits: { upstream-connect-seconds: 3, upstream-answer-seconds: 30, upstream-requests: 7 }
)");
  EXPECT_FALSE(loaded.diagnostics.has_errors()) << policies::diagnostics_text(loaded.diagnostics);
  ASSERT_EQ(loaded.config.upstreams.size(), 2U);
  const UpstreamConfig& first = loaded.config.upstreams[0];
  EXPECT_TRUE(first.target.tls);
  EXPECT_EQ(first.target.host, "app.example");
  EXPECT_EQ(first.ca + first.certificate + first.key + first.server_name,
            "a.pemg.pemg.key10.0.0.1");
  EXPECT_EQ(first.health_path, "/healthz");
  EXPECT_EQ(first.health_seconds, 9U);
  EXPECT_EQ(loaded.config.upstreams[1].health_seconds, 5U);
  EXPECT_EQ(loaded.config.limits.connect_ms, 3000U);
  EXPECT_EQ(loaded.config.limits.upstream_ms, 30000U);
  EXPECT_EQ(loaded.config.limits.upstream_requests, 7U);
}

struct Mistake {
  const char* yaml;  // instead of, or besides, the good lines
  const char* key;   // of the one error
};

TEST(GatewayFile, WaysToUnseal) {
  const auto load = [](const std::string& unseal) {
    return load_gateway_text("g", std::string(kGood) + "vault: { unseal: " + unseal + " }\n");
  };
  auto loaded = load("{ passphrase: ask }");
  ASSERT_FALSE(loaded.diagnostics.has_errors());
  EXPECT_EQ(loaded.config.unseal.way, UnsealWay::passphrase);
  EXPECT_EQ(loaded.config.unseal.passphrase_file, "");
  loaded = load("{ passphrase: { file: /run/pass } }");
  ASSERT_FALSE(loaded.diagnostics.has_errors());
  EXPECT_EQ(loaded.config.unseal.passphrase_file, "/run/pass");
  loaded = load("{ systemd-credential: paravent-root }");
  ASSERT_FALSE(loaded.diagnostics.has_errors());
  EXPECT_EQ(loaded.config.unseal.way, UnsealWay::systemd_credential);
  EXPECT_EQ(loaded.config.unseal.credential, "paravent-root");
  loaded = load("{ pkcs11: { module: /m.so, token: T, key: K, pin-file: /pin } }");
  ASSERT_FALSE(loaded.diagnostics.has_errors());
  EXPECT_EQ(loaded.config.unseal.way, UnsealWay::pkcs11);
  EXPECT_EQ(loaded.config.unseal.module, "/m.so");
  EXPECT_EQ(loaded.config.unseal.token, "T");
  EXPECT_EQ(loaded.config.unseal.key, "K");
  EXPECT_EQ(loaded.config.unseal.pin_file, "/pin");
  loaded = load("{ shares: 3 }");
  ASSERT_FALSE(loaded.diagnostics.has_errors());
  EXPECT_EQ(loaded.config.unseal.way, UnsealWay::shares);
  EXPECT_EQ(loaded.config.unseal.shares, 3U);
}

TEST(GatewayFile, Mistakes) {
  const Mistake besides[] = {
      {"lissen: 1", "lissen"},
      {"admin: { address: 0.0.0.0:8081 }", "admin.address"},
      {"admin: { address: 192.0.2.1:8081 }", "admin.address"},
      {"admin: { address: localhost:8081 }", "admin.address"},
      {"admin: { tls: { certificate: a } }", "admin.tls.key"},
      {"admin: { tls: { key: a } }", "admin.tls.certificate"},
      {"admin: { tls: { certificate: a, key: b, client-certificate: required, client-ca: c } }",
       "admin.tls"},
      {"admin: { client-ca: a }", "admin.client-ca"},
      {"admin: { port: 1 }", "admin.port"},
      {"admin: 127.0.0.1:8081", "admin"},
      {"vault: { unseal: { pkcs11: x } }", "vault.unseal.pkcs11"},
      {"vault: { unseal: { pkcs11: { module: /m, token: t } } }", "vault.unseal.pkcs11.key"},
      {"vault: { unseal: { pkcs11: { module: m, token: t, key: k } } }",
       "vault.unseal.pkcs11.module"},
      {"vault: { unseal: { pkcs11: { module: /m, token: t, key: k, pin: 1 } } }",
       "vault.unseal.pkcs11.pin"},
      {"vault: { unseal: { passphrase: hunter2 } }", "vault.unseal.passphrase"},
      {"vault: { unseal: { passphrase: {} } }", "vault.unseal.passphrase.file"},
      {"vault: { unseal: { pass-phrase: ask } }", "vault.unseal.pass-phrase"},
      {"vault: { unseal: { shares: 1 } }", "vault.unseal.shares"},
      {"vault: { unseal: { shares: 3/5 } }", "vault.unseal.shares"},
      {"vault: { unseal: { key-file: a, shares: 2 } }", "vault.unseal"},
      {"vault: { unseal: {} }", "vault.unseal"},
      {"vault: { unseal: { systemd-credential: { name: x } } }", "vault.unseal.systemd-credential"},
      {"vault: { seal: 1 }", "vault.seal"},
      {"trusted-proxies: [localhost]", "trusted-proxies"},
      {"trusted-proxies: [10.0.0.0/33]", "trusted-proxies"},
      {"trusted-proxies: [10.0.0.0/]", "trusted-proxies"},
      {"trusted-proxies: [10.0.0.0/08]", "trusted-proxies"},
      {"trusted-proxies: [\"::/129\"]", "trusted-proxies"},
      {"trusted-proxies: [10.1.2.3/8]", "trusted-proxies"},
      {"trusted-proxies: [\"2001:db8::1/32\"]", "trusted-proxies"},
      {"trusted-proxies: [\"::ffff:10.0.0.0/104\"]", "trusted-proxies"},
      {"limits: { form-bytes: 1023 }", "limits.form-bytes"},
      {"limits: { form-bytes: 65MiB }", "limits.form-bytes"},
      {"limits: { json-bytes: huge }", "limits.json-bytes"},
      {"limits: { header-bytes: 65KiB }", "limits.header-bytes"},
      {"limits: { file-bytes: 1023 }", "limits.file-bytes"},
      {"limits: { memory: 63MiB }", "limits.memory"},
      {"limits: { connections: 0 }", "limits.connections"},
      {"limits: { connections-per-address: many }", "limits.connections-per-address"},
      {"limits: { requests-per-second: 0 }", "limits.requests-per-second"},
      {"limits: { request-burst: -1 }", "limits.request-burst"},
      {"limits: { body-bytes: 1 }", "limits.body-bytes"},
      {"upstreams: https://a", "upstreams"},
      {"upstreams: [{ health: { path: / } }]", "upstreams[0].url"},
      {"upstreams: [{ url: a }]", "upstreams[0].url"},
      {"upstreams: [{ url: http://a }, { url: 'http://A:80' }]", "upstreams[1].url"},
      {"upstreams: [{ url: http://a, tls: { ca: x } }]", "upstreams[0].tls"},
      {"upstreams: [{ url: https://a, tls: { key: x } }]", "upstreams[0].tls.certificate"},
      {"upstreams: [{ url: https://a, tls: { certificate: x } }]", "upstreams[0].tls.key"},
      {"upstreams: [{ url: https://a, tls: { name: a_b } }]", "upstreams[0].tls.name"},
      {"upstreams: [{ url: https://a, tls: { verify: no } }]", "upstreams[0].tls.verify"},
      {"upstreams: [{ url: http://a, health: {} }]", "upstreams[0].health.path"},
      {"upstreams: [{ url: http://a, health: { path: x } }]", "upstreams[0].health.path"},
      {"upstreams: [{ url: http://a, health: { path: '/a b' } }]", "upstreams[0].health.path"},
      {"upstreams: [{ url: http://a, health: { path: /, seconds: 0 } }]",
       "upstreams[0].health.seconds"},
      {"limits: { upstream-answer-seconds: 0 }", "limits.upstream-answer-seconds"},
      {"limits: { upstream-requests: 0 }", "limits.upstream-requests"},
      {"workers: 257", "workers"},
      {"operators: { passphrase-length: 7 }", "operators.passphrase-length"},
      {"operators: { passphrase-classes: 5 }", "operators.passphrase-classes"},
      {"operators: { session-minutes: 721 }", "operators.session-minutes"},
      {"operators: { sessions: 3 }", "operators.sessions"},
      {"operators: { oidc: { issuer: x } }", "operators.oidc"},
      {"workers: -1", "workers"},
      {"workers: many", "workers"},
      {"busy-poll-us: 1001", "busy-poll-us"},
      {"data: [a]", "data"},
  };
  for (const Mistake& one : besides) {
    const LoadedConfig loaded = load_gateway_text("g.yaml", kGood + one.yaml + "\n");
    ASSERT_EQ(loaded.diagnostics.count(policies::Severity::error), 1U)
        << one.yaml << "\n"
        << policies::diagnostics_text(loaded.diagnostics);
    for (const auto& found : loaded.diagnostics.items()) {
      EXPECT_TRUE(found.key == one.key || found.key.starts_with(one.key)) << one.yaml << found.key;
      EXPECT_EQ(found.at.line, 3U) << one.yaml;
      EXPECT_EQ(found.file, "g.yaml");
    }
  }
  const Mistake instead[] = {
      {"policies: [a.yaml]", "listen"},
      {"listen: [{ address: 127.0.0.1:8080 }]", "policies"},
      {"listen: []\npolicies: [a]", "listen"},
      {"listen: 127.0.0.1:8080\npolicies: [a]", "listen"},
      {"listen: [{}]\npolicies: [a]", "listen[0].address"},
      {"listen: [{ address: nowhere }]\npolicies: [a]", "listen[0].address"},
      {"listen: [{ address: 127.0.0.1:1, proxy-protocol: on }]\npolicies: [a]", "listen"},
      {"listen: [{ address: 127.0.0.1:1, proxy-protocol: 2 }]\npolicies: [a]",
       "listen[0].proxy-protocol"},
      {"listen: [{ address: 127.0.0.1:1, tls: {} }]\npolicies: [a]", "listen[0].tls.certificate"},
      {"listen: [{ address: 127.0.0.1:1, tls: { certificates: [] } }]\npolicies: [a]",
       "listen[0].tls.certificates"},
      {"listen: [{ address: 127.0.0.1:1, tls: { certificates: [{ certificate: a }] } }]\n"
       "policies: [a]",
       "listen[0].tls.certificates[0].key"},
      {"listen: [{ address: 127.0.0.1:1, tls: { certificate: a, key: b, client-ca: c } }]\n"
       "policies: [a]",
       "listen[0].tls.client-ca"},
      {"listen: [{ address: 127.0.0.1:1, tls: { certificate: a, key: b,"
       " client-certificate: required } }]\npolicies: [a]",
       "listen[0].tls.client-certificate"},
      {"listen: [{ address: 127.0.0.1:1, tls: { certificate: a, key: b, versions: all } }]\n"
       "policies: [a]",
       "listen[0].tls.versions"},
      {"listen: [{ address: 127.0.0.1:1, adress: x }]\npolicies: [a]", "listen[0].adress"},
      {"listen: [{ address: 127.0.0.1:1 }]\npolicies: []", "policies"},
  };
  for (const Mistake& one : instead) {
    const LoadedConfig loaded = load_gateway_text("g.yaml", one.yaml);
    ASSERT_TRUE(loaded.diagnostics.has_errors()) << one.yaml;
    EXPECT_EQ(loaded.diagnostics.items().front().key, one.key)
        << one.yaml << "\n"
        << policies::diagnostics_text(loaded.diagnostics);
  }
  EXPECT_TRUE(load_gateway_text("g.yaml", "").diagnostics.has_errors());
  EXPECT_TRUE(load_gateway_text("g.yaml", "listen: [").diagnostics.has_errors());
}

TEST(GatewayFile, AllMistakesAtOnce) {
  const LoadedConfig loaded = load_gateway_text(
      "g.yaml", "listen: [{ address: x }]\nadmin: { address: y }\nworkers: z\npolicies: []\n");
  EXPECT_EQ(loaded.diagnostics.count(policies::Severity::error), 4U)
      << policies::diagnostics_text(loaded.diagnostics);
}

TEST(GatewayFile, PathsAreTakenFromItsFolder) {
  std::string name = (std::filesystem::temp_directory_path() / "paravent-cfg-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(name.data());
  std::ofstream(folder / "gateway.yaml")
      << kGood << "data: data\nvault: { unseal: { key-file: ../key } }\naccess-log: /abs/log\n";
  const LoadedConfig loaded = load_gateway_file((folder / "gateway.yaml").string());
  EXPECT_FALSE(loaded.diagnostics.has_errors());
  EXPECT_EQ(loaded.config.data, (folder / "data").string());
  EXPECT_EQ(loaded.config.root_key, (folder.parent_path() / "key").string());
  EXPECT_EQ(loaded.config.access_log, "/abs/log");
  EXPECT_EQ(loaded.config.policies, std::vector<std::string>{(folder / "policy.yaml").string()});
  std::filesystem::remove_all(folder);
  const LoadedConfig missing = load_gateway_file((folder / "gateway.yaml").string());
  ASSERT_EQ(missing.diagnostics.items().size(), 1U);
  EXPECT_EQ(missing.diagnostics.items()[0].at.line, 0U);
}

TEST(GatewayFile, WhatIsNoReadableFileIsOneDiagnostic) {
  // A folder opens; at the beginning of /proc/self/mem nothing is mapped, so reading answers EIO; a
  // device may have no end.
  for (const char* path : {"/proc", "/proc/self/mem", "/dev/zero"}) {
    const LoadedConfig loaded = load_gateway_file(path);
    ASSERT_EQ(loaded.diagnostics.items().size(), 1U) << path;
    EXPECT_TRUE(loaded.diagnostics.has_errors()) << path;
    EXPECT_EQ(loaded.diagnostics.items()[0].file, path);
  }
}

}  // namespace
}  // namespace paravent::proxy::config
