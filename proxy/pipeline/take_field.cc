// The scanner on one field that a rule is about: decodes and normalises it and leaves the job.

#include <string>

#include "crypto/tokens/normaliser.h"
#include "crypto/tokens/token_detector.h"
#include "crypto/tokens/token_text.h"
#include "proxy/body/csv.h"
#include "proxy/body/form.h"
#include "proxy/body/json.h"
#include "proxy/body/wrapping.h"
#include "proxy/body/xml.h"
#include "proxy/pipeline/request_scanner.h"
#include "proxy/pipeline/scope_ids.h"

namespace paravent::proxy {

using policies::ActionKind;
using policies::Carrier;
using policies::FieldAction;
using policies::OnError;
using policies::Shape;

namespace {

// A vault row holds one identifier, not a document; longer texts are for `encrypt`.
constexpr std::size_t kMaxVaultValueBytes = 4096;

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
  return add(job);
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
  return add(job);
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
  return add(job);
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

}  // namespace paravent::proxy
