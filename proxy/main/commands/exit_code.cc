#include "proxy/main/commands/exit_code.h"

#include <cstdio>
#include <string>

namespace paravent::proxy::main {

using crypto::ErrorKind;

ExitCode exit_code(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::usage:
      return ExitCode::usage;
    case ErrorKind::configuration:
      return ExitCode::configuration;
    case ErrorKind::data:
    case ErrorKind::busy:  // the data directory; a busy port is reported as configuration
    case ErrorKind::disk_full:
    case ErrorKind::sealed:
    case ErrorKind::malformed:
      return ExitCode::data;
    case ErrorKind::verification:
      return ExitCode::verification;
    case ErrorKind::unreachable:
      return ExitCode::unreachable;
    case ErrorKind::refused:
      return ExitCode::refused;
    case ErrorKind::internal:
      return ExitCode::internal;
  }
  return ExitCode::internal;
}

int fail(const crypto::Error& error) {
  const std::string_view sentence = error.sentence();
  return fail(exit_code(error.kind()),
              sentence.empty() ? "Something went wrong inside; please report it." : sentence);
}

int fail(ExitCode code, std::string_view sentence) {
  std::fprintf(stderr, "paravent: %.*s\n", static_cast<int>(sentence.size()), sentence.data());
  return static_cast<int>(code);
}

}  // namespace paravent::proxy::main
