#include "proxy/admin/operators/wrong_credentials.h"

#include <algorithm>
#include <tuple>

namespace paravent::proxy::admin {

WrongCredentials::WrongCredentials(FailedAttempts& kept)
    : kept_(kept), now_(kept.throttle()), durable_(now_.count) {}

std::uint32_t WrongCredentials::count_one(crypto::WallTime now) {
  const std::lock_guard lock(mutex_);
  // A clock that was put back between two processes does not make the minute longer.
  now_.since = std::min(now_.since, now);
  if (now - now_.since >= std::chrono::minutes(1)) {
    now_ = {now, 0};
    durable_ = 0;
  }
  now_.count = std::min(now_.count + 1, kMostPerMinute + 2);
  if (now_.count > durable_ && now_.count <= kMostPerMinute + 1) {
    const std::uint32_t next =
        now_.count > kMostPerMinute ? now_.count : std::min(durable_ + kStep, kMostPerMinute);
    // Where it cannot be written, this one is refused all the same, and the next one tries again.
    if (kept_.keep({now_.since, next})) durable_ = next;
  }
  return now_.count;
}

AdminResponse WrongCredentials::one_more(crypto::WallTime now, crypto::audit::AuditLog* log) {
  const std::uint32_t count = count_one(now);
  if (count <= kMostPerMinute) {
    return admin_problem(401, "credential", "A valid credential is needed.");
  }
  if (count == kMostPerMinute + 1 && log != nullptr) {
    crypto::audit::AuditEntry entry;
    entry.event = crypto::audit::EventKind::authentication;
    entry.outcome = crypto::audit::Outcome::refused;
    entry.detail.remark = "wrong credentials are throttled";
    std::ignore = log->append(entry);  // they are refused either way
  }
  AdminResponse response =
      admin_problem(429, "throttled", "Too many wrong credentials; wait a minute.");
  response.headers.emplace_back("Retry-After", "60");
  return response;
}

}  // namespace paravent::proxy::admin
