// The export of one person's values: decided, budgeted, put on record, and only then opened, as any
// re-identification.

#pragma once

#include <optional>
#include <string>

#include "proxy/admin/subjects/subject_call.h"
#include "proxy/admin/subjects/subject_finder.h"

namespace paravent::proxy::admin {

// Appends ,"values":[...] to `out`: all that the role may see of the first of `meant`. Else the
// answer that says why not; something may have been appended then. REQUIRES: `meant` has a person.
std::optional<AdminResponse> export_values(const SubjectCall& call, const MeantSubjects& meant,
                                           BudgetLedger& ledger, ReidentificationCounters& counters,
                                           std::string& out);

}  // namespace paravent::proxy::admin
