// The steps of a case that more than one room takes.

#pragma once

#include "crypto/base/clock.h"
#include "proxy/admin/grants/cases.h"

namespace paravent::proxy::admin {

// Closes a case whose time is over, for good: true when this did it. Where that cannot be written
// the case stays as it was, so callers look at the time as well.
bool close_if_over(const Case& one, crypto::WallTime now, Cases::Use& use);

}  // namespace paravent::proxy::admin
