// BatchWindow: asks a vault for batches without waiting for each, at most so many at a time. The
// benchmark's thread asks, the vault's threads answer. Owned by one benchmark, which the vault must
// not outlive.

#pragma once

#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <utility>

#include "crypto/vault/engine/vault/vault.h"

namespace paravent::bench {

class BatchWindow {
 public:
  // Waits while `most` batches are under way. A batch that does not succeed ends the benchmark.
  void submit(crypto::vault::Vault& vault, std::shared_ptr<crypto::vault::ResolveBatch> batch,
              int most) {
    batch->done = [this, raw = batch.get()] {
      if (raw->status != crypto::vault::ResolveStatus::ok) std::abort();
      const std::scoped_lock lock(mutex_);
      --in_flight_;
      changed_.notify_one();
    };
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return in_flight_ < most; });
      ++in_flight_;
    }
    vault.resolve(std::move(batch));
  }
  void drain() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return in_flight_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int in_flight_ = 0;
};

}  // namespace paravent::bench
