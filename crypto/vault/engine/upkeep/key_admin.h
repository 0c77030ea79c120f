// KeyAdmin: what an operator of the role admin, and the retention keeper, do to the keys of a
// vault: list, disable, enable, rotate, destroy, hold; tenants; another root key. Opens no value.
//
// Every change is durable when the call returns, and reaches what resolve() uses at once; bindings
// handed out before must be asked for again (bind), which is why changes() counts. Nothing is
// recorded here: the caller writes its audit entry first, after check() has said that the operation
// is possible. Thread safe, as the vault.
//
// Sources: NIST SP 800-57 part 1 rev. 5, sections 7 and 8; constructions 4.11.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/catalogue/key_info.h"
#include "crypto/vault/engine/catalogue/retention.h"
#include "crypto/vault/engine/keys/key_renewal.h"
#include "crypto/vault/engine/vault/vault.h"

namespace paravent::crypto::vault {

struct Destruction {
  WallTime at{};
  std::vector<KeyInfo> keys;  // what went, as it is now
};

struct HoldInfo {
  HoldRecord record;
  std::string tenant;
  std::string purpose;  // empty: every purpose
};

// What a policy says of one purpose; nullopt: it states no retention.
struct PurposeRetention {
  std::string tenant;
  std::string purpose;
  std::optional<RetentionRule> rule;
};

struct PendingRetention {
  std::string tenant;
  std::string purpose;
  RetentionRecord record;
};

// What keeps the keeper from destroying anything.
struct FreezeInfo {
  KeeperRecord keeper;
  std::vector<PendingRetention> pending;
};

class KeyAdmin {
 public:
  // The vault must outlive it.
  explicit KeyAdmin(Vault& vault) noexcept : vault_(vault) {}

  std::vector<KeyInfo> list() const;
  // The order of list(); a key's place in it never changes.
  static bool is_listed_before(const KeyInfo& a, const KeyInfo& b);
  std::optional<KeyInfo> find(const Id& key) const;
  // What disables itself and goes within this time from now, soonest first.
  std::vector<KeyInfo> due_before(WallTime until) const;

  // Whether the operation is possible: ErrorKind::refused with the reason. Of destroy also that no
  // hold covers the key or anything below it. Keys of the audit logs take none of these.
  Status check(const Id& key, KeyOperation operation) const;
  // disable, enable, compromise, override_compromise.
  Status apply(const Id& key, KeyOperation operation);
  // A new version becomes the primary. Of an epoch: the old one only opens. Of a tenant or a
  // domain: what hangs on it moves under the new version (Catalogue::rotate_parent), the domain's
  // blind index behind the traffic (row_keeper.h); the old one is kept for subject references and
  // texts in a shape, and ends with the newest. ErrorKind::refused: of another class, not the
  // newest version, or the key above is out of use; busy: the domain's index is being moved.
  Status check_rotate(const Id& key) const;
  Result<Id> rotate(const Id& key);

  // What ends (key_destruction.cc). One batch, with everything below each key; see
  // Catalogue::destroy.
  Result<Destruction> destroy(std::span<const Id> keys);
  // The destroyed keys of one earlier batch: the certificate can be made again at any time.
  // ErrorKind::refused: it is not destroyed; data: the old shred secret is not erased yet.
  Result<Destruction> destruction_of(const Id& key) const;

  // A batch that is not final: the old shred secret is still there, or people were erased whose
  // keys an older copy still opens because the batch failed. finish_erasure() does what is owed; it
  // may be called at any time, and blocks as a destruction does. Fails as destroy() does.
  bool erasure_is_due() const;
  Status finish_erasure();

  // ErrorKind::configuration: the name is taken or impossible.
  Result<Id> create_tenant(std::string_view name);
  // The tenant's key with everything below. ErrorKind::refused: unknown, held, destroyed already.
  Status check_destroy_tenant(const Id& tenant) const;
  Result<Destruction> destroy_tenant(const Id& tenant);
  // The destroyed batch of a tenant's own key.
  std::optional<Id> tenant_key(const Id& tenant) const;

  Status replace_root(const RootKey& next);

  // How long keys and people's data live (key_retention.cc). At a policy load. What is longer holds
  // at once; what is shorter, counts from no event any more, or ends what was kept without end for
  // a day and more, waits for confirm(), and freezes destruction.
  Status set_retentions(std::span<const PurposeRetention> retentions);
  // Of these only what they count from: for a load that is undone. Nothing is put back that would
  // shorten what the load made longer.
  Status count_from(std::span<const PurposeRetention> retentions);
  // As set_retentions(), for the details of the audit logs, of every tenant; what was never set
  // counts as kAuditDetailLife as soon as there are details of an earlier month.
  Status set_audit_retention(CalendarPeriod life);
  FreezeInfo freeze_info() const;
  // An operator has seen why: shortened retentions hold, the clock is right, destruction goes on.
  Status confirm();
  // Whether no key can be made, since the wall clock is behind the newest one.
  bool clock_is_behind() const;

  // `purpose` empty: all of the tenant's. ErrorKind::configuration: an unknown name; usage: no
  // reason, or an end that has passed.
  Result<Id> hold(std::string_view tenant, std::string_view purpose,
                  std::optional<SubjectReference> subject, std::string_view reason, WallTime until);
  Status release(const Id& hold);
  std::vector<HoldInfo> holds() const;

  // Grows with every change after which bindings must be asked for again.
  std::uint64_t changes() const;

  // Adds a store of keys that hang on the tree; it takes part in every batch from now on and must
  // outlive the vault's last change.
  void add_part(RenewalPart& part);

 private:
  friend class RetentionKeeper;
  Result<Id> rotate_parent(const Id& key, const KeyPlace& place);
  Vault& vault_;
};

}  // namespace paravent::crypto::vault
