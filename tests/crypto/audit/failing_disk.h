// A disk with a will: fails, or loses power, at the n-th operation.

#pragma once

#include <filesystem>
#include <fstream>
#include <limits>
#include <mutex>
#include <random>

#include "tests/crypto/audit/audit_support.h"

namespace paravent::crypto::audit {

// Every write operation counts; the `fail_at`-th and, if `for_good`, all later ones answer
// disk_full. `writes_over_fail`: those into a file that has its size may, too, as on a file system
// that copies on write.
class FullDisk final : public Disk {
 public:
  std::atomic<int> fail_at = std::numeric_limits<int>::max();
  std::atomic<bool> for_good = false;
  std::atomic<bool> writes_over_fail = false;
  std::atomic<int> operations = 0;

  Result<OpenFile> create(const std::string& path, ByteView bytes, WriteOut write_out) override {
    if (fails()) return Error(ErrorKind::disk_full, "Full.");
    return Disk::create(path, bytes, write_out);
  }
  Status make_folder(const std::string& path) override {
    if (fails()) return Error(ErrorKind::disk_full, "Full.");
    return Disk::make_folder(path);
  }
  Status rename(const std::string& from, const std::string& to) override {
    if (fails()) return Error(ErrorKind::data, "Not now.");
    return Disk::rename(from, to);
  }
  Status exchange(const std::string& from, const std::string& to) override {
    if (fails()) return Error(ErrorKind::data, "Not now.");
    return Disk::exchange(from, to);
  }
  Status write_at(const OpenFile& file, const std::string& path, std::uint64_t offset,
                  ByteView bytes) override {
    if (!writes_over_fail || !fails()) return Disk::write_at(file, path, offset, bytes);
    // Torn, as such a failure may leave it.
    static_cast<void>(Disk::write_at(file, path, offset, bytes.first(bytes.size() / 2)));
    return Error(ErrorKind::disk_full, "Full.");
  }

 private:
  bool fails() {
    const int now = ++operations;
    return now == fail_at || (for_good && now > fail_at);
  }
};

// From the `cut_at`-th operation on nothing reaches the disk; power_cut() then also takes back, by
// the toss of a coin, whatever had not been synced: new files vanish or are cut short, renames and
// removals did not happen (a rename wholly or not at all). Folders that were made stay.
class UnreliableDisk final : public Disk {
 public:
  UnreliableDisk(int cut_at, unsigned seed) : cut_at_(cut_at), random_(seed) {}

  bool cut() const { return operations_ >= cut_at_; }

  Result<OpenFile> create(const std::string& path, ByteView bytes, WriteOut write_out) override {
    if (gone()) return Error(ErrorKind::data, "No power.");
    const std::lock_guard lock(mutex_);
    unsynced_[path] = {Change::created, {}, true, {}};
    return Disk::create(path, bytes, write_out);
  }
  Status make_folder(const std::string& path) override {
    if (gone()) return Error(ErrorKind::data, "No power.");
    return Disk::make_folder(path);
  }
  Status rename(const std::string& from, const std::string& to) override {
    if (gone()) return Error(ErrorKind::data, "No power.");
    const std::lock_guard lock(mutex_);
    const Change made = unsynced_[from];
    unsynced_.erase(from);
    unsynced_[to] = {Change::replaced, test::whole_file(to), made.content_unsynced, from};
    return Disk::rename(from, to);
  }
  bool sync(const OpenFile& file, const std::string& path) override {
    if (gone()) return true;  // the process does not live to see it
    const std::lock_guard lock(mutex_);
    if (std::filesystem::is_directory(path)) {
      std::erase_if(unsynced_, [&](const auto& change) {
        return std::filesystem::path(change.first).parent_path() == path &&
               !change.second.content_unsynced;
      });
    } else if (unsynced_.contains(path)) {
      unsynced_[path].content_unsynced = false;
    }
    return Disk::sync(file, path);
  }
  void remove_file(const std::string& path) override {
    if (gone()) return;
    const std::lock_guard lock(mutex_);
    if (unsynced_.contains(path)) {
      unsynced_.erase(path);
    } else {
      unsynced_[path] = {Change::removed, test::whole_file(path), false, {}};
    }
    Disk::remove_file(path);
  }
  void remove_folder(const std::string& path) override {
    if (!gone()) Disk::remove_folder(path);
  }
  Status exchange(const std::string& from, const std::string& to) override {
    return rename(from, to);
  }
  Status write_at(const OpenFile& file, const std::string& path, std::uint64_t offset,
                  ByteView bytes) override {
    if (gone()) return Error(ErrorKind::data, "No power.");
    const std::lock_guard lock(mutex_);
    overwritten_.push_back({path, offset, test::whole_file(path).substr(offset, bytes.size())});
    return Disk::write_at(file, path, offset, bytes);
  }
  bool sync_data(const OpenFile& file, const std::string& path) override {
    if (gone()) return true;
    const std::lock_guard lock(mutex_);
    std::erase_if(overwritten_, [&](const Overwritten& one) { return one.path == path; });
    return Disk::sync_data(file, path);
  }

  void power_cut() {
    // The disk may have got any part of it.
    for (auto one = overwritten_.rbegin(); one != overwritten_.rend(); ++one) {
      if (!std::filesystem::exists(one->path)) continue;
      std::string whole = test::whole_file(one->path);
      const std::size_t kept = random_() % (one->before.size() + 1);
      whole.replace(one->offset + kept, std::string::npos,
                    one->before.substr(kept) + whole.substr(one->offset + one->before.size()));
      write_file(one->path, whole);
    }
    for (const auto& [path, change] : unsynced_) {
      const bool lost = (random_() & 1U) != 0;
      if (change.what == Change::created && lost) {
        std::filesystem::remove(path);
      } else if (change.what != Change::created && lost) {
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        if (!change.renamed_from.empty()) std::filesystem::rename(path, change.renamed_from);
        write_file(path, change.before);
      } else if (change.what != Change::removed && change.content_unsynced) {
        const std::string whole = test::whole_file(path);
        write_file(path, whole.substr(0, random_() % (whole.size() + 1)));
      }
    }
  }

 private:
  struct Change {
    enum What : std::uint8_t { created, replaced, removed } what = created;
    std::string before;
    bool content_unsynced = false;
    std::string renamed_from{};
  };

  struct Overwritten {
    std::string path;
    std::uint64_t offset = 0;
    std::string before;
  };

  bool gone() { return operations_++ >= cut_at_; }

  int cut_at_;
  std::atomic<int> operations_ = 0;
  std::mt19937 random_;
  std::mutex mutex_;  // guards what follows
  std::map<std::string, Change> unsynced_;
  std::vector<Overwritten> overwritten_;
};

}  // namespace paravent::crypto::audit
