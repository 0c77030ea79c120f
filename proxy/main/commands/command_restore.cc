#include <boost/json.hpp>
#include <cstdio>
#include <string>

#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/commands/progress_line.h"
#include "proxy/main/commands/restore_report.h"
#include "proxy/main/commands/way_options.h"
#include "proxy/main/installation/installation.h"
#include "proxy/main/installation/restorer.h"

namespace paravent::proxy::main {

namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::SecretBytes;

std::string question_of(config::UnsealWay way) {
  if (way == config::UnsealWay::pkcs11) return "PIN of the token";
  return way == config::UnsealWay::shares ? "Share of the root key" : "Pass-phrase";
}

// What the flags say; else what the gateway file says; else what the key backup says.
Result<RootKeySettings> settings_of(const RestoreOptions& options) {
  RootKeySettings root;
  const WayOptions way{
      options.root_key,     options.systemd_credential, false, {}, options.pkcs11_module,
      options.pkcs11_token, options.pkcs11_key};
  if (names_a_way(way)) {
    if (auto s = choose_way(way, "--", root); !s) return s.error();
  } else if (!options.config.empty()) {
    auto paths = offline_paths(options.config, {}, {});
    if (!paths) return paths.error();
    root = paths->root;
  } else {
    if (auto s = settings_from_backup(options.keys, root); !s) return s.error();
    if (root.unseal.way == config::UnsealWay::key_file) {
      return Error(ErrorKind::usage,
                   "The root key of this key backup is in a file; name it with --root-key.");
    }
    if (root.unseal.way == config::UnsealWay::pkcs11) {
      return Error(ErrorKind::usage,
                   "The root key of this key backup is in a PKCS#11 token; name it with "
                   "--pkcs11-module, --pkcs11-token and --pkcs11-key, or with --config.");
    }
  }
  root.secret = [fd = options.secret_fd, way_now = root.unseal.way]() -> Result<SecretBytes> {
    return fd >= 0 ? read_secret_from(fd) : ask_secret(question_of(way_now));
  };
  return root;
}

}  // namespace

int run_restore(const RestoreOptions& options) {
  const crypto::SystemClock clock;
  const auto root = settings_of(options);
  if (!root) return fail(root.error());
  const InstallationPaths paths = installation_paths(options.data, {});
  const auto restored = [&] {
    ProgressLine line;
    return restore({options.backup,
                    options.keys,
                    paths.data,
                    *root,
                    {options.undo_key_changes, options.accept_loss},
                    [&line](const std::string& text) { line.say(text); }},
                   clock);
  }();
  if (!restored) return fail(restored.error());
  if (options.json) {
    std::printf("%s\n",
                boost::json::serialize(restore_json(*restored, paths.data, clock.now())).c_str());
  } else {
    std::fputs(restore_text(*restored, paths.data, clock.now()).c_str(), stdout);
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
