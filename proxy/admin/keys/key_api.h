// KeyApi: the paths of the admin API that work on keys, tenants, holds and the freeze. For the role
// admin; every change has its entry in the audit log of the tenant (or the installation's) before
// it happens, and a second one where it then failed.
//
// Thread safe, as its parts are; they must outlive it. key_api.cc has the paths; what each of them
// does is in key_lists.cc, key_operations.cc, key_tenants.cc, key_holds.cc, key_rows.cc and
// key_rewrap.cc. Sources: CONTRACTS "Admin API", docs/vault.md.

#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/vault/engine/upkeep/key_admin.h"
#include "crypto/vault/engine/upkeep/subject_admin.h"
#include "proxy/admin/admin_message.h"
#include "proxy/admin/audit_logs.h"
#include "proxy/admin/operators.h"
#include "proxy/admin/root_desk.h"
#include "proxy/admin/row_desk.h"
#include "proxy/admin/text_members.h"
#include "proxy/telemetry/sealed_list.h"

namespace paravent::proxy::admin {

class KeyApi {
 public:
  // `keys_changed`: asks for the bindings again and publishes them; called after each change, so
  // that the data path stops using what may not be used any more before the answer goes out.
  // `rows`: null: its paths answer 404. `sealed_list`: what was sealed while the vault was; empty,
  // or null: nothing ever was. `root`: null: /v1/rewrap answers 404.
  KeyApi(crypto::vault::Vault& vault, AuditLogs& logs, const crypto::Clock& clock,
         std::function<void()> keys_changed, RowDesk* rows = nullptr,
         std::function<telemetry::SealedList*()> sealed_list = {}, RootDesk* root = nullptr)
      : vault_(vault),
        logs_(logs),
        clock_(clock),
        keys_changed_(std::move(keys_changed)),
        rows_(rows),
        sealed_list_(std::move(sealed_list)),
        root_(root) {}

  // Any path below /v1/keys, /v1/tenants, /v1/holds, and /v1/rewrap. `who` has the role admin.
  AdminResponse handle(const AdminRequest& request, const Operator& who);
  bool destruction_is_frozen() const;
  // What was destroyed is not final yet (KeyAdmin::erasure_is_due).
  bool erasure_is_due() const;
  // Called when an operator confirms that the clock is right, after which whatever was dated later
  // is not believed. Before anybody asks.
  void at_right_clock(std::function<crypto::Status()> told) { at_right_clock_ = std::move(told); }
  // Whether keys that had to end could not be ended the last time; from any thread.
  void say_of_retention(bool failed) noexcept { retention_failed_ = failed; }
  bool retention_failed() const noexcept { return retention_failed_; }
  // The signed certificate of one person's erasure, which is made once: nothing is kept that it
  // could be made of again.
  crypto::Result<std::string> person_certificate(const crypto::vault::Id& tenant,
                                                 const crypto::vault::ErasedSubject& person) const;

 private:
  struct Act;

  AdminResponse list(const AdminRequest& request) const;
  AdminResponse list_tenants(const AdminRequest& request) const;
  AdminResponse list_holds(const AdminRequest& request) const;
  AdminResponse freeze() const;
  AdminResponse certificate(const crypto::vault::Id& key) const;
  AdminResponse operate(const AdminRequest& request, const Operator& who, std::string_view id,
                        std::string_view operation);
  AdminResponse create_tenant(const AdminRequest& request, const Operator& who);
  AdminResponse destroy_tenant(const AdminRequest& request, const Operator& who,
                               std::string_view id);
  AdminResponse confirm(const AdminRequest& request, const Operator& who);
  AdminResponse hold(const AdminRequest& request, const Operator& who);
  AdminResponse release(const AdminRequest& request, const Operator& who, std::string_view id);
  AdminResponse rewrap(const AdminRequest& request, const Operator& who);
  AdminResponse reseal(const AdminRequest& request, const Operator& who);
  AdminResponse reindex(const AdminRequest& request, const Operator& who);
  AdminResponse sealed_values() const;
  AdminResponse converted(const AdminRequest& request, const Operator& who);

  AdminResponse act(const Act& act);
  crypto::Status say_clock_is_right(const Operator& who, std::string_view reason) const;
  crypto::audit::AuditLog& log_of(const crypto::vault::Id& tenant) const;

  crypto::vault::Vault& vault_;
  AuditLogs& logs_;
  const crypto::Clock& clock_;
  std::function<void()> keys_changed_;
  RowDesk* rows_;
  std::function<telemetry::SealedList*()> sealed_list_;
  RootDesk* root_;
  std::function<crypto::Status()> at_right_clock_;
  std::atomic<bool> retention_failed_{false};
};

}  // namespace paravent::proxy::admin
