// WrongCredentials: what requests with a wrong credential are answered, and when somebody tries too
// many; one count for every door, in front of the vault and behind it. A credential of 256 bits is
// not found by trying; what this bounds is the noise, and what it gives is the alarm. Whoever has a
// right credential is never kept waiting by others' wrong ones.
//
// A restart opens nothing: the count is durable before it is used, 250 at a time, so that a flood
// costs five small writes a minute, and a process that ends takes at most 249 of that minute's with
// it.
//
// Thread safe.

#pragma once

#include <cstdint>
#include <mutex>

#include "crypto/audit/audit_log.h"
#include "crypto/base/clock.h"
#include "proxy/admin/admin_message.h"
#include "proxy/admin/operators/failed_attempts.h"

namespace paravent::proxy::admin {

class WrongCredentials {
 public:
  static constexpr std::uint32_t kMostPerMinute = 1000;
  static constexpr std::uint32_t kStep = 250;

  // `kept` must outlive it.
  explicit WrongCredentials(FailedAttempts& kept);

  // 401; beyond 1000 in a minute 429, of which the first is on record. `log`: null while the vault
  // is sealed and there is none.
  AdminResponse one_more(crypto::WallTime now, crypto::audit::AuditLog* log);

 private:
  std::uint32_t count_one(crypto::WallTime now);

  FailedAttempts& kept_;
  std::mutex mutex_;
  Throttle now_;
  std::uint32_t durable_ = 0;  // of this minute
};

}  // namespace paravent::proxy::admin
