#include "proxy/pipeline/request_scanner.h"

#include <algorithm>
#include <utility>

#include "crypto/tokens/normaliser.h"
#include "crypto/tokens/token_detector.h"
#include "crypto/tokens/token_text.h"
#include "proxy/body/csv.h"
#include "proxy/body/form.h"
#include "proxy/body/mixed.h"
#include "proxy/body/multipart.h"
#include "proxy/body/utf8.h"
#include "proxy/body/wrapping.h"
#include "proxy/body/xml.h"
#include "proxy/pipeline/body_lines.h"
#include "proxy/pipeline/condition_reader.h"
#include "proxy/pipeline/field_visitors.h"
#include "proxy/pipeline/scan_refusal.h"
#include "proxy/pipeline/scope_ids.h"

namespace paravent::proxy {

using policies::ActionKind;
using policies::Carrier;
using policies::FieldAction;
using policies::OnError;
using policies::Shape;
using policies::Unlisted;

namespace {

constexpr std::size_t kShownNameBytes = 64;
constexpr std::string_view kInto = " > ";
// A vault row holds one identifier, not a document; longer texts are for `encrypt`.
constexpr std::size_t kMaxVaultValueBytes = 4096;

// At most kShownNameBytes, and never half a character: the name goes into JSON.
std::string_view shown_name(std::string_view name) {
  if (name.size() <= kShownNameBytes) return name;
  std::size_t end = kShownNameBytes;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;
  return name.substr(0, end);
}

std::string_view carrier_prefix(Carrier carrier) {
  switch (carrier) {
    case Carrier::form:
      return "form.";
    case Carrier::json:
      return "json";
    case Carrier::multipart:
      return "multipart.";
    case Carrier::query:
      return "query.";
    case Carrier::header:
      return "header.";
    case Carrier::cookie:
      return "cookie.";
    case Carrier::path:
      return "path.";
    case Carrier::csv:
      return "csv.";
    case Carrier::xml:
      return "xml.";
    case Carrier::value:
    case Carrier::file_name:
    case Carrier::file_content:
      break;
  }
  return "";
}

Unlisted unlisted_rule(const policies::RoutePlan& route, Carrier carrier) {
  if (carrier == Carrier::header) return route.unlisted_header;
  if (carrier == Carrier::cookie) return route.unlisted_cookie;
  return route.unlisted;
}

bool is_body_or_query(Carrier carrier) {
  return carrier != Carrier::header && carrier != Carrier::cookie && carrier != Carrier::path;
}

bool is_own_token(std::string_view value) {
  return crypto::check_token(crypto::strip_email_shape(value)).has_value();
}

bool leaves_text(const FieldAction& action) {
  return (action.action == ActionKind::truncate && action.kind != crypto::Kind::ip) ||
         (action.action == ActionKind::generalise &&
          action.generalisation == policies::Generalisation::url);
}

Treatment treatment_of(ActionKind action) {
  switch (action) {
    case ActionKind::keep:
    case ActionKind::refuse:
      return Treatment::keep;
    case ActionKind::drop:
      return Treatment::remove;
    case ActionKind::replace:
    case ActionKind::mask:
    case ActionKind::truncate:
    case ActionKind::generalise:
      return Treatment::rewrite;
    case ActionKind::pseudonymise:
    case ActionKind::tokenise_derived:
    case ActionKind::tokenise_address:
    case ActionKind::tokenise_address_prefix:
    case ActionKind::tokenise_address_random:
    case ActionKind::tokenise_preserve:
    case ActionKind::encrypt:
    case ActionKind::seal:
    case ActionKind::seal_single:
    case ActionKind::shift_date:
      return Treatment::derive;
    case ActionKind::tokenise_vault:
      return Treatment::mint;
    case ActionKind::open:
      return Treatment::reopen;
  }
  return Treatment::keep;
}

}  // namespace

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

bool RequestScanner::take(Carrier carrier, std::string_view name, std::uint32_t line,
                          const body::Field& field, std::string_view raw, const FieldAction* action,
                          bool listed) {
  if (action == nullptr) return take_unlisted(carrier, name, line, field, raw);
  if (field.is_file && carrier == Carrier::json) return take_opaque(name, field, *action);
  // Of a file only a rule with `file` may say anything.
  if (field.is_file) return refuse(Reason::unsupported_type, action->name);

  FieldJob job;
  job.action = action;
  job.carrier = carrier;
  job.line = line;
  job.layer = layer_;
  job.field = field;
  job.treatment = treatment_of(action->action);

  const std::string_view value = decode(carrier, field, raw);
  if (observer_ != nullptr) {
    observer_->on_field(full_name(carrier, name), value, listed, action);
  }
  // Browsers send an input for a file that was left alone as an empty field.
  const bool no_file = action->file != nullptr && value.empty();
  if (action->action == ActionKind::refuse && !no_file) {
    return refuse(Reason::refused_field, action->name);
  }
  const bool empty = field.kind == body::ValueKind::null || crypto::trim(value).empty();
  const bool noted = action->delimits || (action->is_subject && route_.needs_subject);
  if (!empty && noted) take_note(*action, value);
  if (action->required && !empty) buffers_.required_seen[action->required_index] = 1;
  // An empty value tells nothing and passes; only `drop` still removes it, because the name goes
  // too.
  if (empty && job.treatment != Treatment::remove) job.treatment = Treatment::keep;
  if (job.treatment == Treatment::reopen) return open(job, value);
  return take_value(job, carrier, value);
}

// A payload that nothing can be read in: it stays or goes as a whole.
bool RequestScanner::take_opaque(std::string_view name, const body::Field& field,
                                 const FieldAction& action) {
  if (observer_ != nullptr) {
    observer_->on_field(full_name(Carrier::json, name), {}, true, &action);
  }
  if (action.action == ActionKind::refuse) return refuse(Reason::refused_field, action.name);
  if (action.action != ActionKind::keep && action.action != ActionKind::drop) {
    return refuse(Reason::unsupported_type, action.name);
  }
  FieldJob job;
  job.action = &action;
  job.carrier = Carrier::json;
  job.field = field;
  job.treatment = treatment_of(action.action);
  buffers_.jobs.push_back(job);
  return true;
}

// The value as an application would read it: a view of `raw` where nothing is encoded, else of
// `value` in the buffers, until the next call. (`name`s may lie in `scratch`.)
std::string_view RequestScanner::decode(Carrier carrier, const body::Field& field,
                                        std::string_view raw) {
  const bool encoded = carrier == Carrier::form || carrier == Carrier::query ||
                       carrier == Carrier::path || carrier == Carrier::csv ||
                       carrier == Carrier::xml ||
                       (carrier == Carrier::json && field.kind == body::ValueKind::string);
  if (!encoded) return raw;
  // Most JSON strings have no escapes and need no copy.
  if (carrier == Carrier::json && raw.find('\\') == std::string_view::npos) {
    return raw.substr(1, raw.size() - 2);
  }
  ExchangeBuffers::wipe_used(buffers_.value);
  if (carrier == Carrier::json) {
    body::decode_json_value(raw, field.kind, buffers_.value);
  } else if (carrier == Carrier::csv) {
    body::decode_csv_value(raw, buffers_.value);
  } else if (carrier == Carrier::xml) {
    body::decode_xml_value(raw, buffers_.value);
  } else if (carrier == Carrier::path) {
    // The parser has seen that its escapes are well-formed and none of them is NUL.
    if (!body::unwrap_percent(raw, buffers_.value)) return raw;
  } else {
    body::decode_form_value(raw, buffers_.value);
  }
  return buffers_.value;
}

// Says which relationship or whose request this is, whatever becomes of the field itself.
void RequestScanner::take_note(const FieldAction& action, std::string_view value) {
  const std::size_t begin = buffers_.clear.size();
  const crypto::NormaliserOptions options{.region = route_.phone_region};
  if (!crypto::normalise(action.kind, value, options, buffers_.clear)) {
    buffers_.clear.append(crypto::trim(value));
    buffers_.invalid_subject = buffers_.invalid_subject || action.is_subject;
  }
  const body::Span span{static_cast<std::uint32_t>(begin),
                        static_cast<std::uint32_t>(buffers_.clear.size())};
  if (action.delimits) note_delimiter(action, span.in(buffers_.clear), buffers_);
  if (!action.is_subject) return;
  if (!buffers_.subject) {
    buffers_.subject = span;
  } else if (buffers_.subject->in(buffers_.clear) != span.in(buffers_.clear)) {
    buffers_.several_subjects = true;
  }
}

// Whether a value that goes on as it is has to be searched for tokens. The values of a JSON body
// without escapes are parts of its bytes: where those hold no start of a token, no value does.
// What was opened inside of a value is another matter.
bool RequestScanner::may_hold_token(Carrier carrier) const {
  if (carrier == Carrier::json && layer_ == 0 && json_free_of_tokens_) return false;
  return is_body_or_query(carrier);
}

bool RequestScanner::take_value(FieldJob& job, Carrier carrier, std::string_view value) {
  const FieldAction& action = *job.action;
  switch (job.treatment) {
    case Treatment::keep:
      // Somebody else's token, planted where it would pass, must not be answered for later.
      if (may_hold_token(carrier) && crypto::contains_token(value)) {
        return refuse(Reason::own_token, action.name);
      }
      break;
    case Treatment::remove:
    case Treatment::confirm:
    case Treatment::reopen:
    case Treatment::rename:
      break;
    case Treatment::rewrite:
      // The same where most of a value survives.
      if (may_hold_token(carrier) && leaves_text(action) && crypto::contains_token(value)) {
        return refuse(Reason::own_token, action.name);
      }
      job.clear.begin = static_cast<std::uint32_t>(buffers_.clear.size());
      buffers_.clear.append(value);
      job.clear.end = static_cast<std::uint32_t>(buffers_.clear.size());
      break;
    case Treatment::derive:
    case Treatment::mint: {
      if (is_own_token(crypto::trim(value))) return take_own_token(job, value);
      scoped_ = scoped_ || action.scope != crypto::Scope::person;
      const std::size_t begin = buffers_.clear.size();
      const crypto::NormaliserOptions options{.region = route_.phone_region};
      if (!crypto::normalise(action.kind, value, options, buffers_.clear)) {
        buffers_.clear.resize(begin);
        if (!on_normalisation_failure(job, crypto::trim(value))) return false;
      }
      job.clear = {static_cast<std::uint32_t>(begin),
                   static_cast<std::uint32_t>(buffers_.clear.size())};
      if (job.treatment == Treatment::mint && job.clear.size() > kMaxVaultValueBytes &&
          !on_impossible_value(job)) {
        return false;
      }
      break;
    }
  }
  buffers_.jobs.push_back(job);
  return true;
}

// One of ours that comes back, where the rule takes it: in the one spelling that we write. The
// vault's answer decides.
bool RequestScanner::take_own_token(FieldJob& job, std::string_view value) {
  const FieldAction& action = *job.action;
  std::string_view text = value;
  bool ours = action.accepts_own_tokens && job.treatment == Treatment::mint;
  if (ours && action.shape == Shape::email) {
    const std::string& domain = route_.token_mail_domain;
    ours = text.size() > domain.size() && text.ends_with(domain) &&
           text[text.size() - domain.size() - 1] == '@';
    if (ours) text.remove_suffix(domain.size() + 1);
  }
  const auto token = ours ? crypto::parse_token(text) : crypto::Error(crypto::ErrorKind::malformed);
  if (!token || token->token_class != crypto::TokenClass::vault || token->text != text) {
    return refuse(Reason::own_token, action.name);
  }
  // Whom it stands for is nobody's business here.
  if (action.is_subject) buffers_.invalid_subject = true;
  job.treatment = Treatment::confirm;
  job.clear.begin = static_cast<std::uint32_t>(buffers_.clear.size());
  buffers_.clear.append(text);
  job.clear.end = static_cast<std::uint32_t>(buffers_.clear.size());
  buffers_.jobs.push_back(job);
  return true;
}

bool RequestScanner::open(FieldJob& job, std::string_view value) {
  const std::size_t number = buffers_.opened_count;
  OpenedField& field = buffers_.open_next();
  field.plan = job.action->inside.get();
  field.job = static_cast<std::uint32_t>(buffers_.jobs.size());
  ExchangeBuffers::wipe_used(buffers_.scratch);
  const body::ScanStatus opened = unwrap(value, field, buffers_.scratch);
  if (opened != body::ScanStatus::ok) {
    buffers_.close_from(number);
    if (opened == body::ScanStatus::too_large) return refuse(Reason::too_large, {});
    if (!on_impossible_value(job)) return false;
    buffers_.jobs.push_back(job);
    return true;
  }
  buffers_.jobs.push_back(job);

  const std::uint32_t layer = std::exchange(layer_, static_cast<std::uint32_t>(number + 1));
  const FieldAction* outer = std::exchange(outer_, job.action);
  ++depth_;
  const body::ScanStatus status = scan_inside(field);
  --depth_;
  outer_ = outer;
  layer_ = layer;
  if (status == body::ScanStatus::ok) return true;
  if (status == body::ScanStatus::stopped) return false;
  if (status == body::ScanStatus::too_large) return refuse(Reason::too_large, {});
  if (!on_impossible_value(job)) return false;
  // The field as a whole is handled, and nothing of what was found inside so far.
  buffers_.jobs.resize(field.job);
  buffers_.jobs.push_back(job);
  buffers_.close_from(number);
  return true;
}

body::ScanStatus RequestScanner::scan_inside(const OpenedField& field) {
  const std::string_view text = field.inside.in(field.text);
  switch (carrier_inside(field.plan->form.content)) {
    case Carrier::json: {
      JsonFieldVisitor visitor(*this, text);
      return json_scanners_->at(depth_).scan(text, {}, visitor);
    }
    case Carrier::query: {
      FlatFieldVisitor visitor(*this, Carrier::query, text);
      return body::scan_form(text, {}, buffers_.scratch, visitor);
    }
    default: {
      if (!body::is_valid_utf8(text)) return body::ScanStatus::malformed;
      body::Field whole;
      whole.value.end = static_cast<std::uint32_t>(text.size());
      whole.whole = whole.value;
      return take(Carrier::value, "value", 0, whole, text, chosen(field.plan->value))
                 ? body::ScanStatus::ok
                 : body::ScanStatus::stopped;
    }
  }
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

// For explain.
std::string RequestScanner::full_name(Carrier carrier, std::string_view name) const {
  std::string text;
  if (outer_ != nullptr) text.append(outer_->name).append(kInto);
  return text.append(carrier_prefix(carrier)).append(name);
}

bool RequestScanner::on_normalisation_failure(FieldJob& job, std::string_view trimmed) {
  if (job.action->on_error != OnError::protect_raw) return on_impossible_value(job);
  raw_counter_.on_raw(job.action->id);
  buffers_.clear.append(trimmed);
  return true;
}

// Trimming helps as little as any other spelling, so protect-raw refuses too.
bool RequestScanner::on_impossible_value(FieldJob& job) {
  switch (job.action->on_error) {
    case OnError::drop:
      job.treatment = Treatment::remove;
      return true;
    case OnError::mask:
      job.treatment = Treatment::rewrite;
      return true;
    case OnError::refuse:
    case OnError::protect_raw:
      break;
  }
  return refuse(Reason::transform_failed, job.action->name);
}

bool RequestScanner::take_unlisted(Carrier carrier, std::string_view name, std::uint32_t line,
                                   const body::Field& field, std::string_view raw) {
  const Unlisted rule = unlisted_rule(route_, carrier);
  if (observer_ != nullptr && rule != Unlisted::encrypt) {
    observer_->on_field(full_name(carrier, name), raw, false,
                        rule == Unlisted::keep ? nullptr : &route_.unlisted_action);
  }
  if (field.is_file && rule != Unlisted::refuse) return refuse(Reason::unsupported_type, {});
  switch (rule) {
    case Unlisted::refuse:
      buffers_.refused_name.assign(outer_ != nullptr ? outer_->name : std::string_view())
          .append(outer_ != nullptr ? kInto : std::string_view())
          .append(carrier_prefix(carrier))
          .append(shown_name(name));
      return refuse(Reason::unlisted_field, buffers_.refused_name);
    case Unlisted::keep:
      if (may_hold_token(carrier) && crypto::contains_token(decode(carrier, field, raw))) {
        return refuse(Reason::own_token, route_.unlisted_action.name);
      }
      return true;
    case Unlisted::drop: {
      FieldJob job;
      job.action = &route_.unlisted_action;
      job.carrier = carrier;
      job.line = line;
      job.layer = layer_;
      job.field = field;
      job.treatment = Treatment::remove;
      buffers_.jobs.push_back(job);
      return true;
    }
    case Unlisted::encrypt:
      return take(carrier, name, line, field, raw, &route_.unlisted_action, false);
  }
  return false;
}

bool RequestScanner::refuse(Reason reason, std::string_view field) {
  refusal_ = Refusal{reason, field};
  return false;
}

}  // namespace paravent::proxy
