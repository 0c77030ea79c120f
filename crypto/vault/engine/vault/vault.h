// Vault: keys, names, contexts and vault tokens of one installation. Implements the data path's
// view of it (TokenVault: mint or find, nothing else); opening values stands apart in reverse.h.
//
// Thread safe. Names and bindings change under one lock and are durable when the call returns;
// resolve() never blocks. The destructor waits for the batches in flight, so the store and the
// directory must outlive it. Sentences of errors name files, tenants, domains and purposes, never a
// value or a key.
//
// Sources: constructions.md 4.0 and 4.1; hardening.md 5.1.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/vault/api/messages.h"
#include "crypto/vault/engine/base/data_directory.h"
#include "crypto/vault/engine/base/id.h"
#include "crypto/vault/engine/catalogue/context_table.h"
#include "crypto/vault/engine/catalogue/key_backups.h"
#include "crypto/vault/engine/catalogue/names.h"
#include "crypto/vault/engine/keys/root_key.h"
#include "crypto/vault/engine/rows/token_store.h"

namespace paravent::crypto::vault {

// Counts since the start, for metrics; a snapshot, not a transaction.
struct VaultCounters {
  std::uint64_t minted = 0;          // new tokens made durable
  std::uint64_t found = 0;           // jobs answered by an existing token
  std::uint64_t commits = 0;         // durable writes; minted / commits is the sharing of an fsync
  std::uint64_t failed_batches = 0;  // answered store_unavailable or sealed
  std::uint64_t overloaded_batches = 0;
  bool degraded = false;  // the last write failed: new tokens are refused, known ones answered
  std::uint64_t known_hits = 0;    // jobs answered from memory; also in no other count
  std::uint64_t known_misses = 0;  // batches that memory could not answer
  std::uint64_t pending = 0;       // batches in the vault now
};

// How much memory a vault may take for tokens; what N tokens need stands in docs/vault.md.
struct VaultMemory {
  std::size_t known = std::size_t{24} << 20U;  // tokens that need no look-up: some 500 000
  std::size_t store = std::size_t{64} << 20U;  // what was read from the store: some 160 000
};

// What became of the rows of a restored store.
struct IndexReport {
  std::uint64_t rows = 0;
  std::uint64_t indexed = 0;
  std::uint64_t unreadable = 0;  // their key is destroyed, or they are damaged
  std::uint64_t unknown = 0;     // the key store has no such context: it is older than the rows
  // Of those of the two: whose context the keys have never heard of.
  std::uint64_t lacking = 0;
  // And under contexts that they know, of a person whose key is not there: never heard of, or
  // destroyed, which leaves no trace. Which of the two it is nobody sees in the row.
  std::uint64_t without_person = 0;
};

// Keys that are put beside a token store which has seen more renewals than they (key_renewal.h).
enum class OlderKeys : std::uint8_t {
  refused,
  accepted,  // somebody said so; take_keys_as_they_are() makes it last
};

// What of the keys a backup is told by.
struct KeysMoment {
  std::uint64_t generation = 0;  // of the key store
  std::uint32_t renewals = 0;    // destructions, erasures, and rotations of tenants and domains
};

class Vault final : public TokenVault {
 public:
  // Makes the first keys in a directory that holds none. ErrorKind::data when one was initialised
  // before. Interrupted at any point, it can be repeated.
  // keep_root: keeps the root key somewhere so that it can be opened again; called when the folder
  // of keys is empty, and nothing is made when it fails.
  using KeepRoot = std::function<Status(const RootKey& root, const Id& installation)>;
  static Result<std::unique_ptr<Vault>> initialise(DataDirectory& data, RootKey root,
                                                   const Clock& clock,
                                                   const KeepRoot& keep_root = {},
                                                   VaultMemory memory = {});
  // ErrorKind::data, one sentence each: never initialised; wrong root key; key store, shred secret
  // or token store missing, truncated, altered, of another installation or of a newer version.
  // And, unless they are accepted: the keys are older than the token store, so that what was
  // destroyed in between would open again.
  static Result<std::unique_ptr<Vault>> open(DataDirectory& data, RootKey root, const Clock& clock,
                                             VaultMemory memory = {},
                                             OlderKeys older = OlderKeys::refused);
  // Ephemeral random keys and nothing on disk: for explain and test. `rows`: where to keep them;
  // nullptr: in a MemoryTokenStore.
  static Result<std::unique_ptr<Vault>> in_memory(const Clock& clock,
                                                  std::unique_ptr<TokenStore> rows = nullptr);

  ~Vault() override;
  Vault(const Vault&) = delete;
  Vault& operator=(const Vault&) = delete;

  const Id& installation_id() const noexcept;

  // Names. The policies of one load are given together.
  bool has_tenants() const;
  // Every tenant by name, ascending.
  std::vector<std::pair<std::string, Id>> tenants() const;
  std::optional<Id> tenant_id(std::string_view tenant) const;
  std::vector<UnknownName> unknown_names(std::span<const PolicyNames> policies) const;
  // ErrorKind::configuration, listing each name that the store does not know.
  Status check_names(std::span<const PolicyNames> policies) const;
  // Registers what is unknown, with keys for new tenants and domains; durable. (`policy apply
  // --create`)
  Status register_names(std::span<const PolicyNames> policies);
  // At a policy load: registers into a store without tenants, else checks.
  Status admit_names(std::span<const PolicyNames> policies);
  // One name, durable at once; `policy apply` uses change_names(). `tenant` is the current name of
  // the tenant that owns the name (for NameKind::tenant: ignored). ErrorKind::configuration:
  // `old_name` is unknown or `new_name` is taken.
  Status rename(NameKind kind, std::string_view tenant, std::string_view old_name,
                std::string_view new_name);

  // `policy apply` whole or not at all: these renamings in turn, each of the kind of which the
  // policy has NEW and the store does not; then what the policy still needs is registered, where
  // `create` says so or there is no tenant yet. Answers what changes, in words for people; empty
  // where nothing does. NamesStep::plan changes nothing. ErrorKind::configuration: a renaming that
  // cannot be, or a name that stays unknown.
  enum class NamesStep : std::uint8_t { plan, make };
  Result<std::string> change_names(const PolicyNames& policy, std::span<const Renaming> renamings,
                                   bool create, NamesStep step);

  // The keys for these contexts in their current epochs, in the order of `specs`; rows and keys are
  // durable before it returns. The same spec in the same epoch gives the same row, across restarts.
  // Call again when the earliest valid_until has passed. A key that is out of use makes a binding
  // that is not available, and no error. ErrorKind::configuration: an unknown name,
  // or an algorithm that has no binding; data: the wall clock runs more than 5 s behind what the
  // store has seen and a new epoch would be needed.
  Result<std::vector<Binding>> bind(std::string_view tenant, std::span<const ContextSpec> specs);

  bool answer_known(ResolveBatch& batch) override;
  void resolve(std::shared_ptr<ResolveBatch> batch) override;

  // Keys of the audit room. nullopt: the installation's own log. A seed is made at the first call
  // and stays. A detail key is random per month (any time within it, UTC), made during that month
  // only, and later destroyed with it: ErrorKind::refused for a month that has no key (any more).
  Result<SecretBytes> audit_signing_seed(std::optional<Id> tenant);
  Result<SecretBytes> audit_detail_key(std::optional<Id> tenant, WallTime month);
  // Whether the tenant's log ever had a detail key: from then on there is a log, since its first
  // entry needs one. Destroyed keys count.
  bool has_audit_history(const Id& tenant) const;

  VaultCounters counters() const;
  // Of the token store; asks it, so not for every request.
  StoreStatistics store_statistics() const;

  // For backups. The token store as it stands now; the vault must outlive the snapshot.
  Result<std::unique_ptr<StoreSnapshot>> snapshot_store();
  // A copy of the key that backups are made under.
  SecretBytes backup_key() const;
  // Runs `copy` while nothing in the keys folder changes, and says what it copies. Calls that need
  // the catalogue wait meanwhile; resolve() does not.
  Status while_keys_stand_still(const std::function<Status(const KeysMoment&)>& copy) const;
  // A key backup is on record before it exists. Durable.
  Status note_key_backup(const KeyBackupEntry& entry);
  std::vector<KeyBackupEntry> key_backups() const;
  // From now on these keys are not older than the token store (OlderKeys). Durable.
  Status take_keys_as_they_are();
  ContextTable context_table() const;

  // Makes the blind index anew from the rows, after a restore. May be repeated. `progress`: told
  // how many rows were read, now and then; it must not call the vault.
  Result<IndexReport> rebuild_index(const std::function<void(std::uint64_t rows)>& progress = {});

 private:
  friend class ReverseVault;
  friend class KeyAdmin;
  friend class KeyFactsReader;
  friend class RetentionKeeper;
  friend class RowKeeper;
  friend class SubjectAdmin;
  friend class SubjectKeeper;
  struct State;
  explicit Vault(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace paravent::crypto::vault
