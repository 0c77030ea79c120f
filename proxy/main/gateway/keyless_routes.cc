#include "proxy/main/gateway/keyless_routes.h"

namespace paravent::proxy::main {

std::string warnings_of_keyless_routes(const Snapshot& snapshot) {
  std::string lines;
  for (const auto& route : snapshot.plan->routes()) {
    if (!snapshot.lacks_keys(route->id)) continue;
    lines += "warning: the route " + route->name +
             " is refused (503): a key that it needs protects no more; see paravent keys list, and "
             "paravent keys freeze.\n";
  }
  return lines;
}

}  // namespace paravent::proxy::main
