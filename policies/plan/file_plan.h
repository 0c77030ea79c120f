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
  // How the key of an encrypted file is protected; never null where it is.
  const FieldAction* content = nullptr;

  bool goes_on() const noexcept { return policies::goes_on(rule.action.value); }
  bool encrypts() const noexcept { return rule.action.value == FileAction::encrypt; }
  // Whether the content leaves as it came.
  bool is_untouched() const noexcept {
    return rule.action.value == FileAction::pass && !rule.strip_metadata;
  }
};

}  // namespace paravent::policies
