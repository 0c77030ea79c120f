#include "crypto/audit/background_sync.h"

#include <chrono>
#include <cstdlib>
#include <utility>

namespace paravent::crypto::audit {

BackgroundSync::~BackgroundSync() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void BackgroundSync::start(Unsynced work) {
  const std::lock_guard lock(mutex_);
  work_ = std::move(work);
  has_work_ = true;
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_all();
}

void BackgroundSync::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !has_work_; });
}

// Descriptors may be short for a while; a folder of our own that stays shut is the end.
void BackgroundSync::sync_all_folders(const std::set<std::string>& folders) {
  constexpr int kTries = 50;
  for (int at = 0; !sync_folders(*disk_, log_path_, folders); ++at) {
    if (at == kTries) std::abort();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

void BackgroundSync::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return has_work_ || ending_; });
    if (!has_work_) return;
    Unsynced work = std::exchange(work_, {});
    lock.unlock();
    for (const Unsynced::File& one : work.files) sync_or_die(*disk_, one.file, one.path);
    sync_all_folders(work.folders);
    work = {};  // closes the files before anybody is told
    lock.lock();
    has_work_ = false;
    changed_.notify_all();
  }
}

}  // namespace paravent::crypto::audit
