// The verification of a certificate of destruction, which needs neither gateway nor data.

#include <boost/json.hpp>
#include <cstdio>
#include <string>

#include "proxy/admin/keys/destruction_certificate.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/io/text_file.h"

namespace paravent::proxy::main {

int run_verify_certificate(const VerifyCertificateOptions& options) {
  const auto text = read_text_file(options.file, crypto::audit::kMaxNoteSize);
  if (!text) return fail(text.error());
  auto key_text = read_text_file(options.public_key, 4096);
  if (!key_text) return fail(key_text.error());
  if (key_text->ends_with('\n')) key_text->pop_back();
  const auto key = crypto::audit::parse_note_key(*key_text);
  if (!key) return fail(ExitCode::usage, options.public_key + " is no public key of an audit log.");
  const auto lines = admin::verify_certificate(*text, *key);
  if (!lines) return fail(lines.error());
  if (options.json) {
    boost::json::object object;
    for (const auto& [name, value] : *lines) object[name] = value;
    std::printf("%s\n", boost::json::serialize(object).c_str());
    return static_cast<int>(ExitCode::done);
  }
  std::printf("Good signature by %s.\n", key->name.c_str());
  for (const auto& [name, value] : *lines) std::printf("%s: %s\n", name.c_str(), value.c_str());
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
