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
// 70 GETs, 20 forms, 9 batches and one upload of a hundred, in a shuffled order (W10).
inline constexpr std::string_view kMixedWorkload = "mixed";
// A form of one e-mail address: never sent before, and one such among nine that were (W8).
inline constexpr std::string_view kNewTokenWorkload = "new-token";
inline constexpr std::string_view kOneNewWorkload = "one-new-token-of-ten";
// A form of five of the addresses that vault_growth_bench.cc has stored, any of them equally
// likely.
inline constexpr std::string_view kStoredWorkload = "five-stored-tokens";
inline const std::vector<std::string> kWorkloads = {
    std::string(kFormWorkload),     std::string(kGetWorkload),    std::string(kBatchWorkload),
    std::string(kGzipWorkload),     std::string(kUploadWorkload), std::string(kMixedWorkload),
    std::string(kNewTokenWorkload), std::string(kOneNewWorkload), std::string(kStoredWorkload)};

struct Requests {
  std::string workload{kFormWorkload};
  std::uint16_t port = 0;  // named in the Host field
  std::uint64_t seed = kDefaultSeed;
  std::size_t forms = kDefaultForms;
  std::size_t message_bytes = 0;  // that the messages of forms are longer
  std::uint64_t stored = 1000;    // addresses, of which 5 * forms are sent at most
};

// Whole requests, head and body; one of each kind that the workload knows.
std::vector<std::string> make_requests(const Requests& wanted);

// Makes the request of the two token workloads that is `number`th in turn a new one, where it is
// one of those that are to be. Its size stays. Others are left alone.
void renew_request(std::string_view workload, std::size_t number, std::uint64_t value,
                   std::string& request);

}  // namespace paravent::bench
