// CrowdWait: how long a commit waits for those who were answered by the one before, so that they
// share one write instead of meeting it in halves. Of the commit thread.
//
// It pays where they come back within a part of a write's time. Where they do not, because each
// does more between two tokens than a sync takes, a wait only delays those who are there: after one
// in vain the next rounds begin at once, twice as many each time.

#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace paravent::crypto::vault {

class CrowdWait {
 public:
  using Duration = std::chrono::steady_clock::duration;

  // How many are expected.
  std::size_t size() const noexcept { return size_; }
  // For the round that begins now; zero: it waits for nobody. To be asked once for each.
  Duration patience() noexcept {
    if (skip_ > 0) {
      --skip_;
      return Duration::zero();
    }
    return std::min(took_ / kPart, kMost);
  }
  // After a wait: whether all came.
  void ended(bool came) noexcept {
    in_vain_ = came ? 0 : std::min(2 * in_vain_ + 1, kMostSkipped);
    skip_ = in_vain_;
  }
  // After a write: how long it took, and how many it answered or are there by now.
  void wrote(Duration took, std::size_t size) noexcept {
    took_ = took;
    size_ = size;
  }

 private:
  static constexpr int kPart = 4;  // one of so many parts of the last write's time
  // A disk that stalled once, or a backup that was waited for, is no measure for what follows.
  static constexpr Duration kMost = std::chrono::milliseconds(5);
  static constexpr unsigned kMostSkipped = 63;

  Duration took_{};
  std::size_t size_ = 0;
  unsigned in_vain_ = 0;
  unsigned skip_ = 0;
};

}  // namespace paravent::crypto::vault
