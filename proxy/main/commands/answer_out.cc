#include "proxy/main/commands/answer_out.h"

#include <cstdio>

#include "crypto/base/bytes.h"
#include "crypto/vault/engine/base/durable_file.h"
#include "proxy/main/commands/exit_code.h"

namespace paravent::proxy::main {

int write_answer(const std::string& file, std::string_view text, std::string_view advice) {
  if (file.empty()) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return static_cast<int>(ExitCode::done);
  }
  if (auto s = crypto::vault::write_file_durably(file, crypto::as_bytes(text),
                                                 crypto::vault::Existing::refuse);
      !s) {
    return fail(s.error());
  }
  const std::string more(advice);
  if (more.empty()) {
    std::printf("Written to %s.\n", file.c_str());
  } else {
    std::printf("Written to %s; %s\n", file.c_str(), more.c_str());
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
