// Bins: a number becomes the range it lies in. All arithmetic is on decimal digits, exact.
//
//   by step 100:             250 -> "200-299", -250 -> "-300--201", 299.99 -> "200-299"
//   by step 0.5:             1.75 -> "1.5-1.9": the ends are the first and last of the step's
//   digits by edges 0, 18, 65:      -1 -> "<0", 17 -> "0-17", 65 -> "65+"
// A bin of one number is written as that number. Idempotent: a bin of these is accepted as it is;
// monotone: a greater number never falls into an earlier bin.
//
// Immutable once made; any thread.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"

namespace paravent::proxy {

class Bins {
 public:
  // A number above zero with at most 15 digits. `configuration`: it is not.
  static crypto::Result<Bins> by_step(std::string_view step);
  // At least one, strictly ascending, at most 15 digits each. `configuration`: they are not.
  static crypto::Result<Bins> by_edges(std::span<const std::string_view> edges);

  // No heap once `out` has room. `malformed`, and `out` as it was: not a number (decimal.h), or a
  // bin beyond 10^17 in the last digit of the step or the edges.
  crypto::Status append(std::string_view value, std::string& out) const;

 private:
  Bins() = default;

  bool append_bin(std::int64_t units, std::string& out) const;
  void append_range(std::int64_t first, std::int64_t last, std::string& out) const;
  bool append_own(std::string_view value, std::string& out) const;

  std::uint32_t decimals_ = 0;
  std::int64_t step_ = 0;            // in units of 10^-decimals_; 0 with edges
  std::vector<std::int64_t> edges_;  // ascending, in the same units
};

}  // namespace paravent::proxy
