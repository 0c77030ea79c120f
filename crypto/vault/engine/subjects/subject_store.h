// SubjectStore: the data subjects of an installation and their keys, random and wrapped twice, in
// their own place beside the key store (key_store.h), because there may be millions: in memory, and
// as an append-only file (subject_file.h) that a destroy batch writes anew as a whole.
//
// A change is durable when commit() returns; changes that are given together share one fsync.
// Thread safe. Readers never wait for a disk; whoever changes holds the writers' lock from looking
// to committing, so that two cannot make one subject twice.

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <span>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/vault/engine/keys/shred_secret.h"
#include "crypto/vault/engine/subjects/subject_file.h"
#include "crypto/vault/engine/subjects/subject_table.h"
#include "crypto/vault/engine/subjects/subject_wrap.h"

namespace paravent::crypto::vault {

// What makes and opens the subject keys under one key of a tenant, beside the shred secret.
struct TenantWrap {
  Id tenant{};
  Id parent{};        // the tenant's key
  SecretBytes outer;  // what its children are wrapped under
};

class SubjectStore {
 public:
  // In a folder that holds no subjects yet, else ErrorKind::data. `store` and `mac_key`: id and
  // bytes of the tree's key of class subject_store.
  static Result<std::unique_ptr<SubjectStore>> create(const std::filesystem::path& keys_folder,
                                                      const Id& installation, const Id& store,
                                                      const SecretBytes& mac_key,
                                                      const ShredSecret& shred);
  // `shred`: the one that the key store names. Settles a destroy batch that was interrupted.
  // ErrorKind::data: as SubjectFile::open, and for a file under another shred secret: an older
  // copy.
  static Result<std::unique_ptr<SubjectStore>> open(const std::filesystem::path& keys_folder,
                                                    const Id& installation, const Id& store,
                                                    const SecretBytes& mac_key,
                                                    const ShredSecret& shred);
  // Nothing on disk: for explain and test.
  static std::unique_ptr<SubjectStore> in_memory(const ShredSecret& shred);

  // Looks at the table; nothing changes meanwhile. `look` must be short.
  template <typename Look>
  auto read(Look look) const {
    const std::shared_lock lock(table_mutex_);
    return look(table_);
  }

  // Held from looking to committing by whoever changes.
  using WriterLock = std::unique_lock<std::mutex>;
  WriterLock lock_writers() { return WriterLock(writer_mutex_); }

  // A new key, not yet committed. REQUIRES: the subject belongs to the wrap's tenant, and the
  // caller holds the writers' lock.
  SubjectKeyMade make_key(const Id& subject, const Id& purpose, const TenantWrap& wrap,
                          WallTime now, std::uint32_t today) const;
  // All changes in order, durable, or none. ErrorKind::disk_full, data; data also for a change that
  // contradicts what there is. REQUIRES: the caller holds the writers' lock.
  Status commit(std::span<const SubjectChange> changes);

  // The clear key, 32 bytes. ErrorKind::data without a sentence: it does not open; `key` is zero.
  // REQUIRES: the wrap is of made.parent.
  Status open_key(const SubjectKeyMade& made, const TenantWrap& wrap, MutableBytes key) const;

  // Whether something was erased or destroyed since the shred secret was renewed last: until the
  // next destroy batch an older copy of the file still holds it.
  bool owes_renewal() const;

  // Who was erased and may have rows in the token store still. The file goes on naming them,
  // through batches too, until rows_are_gone() of them; after an opening there may be some of whom
  // it was said before. Ascending.
  std::vector<Id> erased() const;
  void rows_are_gone(std::span<const Id> subjects);

  // A destroy batch (constructions 4.11), in three steps; known tokens are answered throughout.
  // prepare(): every key that stays, wrapped under `to`, durable beside what is in force; then
  // nobody changes anything until finish() or cancel(), which the same thread calls. `gone`: keys
  // of the tree that are destroyed; what hangs on them goes too, and a subject that so loses every
  // key. finish() cannot fail but by ending the process.
  using WrapOf = std::function<Result<TenantWrap>(const Id& parent)>;
  Status prepare(const ShredSecret& to, const std::set<Id>& gone, const std::map<Id, Id>& moved,
                 const WrapOf& wrap_of);
  void finish();
  void cancel();

  // The bytes of the file; 0 in memory. REQUIRES: the caller holds the writers' lock.
  std::uint64_t file_size() const { return file_ ? file_->size() : 0; }

 private:
  struct Shred {
    std::uint32_t number = 0;
    SecretBytes key;
  };
  // What prepare() leaves for finish().
  struct Prepared {
    WriterLock writers;
    std::unique_ptr<SubjectFile> file;
    Shred shred;
    std::vector<SubjectKeyMade> keys;
    std::vector<SubjectChange> drops;
    bool owes_renewal = false;
  };
  class Rewrapper;

  explicit SubjectStore(const ShredSecret& shred);
  Status compact();
  Status write(std::span<const SubjectChange> changes,
               std::span<const std::string> groups) noexcept;
  Status prepare_changes(std::vector<SubjectChange>& changes, Rewrapper& rewrapper);
  void note_erased(const SubjectChange& change);
  std::vector<SubjectChange> names_of_erased() const;

  mutable std::shared_mutex table_mutex_;
  std::mutex writer_mutex_;
  SubjectTable table_;
  std::unique_ptr<SubjectFile> file_;  // null: in memory
  Shred shred_;
  bool owes_renewal_ = false;
  std::map<Id, Id> erased_;  // and their tenants
  bool preparing_ = false;
  std::vector<SubjectChange> since_;  // committed while a batch is prepared
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace paravent::crypto::vault
