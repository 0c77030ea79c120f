#include "proxy/admin/operators/wrong_credentials.h"

#include <tuple>

namespace paravent::proxy::admin {

AdminResponse WrongCredentials::one_more(crypto::WallTime now, crypto::audit::AuditLog& log) {
  std::uint32_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    if (now - since_ >= std::chrono::minutes(1)) {
      since_ = now;
      count_ = 0;
    }
    count = ++count_;
  }
  if (count <= kMostPerMinute) {
    return admin_problem(401, "credential", "A valid credential is needed.");
  }
  if (count == kMostPerMinute + 1) {
    crypto::audit::AuditEntry entry;
    entry.event = crypto::audit::EventKind::authentication;
    entry.outcome = crypto::audit::Outcome::refused;
    entry.detail.remark = "wrong credentials are throttled";
    std::ignore = log.append(entry);  // they are refused either way
  }
  AdminResponse response =
      admin_problem(429, "throttled", "Too many wrong credentials; wait a minute.");
  response.headers.emplace_back("Retry-After", "60");
  return response;
}

}  // namespace paravent::proxy::admin
