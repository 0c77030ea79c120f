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
    const std::string_view key = path[0].key;
    if (path.size() == 1 && (key == "tokens" || key == "values") && is_array) return true;
    if (path.size() == 2 && key == "values" && !is_array) {
      if (full()) return fail(kTooMany);
      request_.values.emplace_back();
      return true;
    }
    return fail(unknown_or_type(path));
  }

  bool on_value(body::JsonPath path, const body::Field& field) override {
    if (path.empty()) return fail("The body must be an object.");
    if (field.kind != body::ValueKind::string) return fail(unknown_or_type(path));
    std::string value;
    body::decode_json_value(field.value.in(text_), field.kind, value);
    const std::string_view key = path[0].key;
    if (path.size() == 2 && key == "tokens") {
      if (full()) return fail(kTooMany);
      request_.tokens.push_back(std::move(value));
      return true;
    }
    std::string* member = nullptr;
    if (path.size() == 1) member = member_of(key);
    if (path.size() == 3 && key == "values") member = member_of_value(path[2].key);
    if (member == nullptr) return fail(unknown_or_type(path));
    *member = std::move(value);
    return true;
  }

  std::string_view fault() const { return fault_; }

 private:
  bool fail(std::string_view sentence) {
    fault_ = sentence;
    return false;
  }
  bool full() const {
    return request_.tokens.size() + request_.values.size() == kMaxTokensPerRequest;
  }
  std::string* member_of(std::string_view key) {
    if (key == "purpose") return &request_.purpose;
    if (key == "reason") return &request_.reason;
    if (key == "grant") return &request_.grant;
    return nullptr;
  }
  std::string* member_of_value(std::string_view key) {
    AskedValue& asked = request_.values.back();
    if (key == "value") return &asked.value;
    if (key == "field") return &asked.field;
    if (key == "route") return &asked.route;
    if (key == "as_of") return &asked.as_of;
    return nullptr;
  }
  static std::string_view unknown_or_type(body::JsonPath path) {
    const std::string_view key = path[0].key;
    if (key == "tokens") return "The member tokens must be an array of strings.";
    if (key == "values") {
      return "The member values must be an array of {value, field, route, as_of} with strings.";
    }
    if (key == "purpose") return "The member purpose must be a string.";
    if (key == "reason") return "The member reason must be a string.";
    if (key == "grant") return "The member grant must be a string.";
    return "The only members are purpose, reason, grant, tokens and values.";
  }

  static constexpr std::string_view kTooMany = "One request takes at most 10000 tokens and values.";

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
  if (request.tokens.empty() && request.values.empty()) {
    return Error(ErrorKind::malformed, "There is no token and no value.");
  }
  for (const AskedValue& asked : request.values) {
    if (asked.field.empty()) {
      return Error(ErrorKind::malformed, "A value without its field cannot be told apart.");
    }
  }
  return request;
}

}  // namespace paravent::proxy::admin
