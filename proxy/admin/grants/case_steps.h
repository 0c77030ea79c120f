// The steps of a case that more than one room takes.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/audit/audit_log.h"
#include "crypto/base/clock.h"
#include "proxy/admin/admin_message.h"
#include "proxy/admin/grants/cases.h"

namespace paravent::proxy::admin {

// Closes a case whose time is over, for good: true when this did it. Where that cannot be written
// the case stays as it was, so callers look at the time as well.
bool close_if_over(const Case& one, crypto::WallTime now, Cases::Use& use);

// Who wants to change something that the policy does not leave to one person.
struct ChangeRequest {
  std::string requester;
  std::string role;
  crypto::vault::Id tenant{};  // whose policy asks for a second person
  std::string change;          // what is to be done, the same words each time
  std::string reason;
  std::string credential;  // of the requester
};

// Opens a case for it: 202 with the case, which another operator approves, or 503.
AdminResponse open_change(const ChangeRequest& request, crypto::WallTime now, Cases& cases,
                          crypto::audit::AuditLog& log);

// Whether requester and approver are two people, as far as is known now.
using StillTwo = std::function<bool(const Case&)>;

// The approved case for exactly this change, of this requester (empty: of anybody); nullptr: there
// is none. `id` in hex; empty: whichever fits. Valid as Cases::Use::find() says.
const Case* approved_change(const ChangeRequest& request, std::string_view id,
                            const StillTwo& still_two, crypto::WallTime now, const Cases::Use& use);

// Uses its approval up: afterwards it is closed, whether or not the change then succeeds.
// `request`: who uses it, for the record. An error: it cannot be put on record or written.
crypto::Result<Case> use_up(const ChangeRequest& request, const Case& approved, Cases::Use& use,
                            crypto::audit::AuditLog& log);

// Both in one step.
crypto::Result<std::optional<Case>> use_change(const ChangeRequest& request, std::string_view id,
                                               const StillTwo& still_two, crypto::WallTime now,
                                               Cases& cases, crypto::audit::AuditLog& log);

}  // namespace paravent::proxy::admin
