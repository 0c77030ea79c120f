// WrongCredentials: what requests with a wrong credential are answered, and when somebody tries too
// many. A credential of 256 bits is not found by trying; what this bounds is the noise, and what it
// gives is the alarm. Whoever has a right credential is never kept waiting by others' wrong ones.
//
// Thread safe.

#pragma once

#include <cstdint>
#include <mutex>

#include "crypto/audit/audit_log.h"
#include "crypto/base/clock.h"
#include "proxy/admin/admin_message.h"

namespace paravent::proxy::admin {

class WrongCredentials {
 public:
  static constexpr std::uint32_t kMostPerMinute = 1000;

  // 401; beyond 1000 in a minute 429, of which the first is on record.
  AdminResponse one_more(crypto::WallTime now, crypto::audit::AuditLog& log);

 private:
  std::mutex mutex_;
  crypto::WallTime since_{};
  std::uint32_t count_ = 0;
};

}  // namespace paravent::proxy::admin
