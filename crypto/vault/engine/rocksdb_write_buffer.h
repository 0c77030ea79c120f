// A write buffer (memtable) for keys that are hashes or random: RocksDB's hash table of linked
// lists, whose rows are brought into their order in another way.
//
// Rows are found, and put, in a hash table; only a flush or a walk wants them in order. RocksDB's
// own then puts each into a skip list, some seventeen comparisons that each begin with a miss of
// the processor's caches: a quarter of what it costs to write a row. Here the entries' addresses
// are kept in a row, with the first eight bytes of their keys, and sorted by these. Flushes count
// what they write and check its order (RocksDB's flush_verify_memtable_count,
// check_flush_compaction_key_order), so that a mistake here is an error and no loss.
//
// For one writer at a time (DBOptions::allow_concurrent_memtable_write is false); readers at any
// time. Files and log are as without it. Private to this room's RocksDB code and its tests.

#pragma once

#include <rocksdb/memtablerep.h>

#include <cstddef>
#include <memory>

namespace paravent::crypto::vault {

// REQUIRES: a prefix extractor that gives the whole key. `buckets`: of the hash table.
std::shared_ptr<rocksdb::MemTableRepFactory> make_hashed_write_buffers(std::size_t buckets);

}  // namespace paravent::crypto::vault
