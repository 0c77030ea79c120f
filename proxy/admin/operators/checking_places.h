// CheckingPlaces: how many pass-phrases are checked at once, because each takes 64 MiB, and how
// many wait for that: whoever comes beyond is answered at once, so that a flood of logins holds a
// few threads of the admin listener and not all of them. Thread safe.

#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace paravent::proxy::admin {

class CheckingPlaces {
 public:
  static constexpr unsigned kPlaces = 2;
  static constexpr unsigned kMostWaiting = 4;

  explicit CheckingPlaces(std::chrono::milliseconds patience = std::chrono::seconds(5))
      : patience_(patience) {}

  // False: as many wait already, or it took too long.
  bool take() {
    std::unique_lock lock(mutex_);
    if (taken_ == kPlaces) {
      if (waiting_ == kMostWaiting) return false;
      ++waiting_;
      const bool came = free_.wait_for(lock, patience_, [this] { return taken_ < kPlaces; });
      --waiting_;
      if (!came) return false;
    }
    ++taken_;
    return true;
  }
  // REQUIRES: one was taken.
  void give_back() {
    {
      const std::lock_guard lock(mutex_);
      --taken_;
    }
    free_.notify_one();
  }
  unsigned waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_;
  }

 private:
  const std::chrono::milliseconds patience_;
  mutable std::mutex mutex_;
  std::condition_variable free_;
  unsigned taken_ = 0;
  unsigned waiting_ = 0;
};

// One of them, given back at the end.
class CheckingPlace {
 public:
  explicit CheckingPlace(CheckingPlaces& places) : places_(places), taken_(places.take()) {}
  ~CheckingPlace() {
    if (taken_) places_.give_back();
  }
  CheckingPlace(const CheckingPlace&) = delete;
  CheckingPlace& operator=(const CheckingPlace&) = delete;
  bool taken() const { return taken_; }

 private:
  CheckingPlaces& places_;
  bool taken_;
};

}  // namespace paravent::proxy::admin
