// FieldTransforms: the actions that need no key (replace, mask, truncate, generalise), made ready
// for one plan: zones, grids, bins and templates are read once and not for every value.
//
// Built with a WorkerState, then immutable; owned by it, or by explain. No allocation in apply()
// for ASCII values once `out` has its capacity.

#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/tokens/field_protector.h"
#include "crypto/tokens/mask.h"
#include "policies/plan/policy_plan.h"
#include "proxy/pipeline/generalise/bins.h"
#include "proxy/pipeline/generalise/dates.h"
#include "proxy/pipeline/generalise/gps_grid.h"
#include "proxy/pipeline/generalise/time_zone.h"
#include "proxy/pipeline/generalise/url_rule.h"

namespace paravent::proxy {

// What a field becomes under on-error: mask, and under `do: mask` unless the rule shows a part.
using crypto::kMask;

class FieldTransforms {
 public:
  // ErrorKind::configuration for options that the policy's check should have refused.
  static crypto::Result<FieldTransforms> create(const policies::PolicyPlan& plan);

  // Appends what `value` becomes. ErrorKind::malformed, and `out` as it was, when the value is none
  // that the action knows: a date, a coordinate, an address. `today` is asked for ages alone.
  // REQUIRES: the action is one of the plan's, and one of those above.
  crypto::Status apply(const policies::FieldAction& action, std::string_view value,
                       const crypto::Clock& today, std::string& out) const;

 private:
  struct Floor {
    DateUnit unit = DateUnit::year;
    TimeZone zone;
  };
  struct Ages {
    AgeBands bands;
    TimeZone zone;
  };
  using Compiled = std::variant<std::monostate, Floor, Ages, GpsGrid, Bins, UrlRule>;

  static crypto::Result<Compiled> compile(const policies::FieldAction& action);
  crypto::Status generalise(const policies::FieldAction& action, std::string_view value,
                            const crypto::Clock& today, std::string& out) const;

  std::vector<Compiled> compiled_;  // by FieldAction::id
};

// Everything that turns one field's value into another, of one snapshot and one worker.
struct FieldTools {
  crypto::FieldProtector& protector;
  const FieldTransforms& transforms;
  const crypto::Clock& clock;
};

}  // namespace paravent::proxy
