// FilePlan: what becomes of the files under one part's name, compiled. Immutable, owned by the
// FieldAction of that part.

#pragma once

#include "policies/model/file_rule.h"
#include "policies/plan/field_action.h"

namespace paravent::policies {

struct FilePlan {
  FileRule rule;
  // What is done with the file's name; never null where the file goes on.
  const FieldAction* name = nullptr;

  bool goes_on() const noexcept { return rule.action.value == FileAction::pass; }
};

}  // namespace paravent::policies
