// The commands on keys that need no gateway: another root key, and the verification of a
// certificate of destruction.

#include <boost/json.hpp>
#include <cstdio>
#include <string>
#include <system_error>

#include "crypto/vault/engine/key_admin.h"
#include "proxy/admin/destruction_certificate.h"
#include "proxy/main/commands.h"
#include "proxy/main/exit_code.h"
#include "proxy/main/installation.h"
#include "proxy/main/text_file.h"

namespace paravent::proxy::main {

using crypto::vault::RootKey;

int run_keys_rewrap(const KeysRewrapOptions& options) {
  const InstallationPaths paths = installation_paths(options.data, options.root_key);
  const auto next_path = std::filesystem::absolute(options.new_root_key).lexically_normal();
  const crypto::SystemClock clock;
  auto opened = Installation::open(paths, clock);
  if (!opened) {
    // Interrupted after the keys were wrapped anew, or run twice: the next key opens them already.
    InstallationPaths done = paths;
    done.root.key_file = next_path;
    std::error_code ignored;
    if (std::filesystem::exists(next_path, ignored) && Installation::open(done, clock)) {
      std::printf("The keys are wrapped under %s already.\n", next_path.c_str());
      return static_cast<int>(ExitCode::done);
    }
    return fail(opened.error());
  }
  std::error_code ignored;
  auto next = std::filesystem::exists(next_path, ignored) ? RootKey::read(next_path)
                                                          : RootKey::create(next_path);
  if (!next) return fail(next.error());
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::key_operation;
  entry.detail.object = "root key";
  entry.detail.remark = "re-wrap under another root key, offline";
  if (auto receipt = (*opened)->audit().installation().append(entry); !receipt) {
    return fail(receipt.error());
  }
  if (auto s = crypto::vault::KeyAdmin((*opened)->vault()).replace_root(*next); !s) {
    return fail(s.error());
  }
  std::printf(
      "The keys are wrapped under %s; the old root key opens nothing here any more.\n"
      "Start with --root-key %s from now on, and keep a copy of it where the data is not.\n",
      next_path.c_str(), next_path.c_str());
  return static_cast<int>(ExitCode::done);
}

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
