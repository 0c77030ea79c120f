// IssuerRecord: which keys of other issuers were trusted when, on the record: in the installation's
// log for every issuer, and in the log of each tenant whose policy gives roles to its subjects, so
// that a dossier can tell who could sign as whom.
//
// It remembers what each log was told since the start of the process and writes the difference; the
// first time it says the whole set. No key is ever in it, only names (KeyName). Not thread safe.

#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "crypto/audit/audit_log.h"
#include "proxy/admin/oidc/jwks.h"

namespace paravent::proxy::main {

class IssuerRecord {
 public:
  // A log, and the issuers that it is told about.
  struct Place {
    crypto::audit::AuditLog* log = nullptr;
    std::set<std::string> issuers;
  };

  // What the issuer's keys are from now on; nothing is written yet.
  void use(const std::string& issuer, admin::KeyNames keys) { now_[issuer] = std::move(keys); }
  admin::KeyNames keys(const std::string& issuer) const {
    const auto found = now_.find(issuer);
    return found == now_.end() ? admin::KeyNames() : found->second;
  }
  // Those whose keys are known.
  std::set<std::string> issuers() const;

  // Writes whatever the places do not know yet, one durable step for each log. An error: of a log
  // that cannot be written; what could be written before is remembered.
  crypto::Status write(const std::vector<Place>& places);

 private:
  std::map<std::string, admin::KeyNames> now_;                           // by issuer
  std::map<std::pair<std::string, std::string>, admin::KeyNames> told_;  // by log and issuer
};

}  // namespace paravent::proxy::main
