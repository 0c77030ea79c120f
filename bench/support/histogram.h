// Latencies in nanoseconds in logarithmic buckets: 64 per power of two, so a quantile is known to
// 1.6 %. Recording is a shift and an increment. Not for several threads.

#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace paravent::bench {

class Histogram {
 public:
  void record(std::uint64_t ns) {
    ++buckets_[index_of(ns)];
    ++count_;
  }

  void clear() {
    buckets_.fill(0);
    count_ = 0;
  }

  std::uint64_t count() const { return count_; }

  // The upper edge of the bucket that holds the q-th part (0 < q <= 1); 0 when nothing is recorded.
  std::uint64_t quantile(double q) const {
    const auto wanted = static_cast<std::uint64_t>(q * static_cast<double>(count_) + 0.999999);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen >= wanted && seen > 0) return upper_edge(i);
    }
    return 0;
  }

  // Calls `seen(upper edge, count)` for each bucket that holds something, ascending.
  template <typename Seen>
  void for_each(Seen seen) const {
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      if (buckets_[i] != 0) seen(upper_edge(i), buckets_[i]);
    }
  }

 private:
  static constexpr unsigned kBits = 6;

  static std::size_t index_of(std::uint64_t ns) {
    if (ns < (1U << kBits)) return static_cast<std::size_t>(ns);
    const unsigned exponent = static_cast<unsigned>(std::bit_width(ns)) - kBits - 1;
    // ns >> exponent lies in [64, 128): the row's own 64 buckets follow the earlier rows.
    return static_cast<std::size_t>((std::uint64_t{exponent} << kBits) + (ns >> exponent));
  }

  static std::uint64_t upper_edge(std::size_t index) {
    if (index < (1U << kBits)) return index;
    const std::size_t exponent = (index >> kBits) - 1;
    const std::uint64_t mantissa = (index & ((1U << kBits) - 1)) + (1U << kBits);
    return ((mantissa + 1) << exponent) - 1;
  }

  std::array<std::uint64_t, (64 - kBits + 1) << kBits> buckets_{};
  std::uint64_t count_ = 0;
};

}  // namespace paravent::bench
