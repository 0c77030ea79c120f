// Any JSON as a file of published vectors, alone and as both halves of an ACVP pair: never a crash,
// and a report counts at least one case.

#include <boost/json/parse.hpp>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "crypto/vectors/acvp_pair.h"
#include "crypto/vectors/run_vectors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent::crypto;
  boost::json::error_code failure;
  boost::json::parse_options options;
  options.max_depth = 16;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const boost::json::value document = boost::json::parse(text, failure, {}, options);
  // The accumulated XAES vector is long by design, and nothing in it is parsed.
  if (failure || text.find("iterations") != std::string_view::npos) return 0;
  if (const auto report = run_vector_document(document)) {
    if (report->passed + report->failed() + report->skipped() == 0) std::abort();
  }
  // A list of two documents is tried as a pair.
  const auto* list = document.if_array();
  if (list == nullptr || list->size() != 2) return 0;
  if (is_acvp_pair(list->front(), list->back())) {
    const auto joined = join_acvp(list->front(), list->back());
    if (acvp_part(joined) == AcvpPart::none) std::abort();
    const auto report = run_vector_document(joined);
    if (!report && report.error().kind() != ErrorKind::malformed) std::abort();
  }
  return 0;
}
