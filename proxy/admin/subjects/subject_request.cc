#include "proxy/admin/subjects/subject_request.h"

#include <utility>

#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/kind.h"
#include "crypto/tokens/normaliser.h"
#include "policies/model/diagnostics.h"
#include "proxy/admin/reidentify_request.h"
#include "proxy/admin/subjects/subject_reference.h"
#include "proxy/body/json.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;

constexpr std::size_t kMaxIdentifier = 4096;

class Reader final : public body::JsonVisitor {
 public:
  Reader(SubjectDoor door, std::string_view text, SubjectRequest& request)
      : door_(door), text_(text), request_(request) {}

  bool on_container(body::JsonPath path, bool is_array) override {
    if (path.empty()) return !is_array || fail("The body must be an object.");
    const std::string_view key = path[0].key;
    if (path.size() == 1 && key == "tokens" && is_array) return true;
    if (path.size() == 1 && key == "identifier" && !is_array) return true;
    return fail(unknown_or_type(key));
  }

  bool on_value(body::JsonPath path, const body::Field& field) override {
    if (path.empty()) return fail("The body must be an object.");
    const std::string_view key = path[0].key;
    if (path.size() == 1 && key == switch_name() && !key.empty()) {
      const std::string_view word = field.value.in(text_);
      if (field.kind != body::ValueKind::boolean) return fail(unknown_or_type(key));
      request_.on = word == "true";
      return true;
    }
    if (path.size() == 1 && key == "day" && field.kind == body::ValueKind::null) return true;
    if (field.kind != body::ValueKind::string) return fail(unknown_or_type(key));
    std::string value;
    body::decode_json_value(field.value.in(text_), field.kind, value);
    if (path.size() == 2 && key == "tokens") {
      if (request_.tokens.size() == kMaxSubjectTokens) {
        return fail("One request takes at most 1000 tokens.");
      }
      request_.tokens.push_back(std::move(value));
      return true;
    }
    if (path.size() == 1 && key == "reference") {
      request_.reference = reference_from_hex(value);
      return request_.reference.has_value() || fail(unknown_or_type(key));
    }
    std::string* member = path.size() == 1 ? member_of(key) : nullptr;
    if (path.size() == 2 && key == "identifier") {
      member = path[1].key == "kind"    ? &request_.kind
               : path[1].key == "value" ? &request_.value
                                        : nullptr;
    }
    if (member == nullptr) return fail(unknown_or_type(key));
    *member = std::move(value);
    return true;
  }

  std::string_view fault() const { return fault_; }

 private:
  bool fail(std::string_view sentence) {
    fault_ = sentence;
    return false;
  }
  std::string_view switch_name() const {
    if (door_ == SubjectDoor::restrict) return "restricted";
    return door_ == SubjectDoor::object ? std::string_view("objected") : std::string_view();
  }
  std::string* member_of(std::string_view key) {
    if (key == "reason") return &request_.reason;
    if (door_ != SubjectDoor::events) return nullptr;
    if (key == "purpose") return &request_.purpose;
    if (key == "event") return &request_.event;
    return key == "day" ? &request_.day : nullptr;
  }
  static std::string_view unknown_or_type(std::string_view key) {
    if (key == "tokens") return "The member tokens must be an array of strings.";
    if (key == "identifier") return "The member identifier must be {kind, value} with strings.";
    if (key == "reference") return "The member reference must be 64 hexadecimal digits.";
    if (key == "reason") return "The member reason must be a string.";
    return "A member is unknown here, or of another type.";
  }

  SubjectDoor door_;
  std::string_view text_;
  SubjectRequest& request_;
  std::string_view fault_ = "The body is not strict JSON.";
};

crypto::Status check_event(const SubjectRequest& request) {
  const bool known = request.event == "last-contact" || request.event == "contract-end" ||
                     request.event == "case-closed";
  if (request.purpose.empty() || !known) {
    return Error(ErrorKind::malformed,
                 "An event has a purpose, and is last-contact, contract-end or case-closed.");
  }
  if (request.day.empty() && request.event == "last-contact") {
    return Error(ErrorKind::malformed, "A contact cannot be taken back; it needs its day.");
  }
  return {};
}

// Kind and value may have been mixed up: what was said is not repeated.
crypto::Status check_kind(std::string_view kind) {
  if (crypto::kind_from_name(kind)) return {};
  std::vector<std::string_view> names;
  for (const crypto::KindInfo& info : crypto::kinds()) names.push_back(info.name);
  return Error(ErrorKind::malformed,
               "There is no kind of that name. " +
                   policies::suggestion(kind, names, policies::listed(names) + "."));
}

}  // namespace

SubjectRequest::~SubjectRequest() { crypto::wipe(value); }

crypto::Result<SubjectRequest> parse_subject_request(SubjectDoor door, std::string_view body) {
  SubjectRequest request;
  Reader reader(door, body, request);
  // Nobody chooses the keys of these few members against us: any hash key will do.
  body::JsonScanner scanner(0);
  if (scanner.scan(body, {}, reader) != body::ScanStatus::ok) {
    return Error(ErrorKind::malformed, std::string(reader.fault()));
  }
  if (crypto::trim(request.reason).empty()) {
    return Error(ErrorKind::malformed, "The reason is missing; it goes on the record.");
  }
  if (request.reason.size() > kMaxReasonBytes) {
    return Error(ErrorKind::malformed, "The reason is longer than 1000 bytes.");
  }
  const bool identifier = !request.kind.empty() || !request.value.empty();
  const int said =
      (identifier ? 1 : 0) + (request.tokens.empty() ? 0 : 1) + (request.reference ? 1 : 0);
  if (said != 1) {
    return Error(ErrorKind::malformed,
                 "Say who is meant: tokens, an identifier or a reference, one of the three.");
  }
  if (identifier &&
      (request.kind.empty() || request.value.empty() || request.value.size() > kMaxIdentifier)) {
    return Error(ErrorKind::malformed,
                 "An identifier has a kind and a value of 4096 bytes at most.");
  }
  if (identifier) {
    if (auto s = check_kind(request.kind); !s) return s.error();
  }
  if (door == SubjectDoor::events) {
    if (auto s = check_event(request); !s) return s.error();
  }
  return request;
}

}  // namespace paravent::proxy::admin
