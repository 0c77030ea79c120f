// RecordApi: the paths of the admin API about the record: entries, checkpoints and proofs of the
// audit logs, the breach dossier, and honey tokens.
//
// Who sees what: entries of the tenant's log go to roles with `audit: true`; the role admin sees
// the public parts of these, and the installation's log, which nobody else does, because it speaks
// of every tenant and of honey tokens. Checkpoints and proofs tell nothing and are for every
// operator. Thread safe, as its parts are; they must outlive it.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/base/clock.h"
#include "crypto/vault/engine/vault/vault.h"
#include "proxy/admin/admin_message.h"
#include "proxy/admin/audit_logs.h"
#include "proxy/admin/honey.h"
#include "proxy/admin/operators.h"
#include "proxy/admin/query_members.h"
#include "proxy/admin/text_members.h"

namespace paravent::proxy::admin {

inline constexpr std::size_t kMostEntriesPerPage = 1000;

// Who asks, and whether their role reads the tenant's log. `has_policy`: one of the tenant is
// loaded, without which no role does.
struct RecordReader {
  const Operator& who;
  bool reads_audit = false;
  bool has_policy = true;
};

class RecordApi {
 public:
  // `honey`: null where there are none; their path then answers 404. `anchor_failures`: for
  // metrics.
  RecordApi(AuditLogs& logs, crypto::vault::Vault& vault, const crypto::Clock& clock, Honey* honey,
            std::function<std::uint64_t()> anchor_failures = {})
      : logs_(logs),
        vault_(vault),
        clock_(clock),
        honey_(honey),
        anchor_failures_(std::move(anchor_failures)) {}

  // Any path below /v1/audit and /v1/honey-tokens, and /v1/dossier.
  AdminResponse handle(const AdminRequest& request, const RecordReader& reader);
  Honey* honey() const noexcept { return honey_; }
  std::uint64_t anchor_failures() const { return anchor_failures_ ? anchor_failures_() : 0; }

 private:
  // The log that the query means; null: the reader has none.
  crypto::audit::AuditLog* log_of(const QueryMembers& query, const RecordReader& reader) const;

  // On record, as every refusal is.
  AdminResponse not_yours(const AdminRequest& request, const RecordReader& reader) const;
  AdminResponse entries(const AdminRequest& request, const RecordReader& reader) const;
  AdminResponse checkpoint(const AdminRequest& request, const RecordReader& reader) const;
  AdminResponse inclusion(const AdminRequest& request, const RecordReader& reader) const;
  AdminResponse consistency(const AdminRequest& request, const RecordReader& reader) const;
  // dossier_handler.cc
  AdminResponse dossier(const AdminRequest& request, const RecordReader& reader);
  // honey_handler.cc
  AdminResponse taken(const Operator& who, const TextMembers& members);
  AdminResponse honey_tokens(const AdminRequest& request, const RecordReader& reader);

  AuditLogs& logs_;
  crypto::vault::Vault& vault_;
  const crypto::Clock& clock_;
  Honey* honey_;
  std::function<std::uint64_t()> anchor_failures_;
};

}  // namespace paravent::proxy::admin
