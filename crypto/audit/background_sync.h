// BackgroundSync: makes durable, on a thread of its own, what a journal is still answerable for.
//
// The thread begins with the first start() and ends with the object, which waits for it. One piece
// of work at a time. A failed sync ends the process. Owned by one log; its functions may be called
// from any thread, start() from one at a time. The disk must outlive it.

#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "crypto/audit/log_folder.h"

namespace paravent::crypto::audit {

class BackgroundSync {
 public:
  BackgroundSync(Disk& disk, std::string log_path) : disk_(&disk), log_path_(std::move(log_path)) {}
  ~BackgroundSync();
  BackgroundSync(const BackgroundSync&) = delete;
  BackgroundSync& operator=(const BackgroundSync&) = delete;

  // REQUIRES: nothing is under way (wait()).
  void start(Unsynced work);
  // Until nothing is under way.
  void wait();

 private:
  void run();
  void sync_all_folders(const std::set<std::string>& folders);

  Disk* disk_;
  std::string log_path_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool has_work_ = false;
  bool ending_ = false;
  Unsynced work_;
  std::thread thread_;
};

}  // namespace paravent::crypto::audit
