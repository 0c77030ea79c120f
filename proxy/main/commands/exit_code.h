// Exit codes of every command (docs/deployment.md, "Exit codes"), and which error means which.

#pragma once

#include <string_view>

#include "crypto/base/result.h"

namespace paravent::proxy::main {

enum class ExitCode : int {
  done = 0,
  internal = 1,
  usage = 2,
  configuration = 3,
  data = 4,
  verification = 5,
  unreachable = 6,
  refused = 7,
};

ExitCode exit_code(crypto::ErrorKind kind) noexcept;

// Writes the one sentence that every failing command ends with to standard error, and answers its
// code.
int fail(const crypto::Error& error);
int fail(ExitCode code, std::string_view sentence);

}  // namespace paravent::proxy::main
