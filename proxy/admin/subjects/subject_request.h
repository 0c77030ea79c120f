// The body of POST /v1/subjects/..., read strictly: one spelling of JSON, no unknown and no
// repeated member.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/vault/engine/base/id.h"

namespace paravent::proxy::admin {

// One door for each right; which members a body may have depends on it.
enum class SubjectDoor : std::uint8_t { locate, export_all, restrict, object, erase, events };

inline constexpr std::size_t kMaxSubjectTokens = 1000;

// Who is meant: tokens of theirs, what tells the person, or the reference that lists and the record
// name them by. Exactly one of the three.
struct SubjectRequest {
  std::string reason;               // not empty: it goes on the record
  std::vector<std::string> tokens;  // 1 to 1000
  std::string kind;                 // identifier: one of crypto::kinds() and a clear value
  std::string value;
  std::optional<crypto::vault::SubjectReference> reference;
  bool on = true;       // restrict: restricted; object: objected
  std::string purpose;  // events
  std::string event;    // events: last-contact, contract-end, case-closed
  std::string day;      // events: YYYY-MM-DD in UTC; empty: taken back

  SubjectRequest() = default;
  SubjectRequest(SubjectRequest&&) noexcept = default;
  SubjectRequest& operator=(SubjectRequest&&) noexcept = default;
  SubjectRequest(const SubjectRequest&) = delete;
  SubjectRequest& operator=(const SubjectRequest&) = delete;
  ~SubjectRequest();  // wipes the value
};

// ErrorKind::malformed with a sentence that names the member at fault and never quotes the body.
crypto::Result<SubjectRequest> parse_subject_request(SubjectDoor door, std::string_view body);

}  // namespace paravent::proxy::admin
