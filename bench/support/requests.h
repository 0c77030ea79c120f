// What the load generators send: requests made once, sent in turn. The values of the forms come
// from a seed (form_pool.h).

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/support/form_pool.h"

namespace paravent::bench {

inline constexpr std::string_view kFormWorkload = "form-post-5-fields";
inline constexpr std::string_view kGetWorkload = "get-1-kib";

struct Requests {
  std::string workload{kFormWorkload};
  std::uint16_t port = 0;  // named in the Host field
  std::uint64_t seed = kDefaultSeed;
  std::size_t forms = kDefaultForms;
};

// Whole requests, head and body; one of each kind that the workload knows.
std::vector<std::string> make_requests(const Requests& wanted);

}  // namespace paravent::bench
