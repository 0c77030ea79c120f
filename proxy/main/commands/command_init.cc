#include <cstdio>
#include <string>
#include <utility>

#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/commands/way_options.h"
#include "proxy/main/installation/installation.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::SecretBytes;
using crypto::Status;

// Straight from the locked page to the terminal: stdio would keep a copy in its buffer.
Status print_secret(const SecretBytes& text) {
  const auto view = crypto::as_text(text.bytes());
  if (std::fwrite(view.data(), 1, view.size(), stdout) == view.size()) return {};
  return Error(ErrorKind::internal,
               "Standard output could not be written, and no operator was made; run the command "
               "again.");
}

Status choose_way_of(const InitOptions& options, RootKeySettings& root) {
  const WayOptions way{options.root_key,      {},
                       options.passphrase,    options.shares,
                       options.pkcs11_module, options.pkcs11_token,
                       options.pkcs11_key};
  if (auto status = choose_way(way, "--", root); !status) return status;
  const bool asked_twice = root.unseal.way == config::UnsealWay::passphrase;
  root.secret = [fd = options.secret_fd, asked_twice]() -> Result<SecretBytes> {
    if (fd >= 0) return read_secret_from(fd);
    return asked_twice ? ask_new_passphrase() : ask_secret("PIN of the token");
  };
  return {};
}

std::string where_the_key_is(const InstallationPaths& paths) {
  switch (paths.root.unseal.way) {
    case config::UnsealWay::key_file:
      return "its root key is " + paths.root.key_file.string() +
             ".\nBack that key up where the data is not: without it nothing can be opened again.";
    case config::UnsealWay::systemd_credential:
      return "its root key is the systemd credential " + paths.root.unseal.credential + ".";
    case config::UnsealWay::passphrase:
      return "it opens with the pass-phrase.\nWithout the pass-phrase and a backup of the folder "
             "keys nothing can be opened again.";
    case config::UnsealWay::pkcs11:
      return "it opens with the key " + paths.root.unseal.key + " of the token " +
             paths.root.unseal.token +
             ".\nWithout that token (or its backup) nothing can be opened again.";
    case config::UnsealWay::shares:
      return "it opens with " + std::to_string(paths.root.unseal.shares) + " of the " +
             std::to_string(paths.root.shares_made) + " shares above.";
  }
  return {};
}

}  // namespace

int run_init(const InitOptions& options) {
  const crypto::SystemClock clock;
  auto paths = offline_paths(options.config, options.data, options.root_key);
  if (!paths) return fail(paths.error());
  if (auto status = choose_way_of(options, paths->root); !status) return fail(status.error());
  std::setvbuf(stdout, nullptr, _IONBF, 0);
  const auto print_shares = [&](const crypto::vault::Handouts& shares) -> Status {
    if (options.json) {
      for (std::size_t i = 0; i < shares.size(); ++i) {
        std::fputs(i == 0 ? "{\"shares\":[\"" : "\",\"", stdout);
        if (auto status = print_secret(shares[i]); !status) return status;
      }
      std::fputs("\"]}\n", stdout);
      return {};
    }
    std::printf("The shares of the root key, shown once; give each to another person:\n");
    for (const SecretBytes& share : shares) {
      if (auto status = print_secret(share); !status) return status;
      std::fputs("\n", stdout);
    }
    return {};
  };
  const auto print = [&](const SecretBytes& credentials) -> Status {
    if (!options.json) {
      std::printf("The vault in %s is ready; %s\n", paths->data.c_str(),
                  where_the_key_is(*paths).c_str());
      std::printf("These credentials are shown once and stored only as hashes:\n");
    }
    return print_secret(credentials);
  };
  auto made = Installation::initialise(*paths, clock, print, print_shares);
  if (!made) return fail(made.error());

  if (paths->key_beside_data()) {
    std::fprintf(
        stderr,
        "paravent: warning: the root key lies beside the data it protects; give --root-key "
        "another place for real use.\n");
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
