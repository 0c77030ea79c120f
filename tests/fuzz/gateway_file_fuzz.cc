// Any bytes as a gateway file: never a crash; what is accepted keeps the promises that serve relies
// on.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/config/gateway_config.h"

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent::proxy;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const config::LoadedConfig loaded = config::load_gateway_text("fuzz", text);
  (void)paravent::policies::diagnostics_text(loaded.diagnostics);
  if (const auto address = config::parse_address(text)) check(address->text() == text);
  if (const auto bytes = config::parse_size(text)) check(*bytes <= 1ULL << 40U);
  if (loaded.diagnostics.has_errors()) return 0;
  check(!loaded.config.listen.empty() && !loaded.config.policies.empty());
  check(loaded.config.admin.is_loopback() || loaded.config.admin_tls.enabled());
  check(loaded.config.limits.form_bytes >= 1024 && loaded.config.limits.header_bytes <= 64 * 1024);
  for (const config::ListenerConfig& one : loaded.config.listen) {
    check(config::parse_address(one.address.text()).has_value());
    check(one.tls.asks_for_certificate() == !one.tls.client_ca.empty());
  }
  return 0;
}
