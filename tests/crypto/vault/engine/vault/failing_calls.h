// The system calls that change a file, one of which fails when a test says so: its program's own
// `open`, `write`, `fsync` and so on stand in front of the C library's, RocksDB's calls included.
//
// So a test that uses it is a program of its own. fail_call() is of one thread, before the work;
// the calls may come from any.

#pragma once

#include <atomic>
#include <cstdint>

namespace paravent::crypto::vault {

enum class FaultMode : std::uint8_t {
  error_once,   // EIO, and all is well again
  torn_write,   // EIO, and half of the bytes are there all the same
  short_write,  // half of the bytes, as the call says; EIO for the write of the rest
  disk_full,    // from then on nothing can be written, made or grown; what is there can be read and
                // cut short
  killed,       // the process ends in front of the call, as by kill -9
};

// Which calls are counted.
enum class Counted : std::uint8_t { every_call, writes };

// What came of it. May lie in memory that processes share.
struct FaultSeen {
  std::atomic<bool> hit;        // the call that was to fail came
  std::atomic<bool> hit_sync;   // and was an fsync
  std::atomic<bool> hit_write;  // or a write
};

// From now on the call of this number fails, counted from 0. `seen` must outlive them.
void fail_call(long number, FaultMode mode, FaultSeen& seen, Counted counted = Counted::every_call);
// No call fails any more, also where a disk was full.
void stop_failing();

}  // namespace paravent::crypto::vault
