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
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/vault/engine/root_key.h"
#include "crypto/vault/engine/shred_secret.h"
#include "crypto/vault/engine/subject_file.h"
#include "crypto/vault/engine/subject_table.h"
#include "crypto/vault/engine/subject_wrap.h"

namespace paravent::crypto::vault {

// What opens and makes the subject keys of one tenant, beside the shred secret.
struct TenantWrap {
  SubjectPlace place;
  SecretBytes outer;  // subject_wrapping_key of the tenant's key
};

class SubjectStore {
 public:
  // In a folder that holds no subjects yet, else ErrorKind::data.
  static Result<std::unique_ptr<SubjectStore>> create(const std::filesystem::path& keys_folder,
                                                      const Id& installation, const Id& store,
                                                      const RootKey& root,
                                                      const ShredSecret& shred);
  // As SubjectFile::open; ErrorKind::data also for keys that lie under another shred secret: an
  // older copy of the file.
  static Result<std::unique_ptr<SubjectStore>> open(const std::filesystem::path& keys_folder,
                                                    const Id& installation, const Id& store,
                                                    const RootKey& root, const ShredSecret& shred);
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

  // A new key, not yet committed. REQUIRES: the subject belongs to the place's tenant.
  SubjectKeyMade make_key(const Id& subject, const Id& purpose, const TenantWrap& wrap,
                          WallTime now, std::uint32_t today) const;
  // All changes in order, durable, or none. ErrorKind::disk_full, data; data also for a change that
  // contradicts what there is. REQUIRES: the caller holds the writers' lock.
  Status commit(std::span<const SubjectChange> changes);

  // The clear key, 32 bytes. ErrorKind::data without a sentence: it does not open; `key` is zero.
  Status open_key(const SubjectKeyMade& made, const TenantWrap& wrap, MutableBytes key) const;

  // The part of a destroy batch (constructions 4.11): from here on new keys lie under `next`, and
  // rewrap() gives every other surviving key a new inner wrap in a file of its own, which then
  // replaces the old one. Until finish_shred() both secrets open keys. Traffic goes on meanwhile.
  // REQUIRES: both secrets are durable, and one batch at a time.
  void begin_shred(const ShredSecret& next);
  using WrapOf = std::function<Result<const TenantWrap*>(const Id& tenant)>;
  // ErrorKind::disk_full, data: the old file stands, and the call can be repeated.
  Status rewrap(const WrapOf& wrap_of);
  void finish_shred();

  // The bytes of the file; 0 in memory. REQUIRES: the caller holds the writers' lock.
  std::uint64_t file_size() const;

 private:
  struct Shred {
    std::uint32_t number = 0;
    SecretBytes key;
  };

  explicit SubjectStore(const ShredSecret& shred);
  const Shred* shred_of(std::uint32_t number) const;
  Status check_numbers(const std::filesystem::path& path) const;
  // What is done to each key before the store is written anew.
  using KeyChange = std::function<Status(const Id& tenant, SubjectKeyMade&)>;
  Status write_anew(const KeyChange& change);
  static Status change_keys(std::vector<SubjectChange>& all, const KeyChange& change);
  static Status write_groups(SubjectFile& file, std::span<const SubjectChange> all);
  Status compact();

  mutable std::shared_mutex table_mutex_;
  std::mutex writer_mutex_;
  SubjectTable table_;
  std::unique_ptr<SubjectFile> file_;  // null: in memory
  std::vector<Shred> shreds_;          // the last one is current
  bool rewriting_ = false;
  std::vector<SubjectChange> since_;  // committed while the store is written anew
};

}  // namespace paravent::crypto::vault
