#include "proxy/main/installation/was_in_use.h"

#include <optional>
#include <string_view>
#include <system_error>
#include <tuple>

#include "crypto/audit/audit_log.h"
#include "crypto/audit/checkpoint.h"
#include "crypto/audit/entry_walk.h"
#include "crypto/audit/snapshot.h"
#include "crypto/base/bytes.h"

namespace paravent::proxy::main {
namespace {

namespace audit = crypto::audit;

std::optional<std::uint64_t> size_of(const audit::Snapshot& snapshot) {
  const auto bytes = snapshot.read(audit::kCheckpointFile);
  if (!bytes) return std::nullopt;
  const std::string_view note = crypto::as_text(*bytes);
  const auto checkpoint = audit::parse_checkpoint_text(note.substr(0, note.find("\n\n") + 1));
  if (!checkpoint) return std::nullopt;
  return checkpoint->size;
}

}  // namespace

bool was_in_use(const std::filesystem::path& audit) {
  const std::filesystem::path log = audit / audit::kInstallationLog;
  std::error_code error;
  for (std::filesystem::directory_iterator it(audit, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().filename() != audit::kInstallationLog) return true;  // a tenant's
  }
  if (!std::filesystem::exists(log, error)) return false;
  const auto snapshot = audit::Snapshot::take(log.string());
  if (!snapshot) return false;
  const auto size = size_of(*snapshot);
  if (!size) return false;
  bool used = false;
  audit::EntryWalk walk(*snapshot, *size, *size);
  walk.listen([&used](const audit::DecodedEntry& entry) -> crypto::Status {
    used = entry.leaf.open.event != audit::EventKind::init;
    // Enough is known.
    return used ? crypto::Status(crypto::Error(crypto::ErrorKind::refused)) : crypto::Status();
  });
  std::ignore = walk.run();
  return used;
}

}  // namespace paravent::proxy::main
