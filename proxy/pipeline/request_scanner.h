// RequestScanner: phase 4. Reads every carrier of a request (path, query, headers, cookies, body),
// asks the plan what to do with each field and leaves a FieldJob for each that is not simply kept.
//
// Normalises the values that need a key, so that phase 5 and 6 work on bytes that are final. Writes
// only into the ExchangeBuffers; jobs come in the order path, query, headers, cookies, body, each
// in the order of the bytes. One object per scan, on the stack; nothing is kept.
//
// The carriers are in scan_head.cc, scan_parts.cc (of streamed bodies) and request_scanner.cc (of
// the others); what becomes of a field in take_field.cc, take_unlisted.cc and scan_opened.cc.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "policies/plan/route_plan.h"
#include "proxy/body/json_scanners.h"
#include "proxy/body/multipart_stream.h"
#include "proxy/pipeline/admission.h"
#include "proxy/pipeline/condition_reader.h"
#include "proxy/pipeline/exchange_buffers.h"
#include "proxy/pipeline/http_head.h"
#include "proxy/pipeline/refusal.h"

namespace paravent::proxy {

// What `explain` sees while the same code as in production reads a request: every field with its
// decoded value, in order. `action` is null where an unlisted field is kept as it is; otherwise the
// next job that is pushed is this field's, unless the field is what the request gets refused for.
class ScanObserver {
 public:
  virtual ~ScanObserver() = default;
  virtual void on_field(std::string_view path, std::string_view value, bool listed,
                        const policies::FieldAction* action) = 0;
};

// Counts protect-raw: the action's id each time normalisation failed and the trimmed bytes were
// taken.
class RawCounter {
 public:
  virtual ~RawCounter() = default;
  virtual void on_raw(std::uint32_t action_id) = 0;
};

class RequestScanner {
 public:
  RequestScanner(const policies::RoutePlan& route, const RequestHead& head,
                 ExchangeBuffers& buffers, RawCounter& raw_counter,
                 ScanObserver* observer = nullptr)
      : route_(route),
        head_(head),
        buffers_(buffers),
        raw_counter_(raw_counter),
        observer_(observer) {}

  // nullopt: every field has its treatment.
  std::optional<Refusal> scan(const BodyPlan& plan, std::string_view body,
                              body::JsonScanners& json_scanners);

  // The same for a body that is streamed (upload.h), a piece at a time: first of all, what its
  // conditions say by now; query and headers, once; the parts of each piece, whose spans are of
  // `text`, with a scanner of its own; what must be there, once it should have come.
  void assume(const ConditionBits& bits) noexcept {
    holding_ = bits.hold;
    unclear_ = bits.unclear;
  }
  std::optional<Refusal> scan_head();
  std::optional<Refusal> scan_parts(std::string_view text,
                                    std::span<const body::MultipartStream::Part> parts, bool first,
                                    body::JsonScanners& json_scanners);
  // `fields_only`: files may still come.
  std::optional<Refusal> check_required(BodyCodec codec, bool fields_only = false) const;
  // The conditions that something of the piece depended on, and those of them that were unclear
  // where that counts.
  std::uint64_t asked() const noexcept { return asked_; }
  std::uint64_t asked_unclear() const noexcept { return asked_unclear_; }

 private:
  friend class FlatFieldVisitor;
  friend class JsonFieldVisitor;

  bool scan_path();
  std::optional<Refusal> scan_query();
  std::optional<Refusal> scan_headers();
  bool hides_cookie(std::string_view value, const policies::FieldAction* action) const;
  std::optional<Refusal> scan_body(const BodyPlan& plan, std::string_view body);
  std::optional<Refusal> finish(body::ScanStatus status) const;

  // One field: decides, decodes, normalises. False: refusal_ says why.
  bool take(policies::Carrier carrier, std::string_view name, std::uint32_t line,
            const body::Field& field, std::string_view raw, const policies::FieldAction* action,
            bool listed = true);
  bool take_opaque(std::string_view name, const body::Field& field,
                   const policies::FieldAction& action);
  std::string_view decode(policies::Carrier carrier, const body::Field& field,
                          std::string_view raw);
  bool take_file(std::string_view name, const body::Field& field, std::string_view text,
                 const policies::FieldAction& action);
  bool take_file_key(const policies::FieldAction& action);
  bool may_come_late(const policies::FieldAction& action) const;
  // Whether what no rule lists does not go on at all.
  bool forbids_unlisted() const noexcept {
    return route_.unlisted == policies::Unlisted::refuse ||
           route_.unlisted == policies::Unlisted::drop;
  }
  // Of a value of JSON that no rule lists: nothing more has to be asked about it. (Most of them.)
  bool passes_unlisted(const body::Field& field) const noexcept {
    return json_free_of_tokens_ && !field.is_file && layer_ == 0 && observer_ == nullptr &&
           route_.unlisted == policies::Unlisted::keep;
  }
  // Whether a value that goes on as it is has to be searched for tokens. The values of a JSON body
  // without escapes are parts of its bytes: where those hold no start of a token, no value does.
  // What was opened inside of a value is another matter.
  bool may_hold_token(policies::Carrier carrier) const noexcept {
    if (carrier == policies::Carrier::json && layer_ == 0 && json_free_of_tokens_) return false;
    return carrier != policies::Carrier::header && carrier != policies::Carrier::cookie &&
           carrier != policies::Carrier::path;
  }
  bool take_value(FieldJob& job, policies::Carrier carrier, std::string_view value);
  bool take_own_token(FieldJob& job, std::string_view value);
  // Reads what is inside of a field that the policy opens.
  bool open(FieldJob& job, std::string_view value);
  body::ScanStatus scan_inside(const OpenedField& field);
  // The rule about a field, or its `else` where a condition does not hold.
  const policies::FieldAction* find(policies::Carrier carrier, std::string_view name) const;
  const policies::FieldAction* chosen(const policies::FieldAction* action) const noexcept {
    return action == nullptr || action->when == 0 ? action : chosen_by_condition(action);
  }
  const policies::FieldAction* chosen_by_condition(
      const policies::FieldAction* action) const noexcept;
  const policies::FieldAction* find_json(policies::JsonPath path, policies::JsonWalk& walk) const {
    return chosen(outer_ == nullptr ? route_.find_json(path, walk)
                                    : outer_->inside->find_json(path, walk));
  }
  const policies::JsonMatcher* json_matcher() const;
  std::string full_name(policies::Carrier carrier, std::string_view name) const;
  bool on_normalisation_failure(FieldJob& job, std::string_view trimmed);
  // What cannot be transformed as the rule says, whatever its spelling. False: refused.
  bool on_impossible_value(FieldJob& job);
  void take_note(const policies::FieldAction& action, std::string_view value);
  std::optional<Refusal> assign_scopes();
  bool take_unlisted(policies::Carrier carrier, std::string_view name, std::uint32_t line,
                     const body::Field& field, std::string_view raw);
  bool refuse(Reason reason, std::string_view field);
  // Leaves what is to happen to one field.
  bool add(const FieldJob& job);

  const policies::RoutePlan& route_;
  const RequestHead& head_;
  ExchangeBuffers& buffers_;
  RawCounter& raw_counter_;
  ScanObserver* observer_;
  body::JsonScanners* json_scanners_ = nullptr;
  std::optional<Refusal> refusal_;
  // Where the scan is: 0 and nullptr in the message itself, else inside of the opened field of this
  // number, which this action opened.
  std::uint32_t layer_ = 0;
  bool json_free_of_tokens_ = false;  // of the body, not of what is opened in it
  std::size_t depth_ = 0;
  const policies::FieldAction* outer_ = nullptr;
  bool streamed_ = false;
  std::uint64_t holding_ = 0;  // the route's conditions that hold, by bit
  std::uint64_t unclear_ = 0;
  mutable std::uint64_t asked_ = 0;
  mutable std::uint64_t asked_unclear_ = 0;
  bool scoped_ = false;  // some job's scope is narrower than the person
};

}  // namespace paravent::proxy
