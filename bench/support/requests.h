// What the load generators send: requests made once, sent in turn. The values of the forms
// and batches come from a seed (form_pool.h, batch_pool.h).

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/support/form_pool.h"

namespace paravent::bench {

inline constexpr std::string_view kFormWorkload = "form-post-5-fields";
inline constexpr std::string_view kGetWorkload = "get-1-kib";
inline constexpr std::string_view kBatchWorkload = "json-batch-20-events";
inline constexpr std::string_view kGzipWorkload = "json-batch-gzip";
inline constexpr std::string_view kUploadWorkload = "upload-10-mib";
inline const std::vector<std::string> kWorkloads = {
    std::string(kFormWorkload), std::string(kGetWorkload), std::string(kBatchWorkload),
    std::string(kGzipWorkload), std::string(kUploadWorkload)};

struct Requests {
  std::string workload{kFormWorkload};
  std::uint16_t port = 0;  // named in the Host field
  std::uint64_t seed = kDefaultSeed;
  std::size_t forms = kDefaultForms;
};

// Whole requests, head and body; one of each kind that the workload knows.
std::vector<std::string> make_requests(const Requests& wanted);

}  // namespace paravent::bench
