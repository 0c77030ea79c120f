// Which routes are refused (503 sealed) since a key that they need cannot protect, for whoever
// reads what the gateway prints: "warning: ..." lines, one for each route, empty when there is
// none. Pure.

#pragma once

#include <string>

#include "proxy/pipeline/worker_state.h"

namespace paravent::proxy::main {

std::string warnings_of_keyless_routes(const Snapshot& snapshot);

}  // namespace paravent::proxy::main
