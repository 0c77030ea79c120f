// People and what is kept of them as the admin API shows them, in JSON. Pure functions; a clear
// value goes in only by append_value().

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/reveal/principal.h"
#include "crypto/vault/engine/upkeep/subject_admin.h"
#include "policies/access/access_policy.h"
#include "proxy/admin/asked.h"

namespace paravent::proxy::admin {

// ,"name":["...","..."]
void append_list(std::string_view name, const std::vector<std::string>& texts, std::string& out);

// {"reference":...,"purposes":[...] without the closing brace: more may follow.
void append_subject(const crypto::vault::SubjectInfo& subject, const policies::AccessPolicy& access,
                    const crypto::reveal::Principal& principal, std::string& out);

// One value of an export. REQUIRES: asked.described and asked.value.
void append_value(const Asked& asked, const std::string& purpose,
                  const policies::AccessPolicy& access, const crypto::reveal::Principal& principal,
                  std::string& out);

}  // namespace paravent::proxy::admin
