// What the audit tests share: a folder that goes away, keys and a clock that the test decides, a
// log to try things on, and a disk that fails where it is told.

#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "crypto/audit/audit_log.h"
#include "crypto/audit/tile_layout.h"
#include "crypto/audit/verifier.h"
#include "crypto/base/encoding.h"
#include "crypto/keys/epoch.h"
#include "tests/support/whole_file.h"

namespace paravent::crypto::audit {

class TempFolder {
 public:
  TempFolder() {
    // In memory where there is such a place: the tests write thousands of small files.
    const std::filesystem::path memory = "/dev/shm";
    const bool usable = ::access(memory.c_str(), W_OK) == 0;
    std::string name =
        ((usable ? memory : std::filesystem::temp_directory_path()) / "audit-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) abort();
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string path(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

class TestClock final : public Clock {
 public:
  WallTime now() const override { return WallTime(std::chrono::milliseconds(ms.load())); }
  std::atomic<std::int64_t> ms{1'790'000'000'000};  // September 2026
};

// A key per month, made from its number; `gone` months have none.
class TestKeys final : public DetailKeys {
 public:
  Result<SecretBytes> detail_key(WallTime time) override {
    ++asked;
    const Epoch month = epoch_at(EpochLength::month, time);
    if (gone.contains(month.index)) return Error(ErrorKind::data, "The key is gone.");
    const Hash key = sha256(as_bytes("month " + std::to_string(month.index)));
    return SecretBytes::copy_of(ByteView(key));
  }
  std::set<std::int32_t> gone;
  std::atomic<int> asked{0};
};

inline SecretBytes test_seed(std::uint8_t byte = 7) {
  return SecretBytes::copy_of(ByteView(Bytes(32, byte)));
}

inline const std::string& test_installation() {
  static const std::string id(32, 'a');
  return id;
}

struct TestLog {
  TempFolder folder;
  TestClock clock;
  TestKeys keys;
  std::string id{kInstallationLog};
  JournalPlace journal;  // none

  // One small enough to be full soon.
  void use_journal(std::size_t half_bytes = std::size_t{128} << 10U) {
    journal = {journal_beside(path()), half_bytes, 0};
  }
  std::string path() const { return folder.path("audit/" + id); }
  Result<std::unique_ptr<AuditLog>> try_open(std::shared_ptr<Disk> disk = std::make_shared<Disk>(),
                                             OpenMode mode = OpenMode::create_if_missing,
                                             std::uint8_t seed = 7) {
    return AuditLog::open_on(std::move(disk), path(), audit_origin(test_installation(), id),
                             test_seed(seed), keys, clock, mode, journal);
  }
  std::unique_ptr<AuditLog> open() {
    auto log = try_open();
    if (!log) {
      ADD_FAILURE() << log.error().sentence();
      abort();
    }
    return std::move(*log);
  }
  // The sentence of the first fault; empty when all is well.
  std::string verify(const VerifyOptions& options = {}) const {
    const LogReport report = verify_log(path(), options);
    return report.fault ? report.fault->sentence() : std::string();
  }
};

inline AuditEntry test_entry(int number) {
  AuditEntry entry;
  entry.event = EventKind::reveal;
  entry.detail.operator_name = "dpo";
  entry.detail.role = "dpo";
  entry.detail.purpose = "contact";
  entry.detail.reason = "case " + std::to_string(number);
  entry.detail.tokens.push_back({0x01020304, sha256(as_bytes(std::to_string(number)))});
  entry.binding = "request " + std::to_string(number);
  return entry;
}

inline void append_some(AuditLog& log, int count) {
  std::vector<AuditEntry> entries;
  for (int i = 0; i < count; ++i) entries.push_back(test_entry(i));
  for (std::size_t at = 0; at < entries.size(); at += kMaxBatch) {
    const auto batch = std::span(entries).subspan(at, std::min(kMaxBatch, entries.size() - at));
    const auto receipts = log.append_batch(batch);
    ASSERT_TRUE(receipts.has_value()) << receipts.error().sentence();
  }
}

inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << bytes;
  ASSERT_TRUE(out.flush().good()) << path;
}

inline std::vector<std::string> files_below(const std::string& path) {
  std::vector<std::string> files;
  for (const auto& at : std::filesystem::recursive_directory_iterator(path)) {
    if (at.is_regular_file()) files.push_back(at.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace paravent::crypto::audit
