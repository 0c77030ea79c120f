// Who a request about people means: the persons of some tokens, or the one of a clear value or of a
// reference. Opens nothing.

#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "crypto/audit/detail.h"
#include "crypto/reveal/principal.h"
#include "crypto/vault/engine/upkeep/subject_admin.h"
#include "proxy/admin/admin_api.h"
#include "proxy/admin/subjects/subject_request.h"

namespace paravent::proxy::admin {

struct MeantSubjects {
  std::vector<crypto::vault::SubjectInfo> subjects;  // each once
  std::vector<std::optional<std::size_t>> by_token;  // which of them a token is about
  bool unreachable = false;
  bool key_out_of_use = false;  // of a key that would tell whether there is somebody more
  bool malformed = false;       // the clear value is none of its kind
};

MeantSubjects find_subjects(const AdminParts& parts, const crypto::reveal::Principal& principal,
                            const SubjectRequest& request);

// Whoever names a person means everything that is kept of them: a decoy is asked for by its owner's
// address as much as by its token. `named`: the tokens that were handed in, which rang already.
void watch_subjects_for_honey(const AdminParts& parts, const Operator& who,
                              const MeantSubjects& meant,
                              const std::vector<crypto::audit::AuditToken>& named);

}  // namespace paravent::proxy::admin
