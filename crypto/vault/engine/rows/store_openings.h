// How often the token store was opened: in the store, as the first thing that an opening writes,
// and in a file beside RocksDB's own. RocksDB takes what it finds: where a log is gone, it opens
// without, and a value whose row is missing would get a second token. Then the number in the store
// is that of an earlier opening, and the store is not opened. Its manifest is held to its hash
// (manifest_sum.h).
//
// File STORE/opened, mode 0600: 16 lower-case hexadecimal digits and a line feed. Not seen is a
// log that ends early, as it does after a crash, and one that is gone behind another of the same
// opening. Private to this room's RocksDB code.

#pragma once

#include <rocksdb/env.h>

#include <cstdint>
#include <filesystem>

#include "crypto/base/result.h"
#include "crypto/vault/engine/rows/rocksdb_database.h"

namespace paravent::crypto::vault {

inline constexpr const char* kOpeningsKey = "openings";  // u64, of the default family
inline constexpr const char* kOpenedFile = "opened";

// The sentence for a store that lacks what was in it. ErrorKind::data.
Error incomplete_store(const std::filesystem::path& store);

class StoreOpenings {
 public:
  explicit StoreOpenings(const std::filesystem::path& store) : file_(store / kOpenedFile) {}

  // Looks at a store that nobody has opened, and changes nothing. ErrorKind::data: it lacks what
  // was in it when it was opened last, or the file is damaged. A store that cannot be looked at is
  // for whoever opens it to tell, and what it holds for note().
  Status check(const std::filesystem::path& store, rocksdb::Env* env) const;

  // What is to be written with the first batch of the next opening.
  static std::string next_value(const std::string& value);
  // This opening: in the store, then in the file, so that a crash in between leaves the store ahead
  // by one. Durable. `value`: what lies under kOpeningsKey; empty: nothing. ErrorKind::data as
  // check(), and then neither is written: check() may not have seen the store.
  template <typename Write>
  Status note(const std::string& value, const Write& write) const {
    if (auto s = compare(value); !s) return s;
    if (auto s = catch_up(value); !s) return s;
    const std::string next = next_value(value);
    if (auto s = write(next); !s) return s;
    return write_number(next);
  }

 private:
  // What the store holds with what the file says.
  Status compare(const std::string& value) const;
  // After such a crash: the file first.
  Status catch_up(const std::string& value) const;
  Status write_number(const std::string& value) const;

  std::filesystem::path file_;
};

}  // namespace paravent::crypto::vault
