// IssuerRecord: which keys of other issuers were trusted when, on the record: in the installation's
// log for every issuer, and in the log of each tenant whose policy gives roles to its subjects, so
// that a dossier can tell who could sign as whom. A set that became too old to be used, and an
// issuer that left the configuration or the tenant's policy, are on it as well.
//
// It remembers what each log was told since the start of the process and writes the difference; the
// first time it says the whole set. Of what was told before that, a file holds the names only
// (issuers_told.h), so that whoever is gone at the next start is taken off the record. No key is
// ever in it, only names (KeyName). Not thread safe.

#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "crypto/audit/audit_log.h"
#include "proxy/admin/oidc/jwks.h"
#include "proxy/main/keepers/issuers_told.h"

namespace paravent::proxy::main {

class IssuerRecord {
 public:
  // A log, and the issuers that it is told about: every one that lets somebody in there, whether or
  // not its keys are known already.
  struct Place {
    crypto::audit::AuditLog* log = nullptr;
    std::set<std::string> issuers;
  };

  // Keeps in `file` what the logs were told, and reads what it holds. Without it nothing outlasts
  // the process. ErrorKind::data: the file is altered.
  crypto::Status remember_in(const std::filesystem::path& file);

  // What the issuer's keys are from now on; nothing is written yet.
  void use(const std::string& issuer, admin::KeyNames keys) {
    now_[issuer] = {std::move(keys), false};
  }
  // Its set is too old, so that no key of it is trusted; until the next use().
  void too_old(const std::string& issuer) { now_[issuer] = {{}, true}; }
  admin::KeyNames keys(const std::string& issuer) const {
    const auto found = now_.find(issuer);
    return found == now_.end() ? admin::KeyNames() : found->second.keys;
  }

  // Writes whatever the places do not know yet, one durable step for each log. An error: of a log
  // or file that cannot be written; what could be written before is remembered.
  crypto::Status write(const std::vector<Place>& places);

 private:
  struct Trusted {
    admin::KeyNames keys;
    bool too_old = false;
    bool operator==(const Trusted&) const = default;
  };
  using Pair = std::pair<std::string, std::string>;  // of log and issuer

  crypto::Status write_to(const Place& place);
  // What was told to that log of issuers that it is not told about any more.
  std::vector<Pair> gone(const Place& place) const;
  crypto::Status keep();

  std::filesystem::path file_;          // empty: none
  std::map<std::string, Trusted> now_;  // by issuer
  std::map<Pair, Trusted> told_;        // since the start of the process
  IssuersTold names_;                   // of told_, and of what was told before
  IssuersTold stored_;                  // what the file holds
};

}  // namespace paravent::proxy::main
