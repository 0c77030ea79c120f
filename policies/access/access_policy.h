// AccessPolicy: decides on one re-identification and turns an allowed one into the ticket for it,
// the Grant (DESIGN 4). Holds the GrantAuthority, which nobody else has.
//
// Immutable, thread safe; a reload makes a new one. What is decided: access_rules.h.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/reveal/grant.h"
#include "crypto/reveal/principal.h"
#include "policies/access/access_rules.h"

namespace paravent::policies {

struct Decision {
  Verdict verdict = Verdict::barred;
  std::optional<crypto::reveal::Grant> grant;  // exactly when allowed
};

class AccessPolicy {
 public:
  // `authority` must outlive the policy; one serves every reload.
  AccessPolicy(std::span<const TenantPolicy> policies,
               const crypto::reveal::GrantAuthority& authority)
      : rules_(policies), authority_(authority) {}

  // Before any token is looked at: false is an answer of 403.
  bool admits(const crypto::reveal::Principal& principal, std::string_view purpose) const;

  Decision decide(const crypto::reveal::Principal& principal, const std::string& purpose,
                  const crypto::reveal::DescribedToken& token, crypto::WallTime now) const;

  // What the policies say beyond decisions on single tokens. Lives as long as this.
  const AccessRules& rules() const noexcept { return rules_; }

  bool handles_subjects(const crypto::reveal::Principal& principal) const {
    return rules_.handles_subjects(principal.tenant(), principal.role());
  }

  bool reads_audit(const crypto::reveal::Principal& principal) const {
    return rules_.reads_audit(principal.tenant(), principal.role());
  }

  std::vector<std::string> recipients(const crypto::reveal::Principal& principal,
                                      std::string_view purpose) const {
    return rules_.recipients(principal.tenant(), purpose);
  }
  std::string phone_region(const crypto::reveal::Principal& principal) const {
    return rules_.phone_region(principal.tenant());
  }

  // As AccessRules::fields: where a value comes from, in the words of the current policy.
  std::vector<std::string> fields(std::string_view purpose,
                                  const crypto::vault::TokenDescription& token) const {
    return rules_.fields(purpose, token);
  }

  // As AccessRules::bare_contexts, of the principal's tenant.
  std::vector<crypto::vault::ContextSpec> bare_contexts(const crypto::reveal::Principal& principal,
                                                        std::string_view purpose,
                                                        std::string_view field,
                                                        std::string_view route) const {
    return rules_.bare_contexts(principal.tenant(), purpose, field, route);
  }

 private:
  AccessRules rules_;
  const crypto::reveal::GrantAuthority& authority_;
};

}  // namespace paravent::policies
