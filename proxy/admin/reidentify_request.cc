#include "proxy/admin/reidentify_request.h"

#include "crypto/tokens/normaliser.h"
#include "proxy/body/json.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;

// Takes the members as the strict scanner of the data path reports them.
class Reader final : public body::JsonVisitor {
 public:
  Reader(std::string_view text, ReidentifyRequest& request) : text_(text), request_(request) {}

  bool on_container(body::JsonPath path, bool is_array) override {
    if (path.empty()) return !is_array || fail("The body must be an object.");
    if (path.size() == 1 && path[0].key == "tokens" && is_array) return true;
    return fail(unknown_or_type(path[0].key));
  }

  bool on_value(body::JsonPath path, const body::Field& field) override {
    if (path.empty()) return fail("The body must be an object.");
    if (field.kind != body::ValueKind::string) return fail(unknown_or_type(path[0].key));
    std::string value;
    body::decode_json_value(field.value.in(text_), field.kind, value);
    if (path.size() == 1 && path[0].key == "purpose") {
      request_.purpose = std::move(value);
    } else if (path.size() == 1 && path[0].key == "reason") {
      request_.reason = std::move(value);
    } else if (path.size() == 2 && path[0].key == "tokens") {
      if (request_.tokens.size() == kMaxTokensPerRequest) {
        return fail("One request takes at most 1000 tokens.");
      }
      request_.tokens.push_back(std::move(value));
    } else {
      return fail(unknown_or_type(path[0].key));
    }
    return true;
  }

  std::string_view fault() const { return fault_; }

 private:
  bool fail(std::string_view sentence) {
    fault_ = sentence;
    return false;
  }
  static std::string_view unknown_or_type(std::string_view key) {
    if (key == "tokens") return "The member tokens must be an array of strings.";
    if (key == "purpose") return "The member purpose must be a string.";
    if (key == "reason") return "The member reason must be a string.";
    return "The only members are purpose, reason and tokens.";
  }

  std::string_view text_;
  ReidentifyRequest& request_;
  std::string_view fault_ = "The body is not strict JSON.";
};

}  // namespace

crypto::Result<ReidentifyRequest> parse_reidentify_request(std::string_view body) {
  ReidentifyRequest request;
  Reader reader(body, request);
  // Nobody chooses the keys of these few members against us: any hash key will do.
  body::JsonScanner scanner(0);
  if (scanner.scan(body, {}, reader) != body::ScanStatus::ok) {
    return Error(ErrorKind::malformed, std::string(reader.fault()));
  }
  if (request.purpose.empty()) return Error(ErrorKind::malformed, "The purpose is missing.");
  if (crypto::trim(request.reason).empty()) {
    return Error(ErrorKind::malformed, "The reason is missing; it goes on the record.");
  }
  if (request.reason.size() > kMaxReasonBytes) {
    return Error(ErrorKind::malformed, "The reason is longer than 1000 bytes.");
  }
  if (request.tokens.empty()) return Error(ErrorKind::malformed, "There is no token.");
  return request;
}

}  // namespace paravent::proxy::admin
