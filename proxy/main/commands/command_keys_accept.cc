// paravent keys accept-older: goes on with keys that are older than the token store beside them,
// after somebody has put an older copy of the keys folder back and knows what that undoes.

#include <cstdio>

#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/installation/installation.h"

namespace paravent::proxy::main {

int run_keys_accept_older(const AcceptOlderOptions& options) {
  if (options.reason.empty()) {
    return fail(ExitCode::usage, "--reason says why; it goes on the record.");
  }
  auto paths = offline_paths(options.config, options.data, options.root_key);
  if (!paths) return fail(paths.error());
  paths->older_keys = crypto::vault::OlderKeys::accepted;
  const crypto::SystemClock clock;
  const auto installation = Installation::open(*paths, clock);
  if (!installation) return fail(installation.error());
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::key_operation;
  entry.detail.operator_name = "holder of the root key";
  entry.detail.reason = options.reason;
  entry.detail.object = "keys folder";
  entry.detail.remark = "keys that are older than the token store are accepted";
  if (auto receipt = (*installation)->audit().installation().append(entry); !receipt) {
    return fail(receipt.error());
  }
  // The index may have been moved to keys that these do not have. First: what is accepted is not
  // refused any more, so nobody would do it after a run that was broken off.
  if (auto rows = (*installation)->vault().rebuild_index({}); !rows) return fail(rows.error());
  if (auto s = (*installation)->vault().take_keys_as_they_are(); !s) return fail(s.error());
  std::printf("The keys in %s are accepted as they are; do what they have undone anew.\n",
              paths->data.c_str());
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
