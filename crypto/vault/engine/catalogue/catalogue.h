// Catalogue: what the key store says, in memory and typed: names, keys and context rows, found by
// what they are for. Missing pieces are made in memory ("staged") and become durable together at
// commit().
//
// Nothing staged may be handed out before commit() has succeeded; when it fails, the catalogue goes
// back to what the store holds. Not thread safe; the vault serialises.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/vault/engine/catalogue/key_backups.h"
#include "crypto/vault/engine/catalogue/names.h"
#include "crypto/vault/engine/catalogue/retention.h"
#include "crypto/vault/engine/catalogue/row_jobs.h"
#include "crypto/vault/engine/catalogue/tenant_contexts.h"
#include "crypto/vault/engine/keys/key_renewal.h"
#include "crypto/vault/engine/keys/key_store.h"
#include "crypto/vault/engine/keys/key_tree.h"
#include "crypto/vault/engine/keys/shred_files.h"

namespace paravent::crypto::vault {

class Catalogue {
 public:
  // Reads everything. ErrorKind::data: a record that does not parse or does not fit the others.
  // `shred` is the secret that the tree was made with, `files` where it lies.
  static Result<std::unique_ptr<Catalogue>> load(std::unique_ptr<KeyStore> store, KeyTree tree,
                                                 ShredSecret shred, ShredFiles files);
  // Of a store in memory.
  static Result<std::unique_ptr<Catalogue>> load(std::unique_ptr<KeyStore> store,
                                                 const RootKey& root);

  const Id& installation() const noexcept { return store_->installation(); }
  // How often the key store was changed; only ever grows.
  std::uint64_t generation() const noexcept { return store_->generation(); }
  const NameRegistry& names() const noexcept { return names_; }
  const KeyTree& keys() const noexcept { return tree_; }
  const std::map<std::uint32_t, ContextRecord>& contexts() const noexcept { return contexts_; }
  const ContextRecord* context(std::uint32_t key_id) const;
  const TenantContexts& tenant_contexts() const noexcept { return tenant_contexts_; }
  // The row with these contents (its key_id is ignored); nullptr when there is none.
  const ContextRecord* find_context(const ContextRow& row, const Id& parent) const;

  // The id of this name, made when it is missing.
  Id ensure_name(NameKind kind, const Id& owner, std::string_view name);
  // REQUIRES: `id` is known, and `name` is free.
  void rename(const Id& id, std::string_view name);
  // Whether the wall clock is more than 5 s behind the newest key, so that nothing new may be
  // dated. Keys of times that an operator's confirmation has put into doubt do not count
  // (trust_clock()).
  bool clock_is_behind(WallTime now) const;
  // The wall clock is right, somebody says: what was made at later times was so by one that was
  // not, and is no reason any more to make no keys. Key backups of later times count as made now.
  // Stages.
  void trust_clock(WallTime now);
  // The key in this place, made when it is missing, or when the newest of an epoch that is not over
  // was deactivated, as by a clock that ran ahead. Keys of the logs' details are made whatever the
  // clock says: without them no wrong clock could be put on record. ErrorKind::sealed:
  // clock_is_behind(), or it is there and out of use; data: the parent does not open.
  Result<Id> ensure_key(const KeyPlace& place, const Id& parent, WallTime now);
  // The row with these contents (its key_id is ignored), made when it is missing.
  const ContextRecord& ensure_context(ContextRow row, const Id& parent);

  // Stages an operation on one key. ErrorKind::refused: its state does not allow it.
  Status apply(const Id& key, KeyOperation operation, WallTime now);
  // Stages that a key protects no more, also once it is enabled again. Of one that is compromised
  // or destroyed that is so already. REQUIRES: there is such a key.
  void end_protection(const Id& key, WallTime now);
  // Stages since when a key waits for its destruction. REQUIRES: there is such a key.
  void note_guard(const Id& key, std::chrono::milliseconds since);
  // A new primary beside the present one, which is deactivated. ErrorKind::sealed: the parent's
  // state does not allow it.
  Result<Id> rotate(const Id& key, WallTime now);

  // The same for the key of a tenant or a domain, which others hang on: one batch (key_renewal.h)
  // in which every key below moves under the new version, the blind index of a domain begins to
  // move to it, and a new shred secret takes the force from older copies. The old version is kept
  // for what is derived from it. Durable when it returns. ErrorKind::refused: not the newest
  // version, or of another class; busy: the index is being moved already; sealed: the parent's
  // state does not allow it; usage: something is staged; disk_full, data: nothing was changed.
  Result<Id> rotate_parent(const Id& key, std::span<RenewalPart* const> parts, WallTime now);

  // One destroy batch (key_renewal.h): these keys with everything below them, and whatever the
  // parts leave out; `parts` may be the only ones with something to destroy. Durable when it
  // returns, and no older copy opens them. Of a tenant's or domain's key all versions go. Answers
  // every key of the tree that went.
  // ErrorKind::refused: a key is unknown or destroyed already; usage: something is staged;
  // disk_full, data: nothing was destroyed; or all of it was and the old secret is not erased yet,
  // as the sentence then says.
  Result<std::vector<Id>> destroy(std::span<const Id> keys, std::span<RenewalPart* const> parts,
                                  WallTime now);
  // Another root key: everything that hangs on the old one is wrapped anew, verified, and replaces
  // it in one step. Nothing else is touched. ErrorKind::usage: something is staged.
  Status replace_root(const RootKey& next);
  const ShredSecret& shred() const noexcept { return shred_; }

  // How long purposes keep their keys, what holds that up, and what the keeper remembers.
  const std::map<Id, RetentionRecord>& retentions() const noexcept { return retentions_; }
  const std::map<Id, HoldRecord>& holds() const noexcept { return holds_; }
  const KeeperRecord& keeper() const noexcept { return keeper_; }
  void put_retention(const Id& purpose, const RetentionRecord& record);
  void put_hold(const HoldRecord& record);
  // REQUIRES: there is such a hold.
  void remove_hold(const Id& hold);
  void put_keeper(const KeeperRecord& record);

  // Every key backup that there ever was, in no order. REQUIRES of put: a new id.
  const std::vector<KeyBackupEntry>& key_backups() const noexcept { return key_backups_; }
  void put_key_backup(const KeyBackupEntry& entry);

  // What is still to be done to token rows, and under which versions each domain's index is; a
  // domain that is not in the map has its first.
  const RowWishes& row_wishes() const noexcept { return row_wishes_; }
  void put_row_wishes(const RowWishes& wishes);
  const std::map<Id, IndexVersions>& index_versions() const noexcept { return index_versions_; }
  IndexVersions index_version(const Id& domain) const;
  void put_index_versions(const Id& domain, const IndexVersions& versions);

  // A batch has happened, and the old secret could not be erased yet: until settle_secret()
  // succeeds, older copies of the keys still open. ErrorKind::data, disk_full: as before.
  bool secret_unsettled() const noexcept { return secret_unsettled_; }
  Status settle_secret();
  bool staged() const noexcept { return !staged_.empty() || !removed_.empty(); }
  Status commit();
  // Forgets what was staged, by reading the store again.
  void roll_back();

 private:
  Catalogue(std::unique_ptr<KeyStore> store, KeyTree tree, ShredSecret shred, ShredFiles files)
      : store_(std::move(store)),
        tree_(std::move(tree)),
        shred_(std::move(shred)),
        shred_files_(std::move(files)) {}
  // The batch itself: `records` beside every key that is not in `gone`, wrapped anew.
  Status renew(std::vector<StoredRecord> records, const std::set<Id>& gone,
               std::span<RenewalPart* const> parts);
  Status check_clock(const KeyPlace& place, WallTime now) const;
  Status read_all();
  Status read_one(const RecordRef& ref, ByteView payload);

  std::unique_ptr<KeyStore> store_;
  KeyTree tree_;
  ShredSecret shred_;
  ShredFiles shred_files_;
  bool secret_unsettled_ = false;  // destroyed, and the old secret is still to be erased
  NameRegistry names_;
  std::map<std::uint32_t, ContextRecord> contexts_;
  TenantContexts tenant_contexts_;  // borrows from contexts_
  std::map<std::string, std::uint32_t> context_by_content_;
  std::map<Id, RetentionRecord> retentions_;
  std::map<Id, HoldRecord> holds_;
  KeeperRecord keeper_;
  std::vector<KeyBackupEntry> key_backups_;
  RowWishes row_wishes_;
  std::map<Id, IndexVersions> index_versions_;
  std::vector<StoredRecord> staged_;
  std::vector<RecordRef> removed_;
};

}  // namespace paravent::crypto::vault
