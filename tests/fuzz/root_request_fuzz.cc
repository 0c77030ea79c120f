// A request for another root key that is taken names one way and nothing else, whole.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/admin/root_request.h"

namespace admin = paravent::proxy::admin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto request =
      admin::parse_root_request(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!request) return 0;
  if (request->reason.empty() || request->wish.has_value() == !request->confirm.empty()) {
    std::abort();
  }
  if (!request->wish) return 0;
  const admin::RootWish& wish = *request->wish;
  const bool secret =
      wish.way == admin::RootWish::Way::passphrase || wish.way == admin::RootWish::Way::pkcs11;
  if (wish.secret.empty() == secret) std::abort();
  if (wish.way == admin::RootWish::Way::shares &&
      (wish.threshold < 2 || wish.shares < wish.threshold || wish.shares > 255)) {
    std::abort();
  }
  return 0;
}
