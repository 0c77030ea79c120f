// Whether a data directory without a list of operators has served before: told by its audit logs,
// without any key. An initialisation that was broken off has left nothing but its own entries.

#pragma once

#include <filesystem>

namespace paravent::proxy::main {

// `audit`: DATA/audit. Reads as far as the first entry that says so. False where nothing can be
// read: whoever opens the log has the sentence for it.
bool was_in_use(const std::filesystem::path& audit);

}  // namespace paravent::proxy::main
