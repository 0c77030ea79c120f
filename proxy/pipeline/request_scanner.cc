#include "proxy/pipeline/request_scanner.h"

#include "crypto/tokens/token_detector.h"
#include "proxy/body/csv.h"
#include "proxy/body/mixed.h"
#include "proxy/body/multipart.h"
#include "proxy/body/xml.h"
#include "proxy/pipeline/body_lines.h"
#include "proxy/pipeline/condition_reader.h"
#include "proxy/pipeline/field_visitors.h"
#include "proxy/pipeline/scan_refusal.h"
#include "proxy/pipeline/scope_ids.h"

namespace paravent::proxy {

using policies::Carrier;
using policies::FieldAction;

std::optional<Refusal> RequestScanner::scan(const BodyPlan& plan, std::string_view body,
                                            body::JsonScanners& json_scanners) {
  json_scanners_ = &json_scanners;
  if (!route_.questions.empty()) {
    ConditionBits bits;
    ConditionReader reader(route_, head_, buffers_);
    if (auto refusal = reader.read(plan, body, json_scanners, bits)) return refusal;
    if (auto refusal = refuse_unclear(route_, bits)) return refusal;
    holding_ = bits.hold;
  }
  if (auto refusal = scan_head()) return refusal;
  if (auto refusal = scan_body(plan, body)) return refusal;
  if (auto refusal = check_required(plan.codec)) return refusal;
  return scoped_ ? assign_scopes() : std::nullopt;
}

// Only now, because the field that delimits a relationship may come last.
std::optional<Refusal> RequestScanner::assign_scopes() {
  for (FieldJob& job : buffers_.jobs) {
    const bool keyed = job.treatment == Treatment::derive || job.treatment == Treatment::mint;
    if (keyed && !assign_scope(job, buffers_) && !on_impossible_value(job)) return refusal_;
  }
  return std::nullopt;
}

std::optional<Refusal> RequestScanner::scan_body(const BodyPlan& plan, std::string_view body) {
  switch (plan.codec) {
    case BodyCodec::none:
    case BodyCodec::opaque:
    case BodyCodec::text:
      return std::nullopt;
    case BodyCodec::form: {
      FlatFieldVisitor visitor(*this, Carrier::form, body);
      return finish(scan_form_body(body, plan.lines, visitor, buffers_));
    }
    case BodyCodec::multipart:
    case BodyCodec::upload: {
      FlatFieldVisitor visitor(*this, Carrier::multipart, body);
      return finish(body::scan_multipart(body, plan.boundary, {}, buffers_.scratch, visitor));
    }
    case BodyCodec::mixed: {
      JsonFieldVisitor visitor(*this, body);
      return finish(body::scan_mixed(body, plan.boundary, {}, json_scanners_->at(0), visitor,
                                     buffers_.lines));
    }
    case BodyCodec::csv: {
      FlatFieldVisitor visitor(*this, Carrier::csv, body);
      return finish(body::scan_csv(body, {}, visitor));
    }
    case BodyCodec::xml: {
      FlatFieldVisitor visitor(*this, Carrier::xml, body);
      return finish(body::scan_xml(body, {}, visitor));
    }
    case BodyCodec::json: {
      json_free_of_tokens_ =
          body.find('\\') == std::string_view::npos && !crypto::may_contain_token(body);
      JsonFieldVisitor visitor(*this, body);
      return finish(scan_json_body(body, plan.lines, json_scanners_->at(0), visitor, buffers_));
    }
  }
  return std::nullopt;
}

std::optional<Refusal> RequestScanner::finish(body::ScanStatus status) const {
  return status == body::ScanStatus::stopped ? refusal_ : refusal_of(status);
}

std::optional<Refusal> RequestScanner::check_required(BodyCodec codec, bool fields_only) const {
  const bool multipart = codec == BodyCodec::multipart || codec == BodyCodec::upload;
  for (const FieldAction* action : route_.required) {
    // Rules for another kind of body than the one that came do not apply to it; with no body at
    // all, those of every kind do.
    const Carrier carrier = action->carrier;
    const bool other_body =
        (carrier == Carrier::form && codec != BodyCodec::form) ||
        (carrier == Carrier::json && codec != BodyCodec::json && codec != BodyCodec::mixed) ||
        (carrier == Carrier::csv && codec != BodyCodec::csv) ||
        (carrier == Carrier::xml && codec != BodyCodec::xml) ||
        (carrier == Carrier::multipart && !multipart);
    if (other_body && codec != BodyCodec::none) continue;
    if (fields_only && action->file) continue;
    if (buffers_.required_seen[action->required_index] == 0) {
      return Refusal{Reason::missing_field, action->name};
    }
  }
  return std::nullopt;
}

const FieldAction* RequestScanner::find(Carrier carrier, std::string_view name) const {
  return chosen(outer_ == nullptr ? route_.find(carrier, name) : outer_->inside->find(name));
}

const policies::JsonMatcher* RequestScanner::json_matcher() const {
  return outer_ == nullptr ? route_.json_matcher() : outer_->inside->json.get();
}

const FieldAction* RequestScanner::chosen_by_condition(const FieldAction* action) const noexcept {
  asked_ |= action->when;
  if (answer_of({holding_, unclear_}, action->when) == Answer::unclear) {
    asked_unclear_ |= action->when & unclear_;
  }
  return (action->when & ~holding_) == 0 ? action : action->otherwise;
}

// A job and what is written for it take some three hundred bytes and a microsecond: what a small
// body may ask for has to end somewhere.
bool RequestScanner::add(const FieldJob& job) {
  if (buffers_.jobs.size() == kMaxJobs) return refuse(Reason::too_large, {});
  buffers_.jobs.push_back(job);
  return true;
}

bool RequestScanner::refuse(Reason reason, std::string_view field) {
  refusal_ = Refusal{reason, field};
  return false;
}

}  // namespace paravent::proxy
