#include <boost/json.hpp>
#include <cstdio>
#include <string>

#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/commands/progress_line.h"
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
    return restore({options.backup, options.keys, paths.data, *root, options.undo_key_changes,
                    [&line](const std::string& text) { line.say(text); }},
                   clock);
  }();
  if (!restored) return fail(restored.error());
  const auto& rows = restored->rows;
  if (options.json) {
    const boost::json::object out = {{"data", paths.data.string()},
                                     {"data_backup", crypto::vault::id_hex(restored->data.id)},
                                     {"key_backup", crypto::vault::id_hex(restored->keys.id)},
                                     {"rows", rows.rows},
                                     {"indexed", rows.indexed},
                                     {"unreadable", rows.unreadable + rows.unknown},
                                     {"renewals_undone", restored->renewals_undone},
                                     {"keys_revived", restored->keys_revived},
                                     {"keys_enabled", restored->keys_enabled}};
    std::printf("%s\n", boost::json::serialize(out).c_str());
  } else {
    std::printf("Restored into %s: %llu rows, %llu of them found again by value.\n",
                paths.data.c_str(), static_cast<unsigned long long>(rows.rows),
                static_cast<unsigned long long>(rows.indexed));
    if (rows.unreadable + rows.unknown > 0) {
      std::printf("%llu rows open no more: their keys were destroyed, or the rows are damaged.\n",
                  static_cast<unsigned long long>(rows.unreadable + rows.unknown));
    }
    if (restored->undone()) {
      std::printf(
          "The key backup was older: %u destructions, erasures or rotations are undone, %zu "
          "destroyed keys open again, %zu are in use again. Do them anew.\n",
          restored->renewals_undone, restored->keys_revived, restored->keys_enabled);
    }
    std::printf(
        "Start it with: paravent serve --config FILE (data: %s). Never run the old machine "
        "and this one side by side.\n",
        paths.data.c_str());
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
