// The file system that RocksDB writes through: an fsync that fails ends the process, because
// RocksDB would carry on and a later success would prove nothing (hardening.md 5). And a logger
// that writes no LOG file. Private to this room's RocksDB code and its tests.

#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <memory>

namespace paravent::crypto::vault {

std::shared_ptr<rocksdb::FileSystem> make_strict_file_system(
    std::shared_ptr<rocksdb::FileSystem> base);

std::shared_ptr<rocksdb::Logger> make_silent_logger();

}  // namespace paravent::crypto::vault
