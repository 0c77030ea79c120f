#include <boost/json.hpp>
#include <cstdio>

#include "proxy/main/commands.h"
#include "proxy/main/exit_code.h"
#include "proxy/main/installation.h"
#include "proxy/main/restorer.h"

namespace paravent::proxy::main {

int run_restore(const RestoreOptions& options) {
  const crypto::SystemClock clock;
  const InstallationPaths paths = installation_paths(options.data, options.root_key);
  const auto restored =
      restore({options.backup, options.keys, paths.data, paths.root.key_file}, clock);
  if (!restored) return fail(restored.error());
  const auto& rows = restored->rows;
  if (options.json) {
    const boost::json::object out = {{"data", paths.data.string()},
                                     {"data_backup", crypto::vault::id_hex(restored->data.id)},
                                     {"key_backup", crypto::vault::id_hex(restored->keys.id)},
                                     {"rows", rows.rows},
                                     {"indexed", rows.indexed},
                                     {"unreadable", rows.unreadable + rows.unknown}};
    std::printf("%s\n", boost::json::serialize(out).c_str());
  } else {
    std::printf("Restored into %s: %llu rows, %llu of them found again by value.\n",
                paths.data.c_str(), static_cast<unsigned long long>(rows.rows),
                static_cast<unsigned long long>(rows.indexed));
    if (rows.unreadable + rows.unknown > 0) {
      std::printf("%llu rows open no more: their keys were destroyed, or the rows are damaged.\n",
                  static_cast<unsigned long long>(rows.unreadable + rows.unknown));
    }
    std::printf(
        "Start it with: paravent serve --config FILE (data: %s). Never run the old machine "
        "and this one side by side.\n",
        paths.data.c_str());
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
