// The protector on bodies with files: a stretch of fields of a streamed one, and the names of
// files.

#include <algorithm>
#include <cstdlib>

#include "proxy/body/file_ending.h"
#include "proxy/body/multipart.h"
#include "proxy/pipeline/request_protector.h"

namespace paravent::proxy {

using policies::Carrier;
using policies::RouteMode;

std::optional<Refusal> RequestProtector::protect_piece(
    const BodyPlan& plan, std::string_view text, bool first, const FieldTools& tools,
    const crypto::vault::ResolveBatch* resolved) {
  if (route_.mode != RouteMode::protect) std::abort();
  boundary_ = plan.boundary;
  text_ = text;
  if (first) write_address_pseudonym(tools.protector);
  if (auto refusal = protect_jobs(tools, resolved)) return refusal;
  if (first) collect_target();
  collect_parts();
  return std::nullopt;
}

ProtectedRequest RequestProtector::begin_upload(std::optional<std::uint64_t> length,
                                                ProtectedPiece piece) {
  end_head(length);
  ProtectedRequest request;
  request.streamed_ = true;
  request.piece_ = piece;
  finish(request);
  return request;
}

// Names of files lie in the heads of parts, between the values.
void RequestProtector::collect_parts() {
  collect_edits(Carrier::multipart, 0);
  body::multipart_edits(text_, buffers_.field_edits, buffers_.body_edits);
  const std::size_t others = buffers_.body_edits.size();
  for (const FieldJob& job : buffers_.jobs) {
    if (job.carrier != Carrier::file_name || job.treatment == Treatment::keep) continue;
    buffers_.body_edits.push_back({job.field.value, job.replacement, {}});
  }
  if (others == 0 || others == buffers_.body_edits.size()) return;
  std::inplace_merge(
      buffers_.body_edits.begin(),
      buffers_.body_edits.begin() + static_cast<std::ptrdiff_t>(others), buffers_.body_edits.end(),
      [](const body::Edit& a, const body::Edit& b) { return a.at.begin < b.at.begin; });
}

// A file's name: what the rule makes of it, and its ending, which applications tell its type by,
// where that says nothing else.
bool RequestProtector::write_file_name(FieldJob& job, const FieldTools& tools,
                                       const crypto::vault::ResolveBatch* resolved) {
  ExchangeBuffers::wipe_used(buffers_.scratch);
  std::string& name = buffers_.scratch;
  if (job.treatment == Treatment::rename) {
    name.append(kNamelessFile);
  } else if (job.treatment == Treatment::derive || job.treatment == Treatment::mint) {
    if (!write_keyed(job, tools.protector, resolved, name)) return false;
  } else if (is_keyed(job.action->action)) {
    name.append(kMask);  // on-error: mask, decided when normalisation failed
  } else {
    const std::string_view value = job.clear.in(buffers_.clear);
    if (!tools.transforms.apply(*job.action, value, tools.clock, name)) return false;
  }
  const std::size_t begin = buffers_.arena.size();
  job.replacement = append_file_name(name, job);
  const bool safe = body::file_name_is_safe(job.replacement.in(buffers_.arena)) &&
                    (job.action->max_len == 0 || job.replacement.size() <= job.action->max_len);
  if (!safe) buffers_.arena.resize(begin);
  return safe;
}

body::Span RequestProtector::append_file_name(std::string_view name, const FieldJob& job) {
  const std::size_t begin = buffers_.arena.size();
  buffers_.arena.append(name);
  const std::string_view ending = body::known_ending(job.field.value.in(text_));
  if (!ending.empty()) buffers_.arena.append(".").append(ending);
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(buffers_.arena.size())};
}

}  // namespace paravent::proxy
