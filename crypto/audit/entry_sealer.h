// From an entry in memory to its stored bytes, and back. Keeps the detail key of the last month
// used.
//
// Each object belongs to one thread at a time.

#pragma once

#include <string>

#include "crypto/audit/audit_log.h"
#include "crypto/audit/leaf.h"
#include "crypto/keys/epoch.h"

namespace paravent::crypto::audit {

// The key of one month, asked for when the month changes.
class MonthKey {
 public:
  explicit MonthKey(DetailKeys& keys) noexcept : keys_(&keys) {}
  // Borrowed until the next call.
  Result<ByteView> at(WallTime time);

 private:
  DetailKeys* keys_;
  Epoch month_;
  SecretBytes key_;
};

// The key of the details that everybody may read: 32 zero bytes. An entry about another log has to
// be readable without keys, or nobody could compare offline. Everything else stays the same, so
// that there is one layout.
ByteView public_detail_key() noexcept;
bool has_public_detail(EventKind event) noexcept;
// ErrorKind::malformed: it is not what the leaf commits to. REQUIRES: has_public_detail().
Result<AuditDetail> open_public_detail(std::string_view origin, const DecodedEntry& entry);

struct SealedEntry {
  std::string bytes;
  Hash leaf_hash;
};

class EntrySealer {
 public:
  EntrySealer(std::string origin, DetailKeys& keys) : origin_(std::move(origin)), key_(keys) {}

  // ErrorKind::data: the clock stands outside 1970 to 9999; or what DetailKeys answered.
  Result<SealedEntry> seal(const PublicPart& open, const AuditDetail& detail);

 private:
  std::string origin_;
  MonthKey key_;
};

class EntryOpener {
 public:
  EntryOpener(std::string origin, DetailKeys& keys) : origin_(std::move(origin)), key_(keys) {}

  // ErrorKind::data when the entry is damaged or not number `index`. Without its key an entry has
  // no detail, which is no error.
  Result<AuditRecord> open(std::uint64_t index, ByteView entry);

 private:
  std::string origin_;
  MonthKey key_;
};

}  // namespace paravent::crypto::audit
