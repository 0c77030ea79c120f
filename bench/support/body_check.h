// The responder's judgement on a body: is each of the five fields what this peer owes? And whether
// the work was really done each time: a proxy that answers every form with the same five tokens
// would pass the first question, so the distinct values per field are counted as well.

#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "bench/support/form_pool.h"

namespace paravent::bench {

enum class Expectation : std::uint8_t {
  clear,    // five fields, nothing changed (the relay and plain nginx)
  tokens,   // the gateway's tokens, by whoever made them, checked by checksum and length
  changed,  // any base64url text that is not a clear value (the light nginx + Lua)
};

struct BodyCounts {
  std::uint64_t good = 0;
  std::uint64_t bad = 0;
  // A lower bound: values are told apart by 16 bits of a hash.
  std::array<std::uint64_t, kFieldCount> distinct{};
};

class BodyCheck {
 public:
  // `forms` must outlive the check.
  BodyCheck(Expectation expectation, const std::vector<Form>& forms);

  void inspect(std::string_view body);
  BodyCounts counts() const;
  // The first body that was not right, for the report; empty when there is none.
  const std::string& first_bad() const { return first_bad_; }

 private:
  bool is_right(std::string_view body);
  bool is_right_field(std::size_t field, std::string_view value) const;

  Expectation expectation_;
  std::unordered_set<std::string_view> clear_;  // encoded and unencoded clear values
  std::vector<std::string> encoded_;            // what clear_ points into
  std::uint64_t good_ = 0;
  std::uint64_t bad_ = 0;
  std::string first_bad_;
  struct Seen {
    std::array<std::bitset<65536>, kFieldCount> fields;
  };
  std::unique_ptr<Seen> seen_;
};

}  // namespace paravent::bench
