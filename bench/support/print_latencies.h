// The latencies of a window as one member of a JSON object, with a comma behind it: "latencies",
// pairs of microseconds and how many, ascending (stats.py, quantile_of).

#pragma once

#include <cstdint>
#include <cstdio>

#include "bench/support/histogram.h"

namespace paravent::bench {

inline void print_latencies(const Histogram& latencies) {
  const char* separator = "";
  std::printf("\"latencies\":[");
  latencies.for_each([&](std::uint64_t edge_ns, std::uint64_t count) {
    std::printf("%s[%.2f,%llu]", separator, static_cast<double>(edge_ns) / 1000.0,
                static_cast<unsigned long long>(count));
    separator = ",";
  });
  std::printf("],");
}

}  // namespace paravent::bench
