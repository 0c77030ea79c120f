// PolicyConsent: where a policy is in force that asks for two people, one that gives more is not
// loaded before somebody else approved it.
//
// What was in force is kept in DATA/operators/terms-TENANT (mode 0600) for as long as it asks for
// two people, so that a policy changed while nothing ran is compared too. Not thread safe: loads
// come one after the other.

#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "policies/access/access_rules.h"
#include "policies/access/reveal_terms.h"
#include "proxy/admin/audit_logs.h"
#include "proxy/admin/operators.h"

namespace paravent::proxy::admin {

class PolicyConsent {
 public:
  // `folder`: DATA/operators. All must outlive it.
  PolicyConsent(std::filesystem::path folder, Operators& operators, AuditLogs& logs)
      : folder_(std::move(folder)), operators_(operators), logs_(logs) {}

  struct Load {
    crypto::vault::Id tenant{};
    const policies::Policy* policy = nullptr;
    std::string sha256;  // of its text, in hex
  };
  // Whether every such file of the folder can be read: to be asked before anything is written.
  static crypto::Status verify(const std::filesystem::path& folder);

  // ErrorKind::refused with a sentence: one of them gives more than what is in force, and nobody
  // has approved exactly this text; a case for each such text is open then, and no approval is used
  // up. configuration: the same, where `author` is no operator (a signal or a start: its name, or
  // none), so that no case can be opened. data: what was in force cannot be read; disk_full: no
  // record. `in_force`: says who is whom when an approval is used; nullptr, at a start, where
  // nothing is in force: what is loaded says it.
  crypto::Status check(const std::vector<Load>& loads, const Operator& author,
                       const policies::AccessRules* in_force = nullptr);
  // The case that approved what the latest check let through for this tenant; nullptr: it needed
  // none. Until the next check.
  const Case* approval(const crypto::vault::Id& tenant) const;
  // To be called before they are in force, as the last of what can stand against that: what is not
  // kept must not be served. After an error some are kept, and of none are the terms gone.
  crypto::Status keep(const std::vector<Load>& loads);

 private:
  // What gives more, and where first.
  struct Wider {
    const Load* load = nullptr;
    std::string first;
  };

  std::filesystem::path file_of(const crypto::vault::Id& tenant) const;
  crypto::Result<std::vector<Wider>> wider_of(const std::vector<Load>& loads) const;
  // What has no approval. If all have theirs, they are used up.
  crypto::Result<std::vector<Wider>> use_all(const std::vector<Wider>& wider,
                                             const Operator& author,
                                             const policies::AccessRules* in_force);
  crypto::Status ask(const Wider& wider, const Operator& author);

  std::filesystem::path folder_;
  Operators& operators_;
  AuditLogs& logs_;
  std::map<crypto::vault::Id, Case> approvals_;  // of the latest check
};

}  // namespace paravent::proxy::admin
