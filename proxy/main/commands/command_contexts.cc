#include <cstdio>
#include <filesystem>
#include <system_error>

#include "crypto/vault/engine/base/durable_file.h"
#include "crypto/vault/engine/catalogue/context_table.h"
#include "crypto/vault/engine/keys/root_key.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/installation/context_file.h"
#include "proxy/main/installation/installation.h"

namespace paravent::proxy::main {

int run_contexts(const ContextsOptions& options) {
  const auto paths = offline_paths(options.config, options.data, options.root_key);
  if (!paths) return fail(paths.error());
  std::error_code ignored;
  if (!std::filesystem::is_directory(paths->data, ignored)) {
    return fail(ExitCode::data, "There is no vault in " + paths->data.string() +
                                    "; name the gateway's data directory with --data.");
  }
  const auto root = open_root_key(*paths);
  if (!root) return fail(root.error());
  const auto table = crypto::vault::read_context_table(paths->data, *root);
  if (!table) return fail(table.error());
  const std::string text = context_file_text(*table);
  if (options.out == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (std::fflush(stdout) != 0) {
      return fail(ExitCode::data, "Standard output cannot be written.");
    }
    return static_cast<int>(ExitCode::done);
  }
  if (auto s = crypto::vault::write_file_durably(options.out, crypto::as_bytes(text)); !s) {
    return fail(s.error());
  }
  std::printf("%zu contexts, no keys, in %s. Export again when an epoch begins.\n",
              table->contexts.size(), options.out.c_str());
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
