#include "proxy/admin/admin_message.h"

#include <boost/json.hpp>

namespace paravent::proxy::admin {

AdminResponse admin_problem(std::uint16_t status, std::string_view reason,
                            std::string_view detail) {
  const boost::json::object problem = {
      {"type", "urn:paravent:problem:" + std::string(reason)},
      {"title", detail},
      {"status", status},
      {"reason", reason},
  };
  AdminResponse response(status, "application/problem+json",
                         boost::json::serialize(problem) + "\n");
  response.reason = reason;
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (status == 503) response.headers.emplace_back("Retry-After", "5");
  return response;
}

AdminResponse audit_unavailable() {
  return admin_problem(503, "audit-unavailable",
                       "The audit log cannot be written; nothing was done.");
}

}  // namespace paravent::proxy::admin
