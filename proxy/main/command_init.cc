#include <cstdio>

#include "proxy/main/commands.h"
#include "proxy/main/exit_code.h"
#include "proxy/main/installation.h"

namespace paravent::proxy::main {

int run_init(const InitOptions& options) {
  const crypto::SystemClock clock;
  const InstallationPaths paths = installation_paths(options.data, options.root_key);
  const auto print = [&](const crypto::SecretBytes& credentials) -> crypto::Status {
    // Straight from the locked page to the terminal: stdio would keep a copy in its buffer.
    std::setvbuf(stdout, nullptr, _IONBF, 0);
    if (!options.json) {
      std::printf("The vault in %s is ready; its root key is %s.\n", paths.data.c_str(),
                  paths.root_key.c_str());
      std::printf(
          "Back that key up where the data is not: without it nothing can be opened again.\n");
      std::printf("These credentials are shown once and stored only as hashes:\n");
    }
    const auto text = crypto::as_text(credentials.bytes());
    if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size()) return {};
    return crypto::Error(crypto::ErrorKind::internal,
                         "The credentials could not be written to standard output, and no operator "
                         "was made; run the command again.");
  };
  auto made = Installation::initialise(paths, clock, print);
  if (!made) return fail(made.error());

  if (paths.key_beside_data()) {
    std::fprintf(
        stderr,
        "paravent: warning: the root key lies beside the data it protects; give --root-key "
        "another place for real use.\n");
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
