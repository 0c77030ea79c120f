// The responder's judgement on a batch of events: twenty times each of the three personal values,
// each what this peer owes (body_check.h), and no other occurrence of their keys. It looks for the
// keys in the bytes and does not parse JSON: what else the body holds is not its business.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "bench/support/batch_pool.h"
#include "bench/support/body_check.h"

namespace paravent::bench {

class BatchCheck {
 public:
  BatchCheck(Expectation expectation, const std::vector<Batch>& batches);

  void inspect(std::string_view body);
  std::uint64_t good() const { return good_; }
  std::uint64_t bad() const { return bad_; }

 private:
  bool is_right(std::string_view body) const;
  bool is_right_value(BatchValue which, std::string_view value) const;

  Expectation expectation_;
  std::unordered_set<std::string> clear_;
  std::uint64_t good_ = 0;
  std::uint64_t bad_ = 0;
};

}  // namespace paravent::bench
