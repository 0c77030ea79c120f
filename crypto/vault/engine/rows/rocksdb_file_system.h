// The file system that RocksDB writes through: an fsync that fails ends the process, because
// RocksDB would carry on and a later success would prove nothing (hardening.md 5). And a logger
// that writes no LOG file. Private to this room's RocksDB code and its tests.

#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <cstdint>
#include <memory>

namespace paravent::crypto::vault {

// Of files and folders that reached the disk.
using FsyncCount = std::shared_ptr<std::atomic<std::uint64_t>>;

std::shared_ptr<rocksdb::FileSystem> make_strict_file_system(
    std::shared_ptr<rocksdb::FileSystem> base, FsyncCount fsyncs);

std::shared_ptr<rocksdb::Logger> make_silent_logger();

}  // namespace paravent::crypto::vault
