#include <sys/resource.h>

#include <cstdio>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "crypto/base/secret_arena.h"
#include "crypto/base/seldom_thread.h"
#include "policies/model/diagnostics.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/gateway/gateway.h"
#include "proxy/main/gateway/service_notify.h"
#include "proxy/net/socket.h"

namespace paravent::proxy::main {
namespace {

using config::GatewayConfig;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;

Status override_address(const std::string& text, std::string_view flag, config::Address& address) {
  if (text.empty()) return {};
  const bool admin = flag == "--admin";
  auto parsed = admin ? config::parse_admin_address(text) : config::parse_address(text);
  if (!parsed) {
    return Error(ErrorKind::usage,
                 std::string(flag) + " takes an address and a port, such as 127.0.0.1:8080.");
  }
  address = *parsed;
  return {};
}

// The gateway file with the flags laid over it; or, without one, the defaults.
Result<GatewayConfig> read_config(const ServeOptions& options, std::string& remarks) {
  GatewayConfig config;
  config.listen = {{{"127.0.0.1", 8080}, {}, false}};
  config.admin = {"127.0.0.1", 8081};
  if (!options.config.empty()) {
    auto loaded = config::load_gateway_file(options.config);
    remarks += policies::diagnostics_text(loaded.diagnostics);
    if (loaded.diagnostics.has_errors()) {
      return Error(ErrorKind::configuration, "The gateway file has errors; nothing was changed.");
    }
    config = std::move(loaded.config);
  } else if (options.preset.empty()) {
    return Error(ErrorKind::usage,
                 "Give a gateway file with --config, or --preset contact-form --upstream URL.");
  }
  if (!options.preset.empty() && !options.config.empty()) {
    return Error(ErrorKind::usage, "--preset and --config exclude each other.");
  }
  // The first listener elsewhere, as it is otherwise; the others are gone.
  config::ListenerConfig listen = config.listen.front();
  if (auto status = override_address(options.listen, "--listen", listen.address); !status) {
    return status.error();
  }
  if (!options.listen.empty()) config.listen = {std::move(listen)};
  if (auto status = override_address(options.admin, "--admin", config.admin); !status) {
    return status.error();
  }
  if (!config.admin.is_loopback() && !config.admin_tls.enabled()) {
    return Error(ErrorKind::configuration,
                 "The admin listener gives clear values out and needs TLS or a loopback address; "
                 "reach it from outside through SSH.");
  }
  return config;
}

InstallationPaths paths_of(const ServeOptions& options, const GatewayConfig& config) {
  if (!options.config.empty()) return configured_paths(config, options.data, options.root_key);
  InstallationPaths paths = installation_paths(options.data, options.root_key);
  paths.memory = configured_paths(config).memory;
  return paths;
}

// A first start that could not listen afterwards would leave a vault, a root key and credentials
// behind that nobody asked for twice.
Status check_addresses_free(const GatewayConfig& config) {
  std::vector<config::Address> addresses;
  if (config.admin.unix_path.empty()) addresses.push_back(config.admin);
  for (const auto& listener : config.listen) addresses.push_back(listener.address);
  for (const config::Address& address : addresses) {
    const auto endpoint = net::socket_address({address.host, address.port});
    if (!endpoint) return endpoint.error();
    if (auto status = net::check_port_free(*endpoint); !status) {
      return Error(ErrorKind::configuration, status.error().sentence());
    }
  }
  return {};
}

Result<std::unique_ptr<Installation>> open_or_initialise(const InstallationPaths& paths,
                                                         const GatewayConfig& config,
                                                         const crypto::Clock& clock) {
  if (paths.key_beside_data()) {
    std::fprintf(stderr,
                 "paravent: warning: the root key lies beside the data it protects (%s); give "
                 "--root-key another place for real use.\n",
                 paths.root.key_file.c_str());
  }
  if (Installation::is_initialised(paths.data)) return Installation::open_sealed(paths, clock);
  std::error_code unseen;
  if (std::filesystem::exists(paths.data / "lock", unseen) || unseen) {
    // There is a directory that another process may hold, or one that this user may not look into:
    // opening says so, or that it is empty.
    auto directory = crypto::vault::DataDirectory::open(paths.data);
    if (!directory) return directory.error();
  }
  if (auto status = check_addresses_free(config); !status) return status.error();
  admin::FirstCredentials file(paths.data);
  auto made = Installation::initialise(
      paths, clock, [&file](const crypto::SecretBytes& json) { return file.write(json); });
  if (!made) return made.error();
  (*made)->lock();  // opened again as every other one is
  std::fprintf(stderr,
               "paravent: a new vault was made in %s; the operators' first credentials are in %s "
               "(each leaves that file at its first use).\n",
               paths.data.c_str(), (paths.data / "first-credentials").c_str());
  return made;
}

// A proxy needs its descriptors.
void raise_descriptor_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
}

// Before any secret is read.
Status check_locked_memory() {
  constexpr std::size_t kAtStart = std::size_t{1} << 20U;
  crypto::SecretArena::process().reserve(kAtStart);
  return crypto::SecretArena::process().lock_status();
}

Result<GatewayFiles> read_files(const ServeOptions& options, std::string& remarks) {
  auto config = read_config(options, remarks);
  if (!config) return config.error();
  auto policies = options.preset.empty()
                      ? load_policies(config->policies, remarks)
                      : load_preset(options.preset, options.path, options.upstream, remarks);
  if (!policies) return policies.error();
  return GatewayFiles{std::move(*config), std::move(*policies)};
}

int serve(const ServeOptions& options) {
  if (auto status = check_locked_memory(); !status) return fail(status.error());
  const ReadFiles read = [options](std::string& remarks) { return read_files(options, remarks); };
  std::string remarks;
  auto files = read(remarks);
  std::fputs(remarks.c_str(), stderr);
  if (!files) return fail(files.error());

  const crypto::SystemClock clock;
  InstallationPaths paths = paths_of(options, files->config);
  if (options.secret_fd >= 0) {
    paths.root.secret = [fd = options.secret_fd] { return read_secret_from(fd); };
  }
  auto installation = open_or_initialise(paths, files->config, clock);
  if (!installation) return fail(installation.error());
  auto gateway = Gateway::start(std::move(*files), read, std::move(*installation), clock);
  if (!gateway) return fail(gateway.error());
  std::fprintf(stderr, "paravent: %s\n", (*gateway)->addresses().c_str());
  if ((*gateway)->is_sealed()) {
    std::fprintf(stderr, "paravent: the vault is sealed; unseal it with: paravent unseal\n");
  }
  notify_service("READY=1");
  if (auto status = (*gateway)->wait(); !status) return fail(status.error());
  std::fprintf(stderr, "paravent: stopped.\n");
  return static_cast<int>(ExitCode::done);
}

}  // namespace

int run_serve(const ServeOptions& options) {
  raise_descriptor_limit();
  block_signals();
  crypto::this_thread_allocates_seldom();  // this thread will wait, reload, and wait again
  return serve(options);
}

}  // namespace paravent::proxy::main
