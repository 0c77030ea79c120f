#include "proxy/pipeline/replacement_writer.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "crypto/tokens/token_text.h"
#include "proxy/body/file_ending.h"
#include "proxy/body/form.h"
#include "proxy/body/json.h"
#include "proxy/body/splice.h"
#include "proxy/pipeline/carrier_text.h"
#include "proxy/pipeline/generalise/dates.h"
#include "proxy/pipeline/job_edits.h"

namespace paravent::proxy {

using policies::Carrier;
using policies::Shape;

namespace {

// What a file is called whose name is dropped, in front of its ending.
constexpr std::string_view kNamelessFile = "file";

crypto::ProtectForm form_of(const FieldJob& job) {
  return {.kind = job.action->kind,
          .shape = job.action->shape,
          .length = job.action->shape_length,
          .bits = job.action->bits,
          .scope_id = job.scope_id,
          .scope = job.action->scope};
}

bool has_key(const FieldJob& job) {
  return job.treatment == Treatment::derive || job.treatment == Treatment::mint;
}

}  // namespace

std::optional<Refusal> ReplacementWriter::write_all() {
  for (FieldJob& job : buffers_.jobs) {
    if (job.treatment == Treatment::keep || job.treatment == Treatment::remove ||
        job.treatment == Treatment::reopen || job.treatment == Treatment::confirm) {
      continue;
    }
    if (write(job)) continue;
    if (auto refusal = on_failure(job)) return refusal;
  }
  // The innermost first: what is inside of a field was opened after it.
  for (std::size_t number = buffers_.opened_count; number > 0; --number) {
    if (rebuild(number)) continue;
    FieldJob& job = buffers_.jobs[buffers_.opened[number - 1]->job];
    if (auto refusal = on_failure(job)) return refusal;
  }
  return std::nullopt;
}

bool ReplacementWriter::write(FieldJob& job) {
  if (job.carrier == Carrier::file_name) return write_file_name(job);
  const std::size_t begin = buffers_.arena.size();
  // `bytes`: of the text that the upstream will store, before the carrier's quotes and escapes.
  const auto done = [&](bool ok, std::size_t bytes) {
    const bool fits = job.action->max_len == 0 || bytes <= job.action->max_len;
    if (!ok || !fits) buffers_.arena.resize(begin);
    job.replacement = {static_cast<std::uint32_t>(begin),
                       static_cast<std::uint32_t>(buffers_.arena.size())};
    return ok && fits;
  };

  const bool keyed = has_key(job);
  // Token text is unreserved in every carrier: it goes straight into the arena, quoted for JSON.
  const bool token_text =
      job.action->shape == Shape::none && job.action->action != policies::ActionKind::shift_date;
  if (keyed && token_text && job.action->previous.empty()) {
    if (job.carrier == Carrier::json) buffers_.arena.push_back('"');
    const std::size_t text_begin = buffers_.arena.size();
    if (!write_keyed(job, buffers_.arena)) return done(false, 0);
    const std::size_t bytes = buffers_.arena.size() - text_begin;
    if (job.carrier == Carrier::json) buffers_.arena.push_back('"');
    return done(true, bytes);
  }

  ExchangeBuffers::wipe_used(buffers_.scratch);
  if (!write_text(job, buffers_.scratch)) return done(false, 0);
  if (keyed && job.action->shape == Shape::email) {
    buffers_.scratch.append("@").append(route_.token_mail_domain);
  }
  const std::size_t bytes = buffers_.scratch.size();
  if (!encode(job.carrier, buffers_.scratch)) return done(false, 0);
  if (keyed && !job.action->previous.empty() && tools_.protector.has_previous(job.action->slot) &&
      !write_previous(job)) {
    return done(false, 0);
  }
  return done(true, bytes);
}

// Before the carrier's spelling.
bool ReplacementWriter::write_text(const FieldJob& job, std::string& out) {
  if (has_key(job)) return write_keyed(job, out);
  if (is_keyed(job.action->action)) {
    out.append(kMask);  // on-error: mask, decided when normalisation failed
    return true;
  }
  const std::string_view value = job.clear.in(buffers_.clear);
  return tools_.transforms.apply(*job.action, value, tools_.clock, out).has_value();
}

bool ReplacementWriter::write_keyed(const FieldJob& job, std::string& out) {
  if (job.treatment == Treatment::mint) {
    if (resolved_ == nullptr || job.vault_job >= resolved_->jobs.size()) std::abort();
    const auto& answer = resolved_->jobs[job.vault_job];
    if (answer.shaped_size > 0) {
      out.append(answer.shaped_text());
    } else {
      crypto::write_vault_token(answer.key_id, answer.id, out);
    }
    return true;
  }
  if (job.action->action == policies::ActionKind::shift_date) {
    return write_shifted(job, out);
  }
  const std::string_view value = job.clear.in(buffers_.clear);
  crypto::ProtectForm form = form_of(job);
  if (job.action->subject_bound) {
    if (resolved_ == nullptr || !resolved_->subject) std::abort();
    form.subject = &resolved_->subject->seal;
  }
  return tools_.protector.protect(job.action->slot, form, value, out).has_value();
}

// The subject's own shift, so that the distances between one person's dates stay true. Without a
// subject there is none: a new one for every request would be noise that averages out.
bool ReplacementWriter::write_shifted(const FieldJob& job, std::string& out) {
  if (!buffers_.subject || buffers_.several_subjects) return false;
  const std::string_view subject = buffers_.subject->in(buffers_.clear);
  const auto number = tools_.protector.keyed_number(job.action->slot, subject);
  if (!number) return false;
  const std::int32_t days = days_of_shift(*number, job.action->options.days);
  return shift_date(job.clear.in(buffers_.clear), days, out).has_value();
}

// The pseudonym of the epoch before, as a field of its own behind this one, so that whoever counts
// visitors can join both while the epochs overlap.
bool ReplacementWriter::write_previous(const FieldJob& job) {
  ExchangeBuffers::wipe_used(buffers_.scratch);
  if (!tools_.protector.protect_previous(job.action->slot, form_of(job),
                                         job.clear.in(buffers_.clear), buffers_.scratch)) {
    return false;
  }
  if (job.action->shape == Shape::email) {
    buffers_.scratch.append("@").append(route_.token_mail_domain);
  }
  std::string& out = buffers_.arena;
  switch (job.carrier) {
    case Carrier::form:
    case Carrier::query:
      out.push_back('&');
      body::encode_form_value(job.action->previous, out);
      out.push_back('=');
      break;
    case Carrier::json:
      out.push_back(',');
      body::encode_json_string(job.action->previous, out);
      out.push_back(':');
      break;
    case Carrier::header:
      out.append("\r\n").append(job.action->previous).append(": ");
      break;
    case Carrier::cookie:
      out.append("; ").append(job.action->previous).append("=");
      break;
    case Carrier::multipart:
    case Carrier::path:
    case Carrier::csv:
    case Carrier::xml:
    case Carrier::value:
    case Carrier::file_name:
    case Carrier::file_content:
      return false;  // the policy's check lets none of these through
  }
  return encode(job.carrier, buffers_.scratch);
}

// A file's name: what the rule makes of it, and its ending, which applications tell its type by,
// where that says nothing else.
bool ReplacementWriter::write_file_name(FieldJob& job) {
  ExchangeBuffers::wipe_used(buffers_.scratch);
  std::string& name = buffers_.scratch;
  if (job.treatment == Treatment::rename) {
    name.append(kNamelessFile);
  } else if (!write_text(job, name)) {
    return false;
  }
  const std::size_t begin = buffers_.arena.size();
  job.replacement = append_file_name(name, job);
  const bool safe = body::file_name_is_safe(job.replacement.in(buffers_.arena)) &&
                    (job.action->max_len == 0 || job.replacement.size() <= job.action->max_len);
  if (!safe) buffers_.arena.resize(begin);
  return safe;
}

body::Span ReplacementWriter::append_file_name(std::string_view name, const FieldJob& job) {
  const std::size_t begin = buffers_.arena.size();
  buffers_.arena.append(name);
  const std::string_view ending = body::known_ending(job.field.value.in(source_.text));
  if (!ending.empty()) buffers_.arena.append(".").append(ending);
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(buffers_.arena.size())};
}

// What cannot be transformed never leaves in clear; on-error may still let the request go without
// it.
std::optional<Refusal> ReplacementWriter::on_failure(FieldJob& job) {
  switch (job.action->on_error) {
    case policies::OnError::drop:
      if (job.carrier == Carrier::file_name) {
        job.treatment = Treatment::rename;
        job.replacement = append_file_name(kNamelessFile, job);
        return std::nullopt;
      }
      job.treatment = Treatment::remove;
      return std::nullopt;
    case policies::OnError::mask:
      if (job.carrier == Carrier::file_name) {
        job.replacement = append_file_name(kMask, job);
        return std::nullopt;
      }
      job.replacement.begin = static_cast<std::uint32_t>(buffers_.arena.size());
      if (!encode(job.carrier, kMask)) break;
      job.replacement.end = static_cast<std::uint32_t>(buffers_.arena.size());
      return std::nullopt;
    case policies::OnError::refuse:
    case policies::OnError::protect_raw:
      break;
  }
  return Refusal{Reason::transform_failed, job.action->name};
}

bool ReplacementWriter::encode(Carrier carrier, std::string_view text) {
  return append_for_carrier(carrier, text, source_.boundary, buffers_.arena);
}

bool ReplacementWriter::rebuild(std::size_t number) {
  const OpenedField& field = *buffers_.opened[number - 1];
  FieldJob& job = buffers_.jobs[field.job];
  const Carrier carrier = carrier_inside(field.plan->form.content);
  collect_edits_inside(buffers_, carrier, number);
  if (buffers_.field_edits.empty()) {
    job.treatment = Treatment::keep;
    return true;
  }
  const std::string_view inside = field.inside.in(field.text);
  std::vector<body::Edit>& edits = buffers_.inside_edits;
  edits.clear();
  if (carrier == Carrier::json) {
    body::json_edits(inside, buffers_.field_edits, edits);
  } else if (carrier == Carrier::query) {
    body::form_edits(inside, buffers_.field_edits, edits);
  } else {
    const body::FieldEdit& edit = buffers_.field_edits.front();
    edits.push_back({edit.field.whole, edit.remove ? body::Span{} : edit.replacement, {}});
  }
  ExchangeBuffers::wipe_used(buffers_.scratch);
  std::string& text = buffers_.scratch;
  text.append(field.text, 0, field.inside.begin);
  body::SplicedBytes(inside, edits, buffers_.arena).for_each_segment([&](std::string_view segment) {
    text.append(segment);
  });
  text.append(field.text, field.inside.end, std::string::npos);
  // Without the pair in front of it, a name's '?' would be the one that a query may begin with.
  if (field.plan->form.content == policies::Content::query && field.inside.begin == 0 &&
      text.starts_with('?')) {
    text.replace(0, 1, "%3F");
  }
  wrap(field, text, buffers_.value);
  job.replacement.begin = static_cast<std::uint32_t>(buffers_.arena.size());
  const bool ok = encode(job.carrier, text);
  if (!ok) buffers_.arena.resize(job.replacement.begin);
  job.replacement.end = static_cast<std::uint32_t>(buffers_.arena.size());
  return ok;
}

}  // namespace paravent::proxy
