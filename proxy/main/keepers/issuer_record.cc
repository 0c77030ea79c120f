#include "proxy/main/keepers/issuer_record.h"

namespace paravent::proxy::main {
namespace {

using crypto::audit::AuditEntry;

AuditEntry entry_of(std::string object, std::string remark) {
  AuditEntry entry;
  entry.event = crypto::audit::EventKind::operator_change;
  entry.detail.object = std::move(object);
  entry.detail.remark = std::move(remark);
  return entry;
}

AuditEntry entry_of(const std::string& issuer, const admin::KeyName& key, const char* what) {
  return entry_of("oidc:" + issuer + " key " + key.kid,
                  what + (" " + key.algorithm) + " thumbprint " + key.thumbprint);
}

}  // namespace

std::set<std::string> IssuerRecord::issuers() const {
  std::set<std::string> names;
  for (const auto& [name, keys] : now_) names.insert(name);
  return names;
}

crypto::Status IssuerRecord::write(const std::vector<Place>& places) {
  for (const Place& place : places) {
    std::vector<AuditEntry> entries;
    std::vector<std::string> changed;
    for (const std::string& issuer : place.issuers) {
      const auto now = now_.find(issuer);
      if (now == now_.end()) continue;
      const auto told = told_.find({place.log->key().name, issuer});
      const bool first = told == told_.end();
      if (!first && told->second == now->second) continue;
      changed.push_back(issuer);
      if (first) {
        entries.push_back(
            entry_of("oidc:" + issuer + " keys",
                     "trusted from here on, and no others: " + std::to_string(now->second.size())));
      }
      for (const admin::KeyName& key : now->second) {
        if (first || !told->second.contains(key)) {
          entries.push_back(entry_of(issuer, key, "trusted"));
        }
      }
      if (first) continue;
      for (const admin::KeyName& key : told->second) {
        if (!now->second.contains(key)) entries.push_back(entry_of(issuer, key, "withdrawn"));
      }
    }
    if (entries.empty()) continue;
    if (auto receipts = place.log->append_batch(entries); !receipts) return receipts.error();
    for (const std::string& issuer : changed) {
      told_[{place.log->key().name, issuer}] = now_[issuer];
    }
  }
  return {};
}

}  // namespace paravent::proxy::main
