// LoginDesk: how a person gets a short credential: a pass-phrase and a code of a second factor; and
// how both are chosen, with an invitation of an admin.
//
// POST /v1/login, /v1/enrol, /v1/logout. Thread safe. Failures in a row lock a login for a time
// that doubles, and that is kept with the operator, so a restart does not help. Unknown names are
// answered and locked alike, and kept as durably (failed_attempts.h). At most two pass-phrases are
// checked at once, and four wait (checking_places.h); what they locked meanwhile counts.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/primitives/hmac_sha256.h"
#include "crypto/primitives/passphrase.h"
#include "proxy/admin/admin_message.h"
#include "proxy/admin/audit_logs.h"
#include "proxy/admin/operators.h"
#include "proxy/admin/operators/checking_places.h"
#include "proxy/admin/operators/passphrase_rule.h"

namespace paravent::proxy::admin {

struct LoginRules {
  PassphraseRule passphrase;
  std::uint32_t session_minutes = 60;
  crypto::PassphraseCost cost;  // of new pass-phrases, and the floor of old ones
  // What names that nobody has are kept under; the same after a restart. Null: a key of this
  // process, so that they are new names afterwards.
  std::shared_ptr<const crypto::HmacSha256> names;
  std::shared_ptr<CheckingPlaces> places{};  // null: the desk's own
};

// Free failures in a row; each further one doubles the wait, from a minute to a day.
inline constexpr std::uint32_t kFreeFailures = 5;
crypto::WallTime locked_until(std::uint32_t failures, crypto::WallTime now);

class LoginDesk {
 public:
  LoginDesk(Operators& operators, AuditLogs& logs, const LoginRules& rules);

  AdminResponse login(const AdminRequest& request);
  AdminResponse enrol(const AdminRequest& request);
  AdminResponse logout(const AdminRequest& request, const Operator& who);

  // Since the start, for metrics.
  std::uint64_t failed_logins() const { return failed_.load(); }

 private:
  crypto::audit::AuditLog& log_of(const crypto::vault::Id& tenant) const;
  bool record(const OperatorRecord& one, crypto::audit::EventKind event,
              crypto::audit::Outcome outcome, std::string remark) const;
  AdminResponse wrong(const std::optional<OperatorRecord>& one, const std::string& name);
  crypto::Status count_failure(const std::optional<OperatorRecord>& one, const std::string& name,
                               bool& is_locked);
  std::optional<OperatorRecord> login_of(const std::string& name) const;
  crypto::WallTime locked_until_of(const std::optional<OperatorRecord>& one,
                                   std::string_view name) const;
  NameDigest digest_of(std::string_view name) const;
  crypto::Status succeed(const OperatorRecord& one, std::string_view passphrase,
                         const crypto::TotpSecret& secret, std::uint64_t step);

  Operators& operators_;
  AuditLogs& logs_;
  LoginRules rules_;
  crypto::PassphraseVerifier nobody_;  // what is checked where there is nobody of that name
  std::atomic<std::uint64_t> failed_{0};
};

}  // namespace paravent::proxy::admin
