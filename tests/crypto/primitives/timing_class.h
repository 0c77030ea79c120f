// Whether several pieces of work take the same time, as far as somebody who may repeat them can
// tell: the fastest of many interleaved runs of each. Interference only adds time, so that the
// fastest runs can be compared on a busy machine too.

#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <span>
#include <vector>

namespace paravent::crypto::testing {

// False when the slowest takes more than `most` times as long as the fastest, in each of several
// attempts.
inline bool one_timing_class(std::span<const std::function<void()>> runs, double most) {
  constexpr int kAttempts = 5;
  constexpr int kRounds = 60;
  constexpr int kRepeats = 8;
  std::vector<double> fastest(runs.size(), std::numeric_limits<double>::max());
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    for (int round = 0; round < kRounds; ++round) {
      for (std::size_t i = 0; i < runs.size(); ++i) {
        const auto begin = std::chrono::steady_clock::now();
        for (int k = 0; k < kRepeats; ++k) runs[i]();
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        fastest[i] = std::min(fastest[i], took.count());
      }
    }
    const auto [least, longest] = std::minmax_element(fastest.begin(), fastest.end());
    if (*longest <= most * *least) return true;
  }
  return false;
}

}  // namespace paravent::crypto::testing
