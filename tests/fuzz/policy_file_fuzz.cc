// Any bytes as a policy file: never a crash, and a policy without errors always compiles and can
// say what it promises.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "policies/model/equality_promise.h"
#include "policies/model/load_policy.h"
#include "policies/plan/compiler.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent::policies;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::array<LoadedPolicy, 1> loaded = {load_policy_text("fuzz", text)};
  (void)diagnostics_text(loaded[0].diagnostics);
  if (!loaded[0].ok()) return 0;
  for (const Promise& promise : equality_promises(loaded[0].policy)) (void)promise_text(promise);
  const auto plan = compile(std::span<const Policy>(&loaded[0].policy, 1));
  if (plan.has_error()) std::abort();
  const RouteMatch match = (*plan)->route_for("POST", "example.org", "/contact");
  if (match.route != nullptr) (void)match.route->find(Carrier::form, "email");
  return 0;
}
