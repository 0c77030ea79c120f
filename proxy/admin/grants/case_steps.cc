#include "proxy/admin/grants/case_steps.h"

namespace paravent::proxy::admin {

bool close_if_over(const Case& one, crypto::WallTime now, Cases::Use& use) {
  const bool alive = one.state == CaseState::open || one.state == CaseState::approved;
  if (!alive || now < one.expires) return false;
  Case over = one;
  over.state = CaseState::closed;
  return static_cast<bool>(use.keep(std::move(over)));
}

}  // namespace paravent::proxy::admin
