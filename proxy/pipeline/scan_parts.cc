// The scanner on bodies with files: which parts may come where, and what becomes of a file's name.

#include <algorithm>

#include "crypto/base/encoding.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/random.h"
#include "crypto/tokens/file_encryptor.h"
#include "proxy/body/multipart.h"
#include "proxy/pipeline/field_visitors.h"
#include "proxy/pipeline/request_scanner.h"

namespace paravent::proxy {

using policies::ActionKind;
using policies::Carrier;
using policies::FieldAction;

std::optional<Refusal> RequestScanner::scan_parts(
    std::string_view text, std::span<const body::MultipartStream::Part> parts, bool first,
    body::JsonScanners& json_scanners) {
  json_scanners_ = &json_scanners;
  streamed_ = true;
  FlatFieldVisitor visitor(*this, Carrier::multipart, text);
  for (const body::MultipartStream::Part& part : parts) {
    const std::string_view name = part.name.in(text);
    const FieldAction* action = find(Carrier::multipart, name);
    if (!first && !part.field.is_file &&
        !may_come_late(action != nullptr ? *action : route_.unlisted_action)) {
      return Refusal{Reason::late_field,
                     action != nullptr ? action->name : route_.unlisted_action.name};
    }
    if (!visitor.on_field(name, part.field)) return refusal_;
  }
  // Of the head too: it is part of the first piece.
  const bool scoped =
      scoped_ || std::any_of(buffers_.jobs.begin(), buffers_.jobs.end(), [](const FieldJob& job) {
        return job.action->scope != crypto::Scope::person;
      });
  return scoped ? assign_scopes() : std::nullopt;
}

// Behind a streamed file: what is kept, dropped or refused in any case; what is protected, where
// the route says so; and never what others are protected by.
bool RequestScanner::may_come_late(const FieldAction& action) const {
  if (action.is_subject || action.delimits || action.subject_bound) return false;
  const bool plain = action.action == ActionKind::keep || action.action == ActionKind::drop ||
                     action.action == ActionKind::refuse;
  return route_.any_order || (plain && !action.required);
}

// What is protected of a content is the key that its bytes are encrypted with (upload.cc).
bool RequestScanner::take_file_key(const FieldAction& action) {
  crypto::SecretBytes key(crypto::kFileKeySize);
  crypto::random_bytes(key.mutable_bytes());
  FieldJob job;
  job.action = &action;
  job.carrier = Carrier::file_content;
  job.treatment = Treatment::derive;
  job.clear.begin = static_cast<std::uint32_t>(buffers_.clear.size());
  crypto::append_hex(buffers_.clear, key.bytes());
  job.clear.end = static_cast<std::uint32_t>(buffers_.clear.size());
  return add(job);
}

// A file: whether it goes on, and under which name. Its content is nobody's business here.
bool RequestScanner::take_file(std::string_view name, const body::Field& field,
                               std::string_view text, const FieldAction& action) {
  const policies::FilePlan& file = *action.file;
  if (observer_ != nullptr) {
    observer_->on_field(full_name(Carrier::multipart, name), {}, true, &action);
  }
  // An empty name over contents: some take it for a file, others for a field.
  if (field.file_name.size() == 0) return refuse(Reason::unsupported_type, action.name);
  if (file.rule.action.value == policies::FileAction::refuse) {
    return refuse(Reason::refused_field, action.name);
  }
  // A body that is held has no way to do this with its files, but explain may say what would be.
  if (!streamed_ && observer_ == nullptr && file.goes_on() && !file.is_untouched()) {
    return refuse(Reason::unsupported_type, action.name);
  }
  // Mail programs write the name there too, and readers of mail look for it.
  if (file.goes_on() && !policies::is_keep(*chosen(file.name)) &&
      body::multipart_type_names_file(text, field)) {
    return refuse(Reason::unsupported_type, action.name);
  }
  if (action.required) buffers_.required_seen[action.required_index] = 1;
  FieldJob job;
  job.action = &action;
  job.carrier = Carrier::multipart;
  job.field = field;
  // Streamed, the head is left out with its content and not by an edit (upload.cc).
  if (!file.goes_on() && !streamed_) job.treatment = Treatment::remove;
  if (!add(job)) return false;
  if (!file.goes_on()) return true;
  if (file.encrypts() && !take_file_key(*chosen(file.content))) return false;

  const std::size_t jobs = buffers_.jobs.size();
  body::Field file_name;
  file_name.value = file_name.whole = field.file_name;
  const std::string_view clear = field.file_name.in(text);
  outer_ = &action;
  const bool ok = take(Carrier::file_name, policies::carrier_name(Carrier::file_name), 0, file_name,
                       clear, chosen(file.name));
  outer_ = nullptr;
  if (!ok) return false;
  FieldJob& named = buffers_.jobs[jobs];
  if (named.treatment == Treatment::remove) named.treatment = Treatment::rename;
  return true;
}

}  // namespace paravent::proxy
