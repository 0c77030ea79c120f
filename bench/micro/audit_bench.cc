// The audit log: durable appends with 64 in flight against what the disk allows, reveal batches of
// 100, and offline verification of 100 000 and of one million entries.
//
// What group commit on this disk allows (T21): syncs/s of audit_raw_sync times the mean batch of
// the appends, in one and the same run. audit_commit_floor is a commit without a journal. On a disk
// of a given speed: LD_PRELOAD=BUILD/bench/slow_fsync.so SLOW_FSYNC_US=1000.

#include <benchmark/benchmark.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "crypto/audit/audit_log.h"
#include "crypto/audit/log_folder.h"
#include "crypto/audit/verifier.h"

namespace {

namespace audit = paravent::crypto::audit;
using paravent::crypto::as_bytes;
using paravent::crypto::Bytes;
using paravent::crypto::ByteView;
using paravent::crypto::Result;
using paravent::crypto::SecretBytes;
using paravent::crypto::WallTime;

class OneKey final : public audit::DetailKeys {
 public:
  Result<SecretBytes> detail_key(WallTime) override {
    return SecretBytes::copy_of(ByteView(Bytes(32, 3)));
  }
};

// A log in the working directory's file system, gone afterwards.
class BenchLog {
 public:
  BenchLog() {
    std::string name = "audit-bench-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    log_ = audit::AuditLog::open(path(), audit::audit_origin("bench", "installation"),
                                 SecretBytes::copy_of(ByteView(Bytes(32, 1))), keys_, clock_,
                                 audit::OpenMode::create_if_missing,
                                 {folder_ + "/audit-journal/log", audit::kJournalHalf, 0})
               .value();
    if (!log_->append(audit::AuditEntry{})) std::abort();  // the journal is there from now on
  }
  ~BenchLog() {
    log_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  BenchLog(const BenchLog&) = delete;
  BenchLog& operator=(const BenchLog&) = delete;

  std::string path() const { return folder_ + "/installation"; }
  const std::string& folder() const { return folder_; }
  audit::AuditLog& log() { return *log_; }

 private:
  std::string folder_;
  OneKey keys_;
  paravent::crypto::SystemClock clock_;
  std::unique_ptr<audit::AuditLog> log_;
};

audit::AuditEntry reveal_entry() {
  audit::AuditEntry entry;
  entry.event = audit::EventKind::reveal;
  entry.detail.operator_name = "marie.curie";
  entry.detail.role = "dpo";
  entry.detail.purpose = "contact";
  entry.detail.reason = "access request 2026-117";
  entry.detail.grant = std::string(16, 'g');
  entry.detail.tokens.resize(1);
  entry.binding = std::string(120, 'b');
  return entry;
}

void report(benchmark::State& state, std::uint64_t entries, std::uint64_t commits) {
  state.counters["appends"] =
      benchmark::Counter(static_cast<double>(entries), benchmark::Counter::kIsRate);
  state.counters["commits"] =
      benchmark::Counter(static_cast<double>(commits), benchmark::Counter::kIsRate);
  state.counters["mean_batch"] =
      static_cast<double>(entries) / static_cast<double>(std::max<std::uint64_t>(commits, 1));
}

// Each iteration: 64 threads append `kEach` entries one after the other.
void audit_append_64_in_flight(benchmark::State& state) {
  constexpr int kThreads = 64;
  constexpr int kEach = 128;
  BenchLog place;
  const audit::AuditEntry entry = reveal_entry();
  const std::uint64_t size = place.log().size();
  const std::uint64_t commits = place.log().commits();
  for (auto _ : state) {
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) {
          if (!place.log().append(entry)) std::abort();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  report(state, place.log().size() - size, place.log().commits() - commits);
}
BENCHMARK(audit_append_64_in_flight)->UseRealTime()->Unit(benchmark::kMillisecond);

void audit_append_batch_of_100(benchmark::State& state) {
  BenchLog place;
  const std::vector<audit::AuditEntry> entries(100, reveal_entry());
  for (auto _ : state) {
    if (!place.log().append_batch(entries)) std::abort();
  }
  report(state, place.log().size() - 1, place.log().commits() - 1);
}
BENCHMARK(audit_append_batch_of_100)->UseRealTime()->Unit(benchmark::kMicrosecond);

// The disk's part of one commit alone: the same files of the same sizes, synced and renamed the
// same.
void audit_commit_floor(benchmark::State& state) {
  const BenchLog place;
  audit::Disk disk;
  const std::string bundle(64 * 330, 'e');
  const std::string tile(64 * 32, 't');
  const std::string checkpoint(250, 'c');
  const std::string root = place.folder();
  for (const char* name : {"/entries", "/hashes"}) {
    if (!disk.make_folder(root + name)) std::abort();
  }
  std::uint64_t number = 0;
  for (auto _ : state) {
    const std::string name = "/" + std::to_string(++number);
    std::vector<std::pair<std::string, audit::OpenFile>> files;
    for (const auto& [path, bytes] :
         {std::pair{root + "/next", &checkpoint}, std::pair{root + "/entries" + name, &bundle},
          std::pair{root + "/hashes" + name, &tile}}) {
      files.emplace_back(path, disk.create(path, as_bytes(*bytes)).value());
    }
    for (const char* folder : {"/entries", "/hashes"}) {
      files.emplace_back(root + folder, audit::open_folder(root + folder).value());
    }
    for (const auto& [path, file] : files) {
      if (!disk.sync(file, path)) std::abort();
    }
    if (!disk.rename(root + "/next", root + "/current")) std::abort();
    const audit::OpenFile folder = audit::open_folder(root).value();
    if (!disk.sync(folder, root)) std::abort();
    disk.remove_file(root + "/entries" + name);
    disk.remove_file(root + "/hashes" + name);
  }
  state.counters["commits"] =
      benchmark::Counter(static_cast<double>(number), benchmark::Counter::kIsRate);
}
BENCHMARK(audit_commit_floor)->UseRealTime()->Unit(benchmark::kMicrosecond);

// One fdatasync of one entry in a file that has its size: the least that any durable append costs
// here, and what T21 compares with.
void audit_raw_sync(benchmark::State& state) {
  const BenchLog place;
  const std::string path = place.folder() + "/raw";
  audit::Disk disk;
  const Bytes zeros(1U << 20U);
  const audit::OpenFile file = disk.create(path, ByteView(zeros)).value();
  if (!disk.sync(file, path)) std::abort();
  const std::string entry(330, 'e');
  std::uint64_t syncs = 0;
  for (auto _ : state) {
    const std::uint64_t at = syncs++ % (zeros.size() / 4096) * 4096;
    if (!disk.write_at(file, path, at, as_bytes(entry)) || !disk.sync_data(file, path)) {
      std::abort();
    }
  }
  state.counters["syncs"] =
      benchmark::Counter(static_cast<double>(syncs), benchmark::Counter::kIsRate);
}
BENCHMARK(audit_raw_sync)->UseRealTime()->Unit(benchmark::kMicrosecond);

// The whole log once: every byte, every hash, the root.
void verify(benchmark::State& state, std::uint64_t size) {
  BenchLog place;
  const std::vector<audit::AuditEntry> entries(10'000, reveal_entry());
  for (std::uint64_t i = 0; i < size; i += entries.size()) {
    if (!place.log().append_batch(entries)) std::abort();
  }
  for (auto _ : state) {
    const audit::LogReport report = audit::verify_log(place.path(), {});
    if (report.fault || report.size != size + 1) std::abort();
  }
  state.counters["entries"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(size),
                         benchmark::Counter::kIsRate);
}

void audit_verify_100k(benchmark::State& state) { verify(state, 100'000); }
BENCHMARK(audit_verify_100k)->Unit(benchmark::kMillisecond);

void audit_verify_1m(benchmark::State& state) { verify(state, 1'000'000); }
BENCHMARK(audit_verify_1m)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
