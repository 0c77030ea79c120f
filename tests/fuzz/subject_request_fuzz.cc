// Any bytes as the body of POST /v1/subjects/...: what is accepted says who is meant in exactly one
// way, and a refusal never quotes the body.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/admin/reidentify_request.h"
#include "proxy/admin/subjects/subject_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent::proxy::admin;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const SubjectDoor door :
       {SubjectDoor::locate, SubjectDoor::restrict, SubjectDoor::object, SubjectDoor::events}) {
    const auto read = parse_subject_request(door, body);
    if (!read) {
      // One of a closed set of sentences.
      if (read.error().sentence().empty() || read.error().sentence().size() > 80) std::abort();
      continue;
    }
    if (read->reason.empty() || read->reason.size() > kMaxReasonBytes) std::abort();
    if (read->tokens.empty() == read->value.empty()) std::abort();
    if (read->tokens.size() > kMaxTokensPerRequest) std::abort();
    if (door != SubjectDoor::events && !(read->event.empty() && read->day.empty())) std::abort();
  }
  return 0;
}
