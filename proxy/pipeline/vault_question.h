// Phase 5's questions to the vault: one for each field that is minted, and one for the person.

#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>

#include "crypto/tokens/token_text.h"
#include "crypto/vault/api/messages.h"
#include "policies/plan/route_plan.h"
#include "proxy/pipeline/exchange_buffers.h"
#include "proxy/pipeline/refusal.h"
#include "proxy/pipeline/worker_state.h"

namespace paravent::proxy {

// The normal form of what tells the person; empty where the route does not ask, or where nothing
// was sent, nothing that can be read, or two different things: then nobody knows.
inline std::string_view known_subject(const policies::RoutePlan& route,
                                      const ExchangeBuffers& buffers) {
  if (route.subject_slot == policies::kNoSlot || !buffers.subject || buffers.several_subjects ||
      buffers.invalid_subject) {
    return {};
  }
  const std::string_view person = buffers.subject->in(buffers.clear);
  return person.size() <= crypto::vault::kMaxSubjectValue ? person : std::string_view();
}

// Whether something in the request will lie under the person's key.
inline bool needs_subject_key(const policies::RoutePlan& route, const ExchangeBuffers& buffers) {
  if (route.subject_slot == policies::kNoSlot) return false;
  return std::any_of(buffers.jobs.begin(), buffers.jobs.end(), [](const FieldJob& job) {
    return job.action->subject_bound &&
           (job.treatment == Treatment::derive || job.treatment == Treatment::mint);
  });
}

// Adds the job's value to the batch and notes the answer's place in the job. REQUIRES:
// Treatment::mint.
inline void append_question(const Snapshot& snapshot, FieldJob& job, const ExchangeBuffers& buffers,
                            crypto::vault::ResolveBatch& batch) {
  crypto::vault::MintJob question;
  question.key_id = snapshot.key_id(job.action->slot);
  question.seal_key_id = snapshot.seal_key_ids[job.action->slot];
  question.kind = job.action->kind;
  question.scope = job.action->scope;
  question.scope_id = job.scope_id;
  question.shape = job.action->shape;
  question.length = job.action->shape_length;
  question.begin = static_cast<std::uint32_t>(batch.values.size());
  batch.values.append(job.clear.in(buffers.clear));
  question.end = static_cast<std::uint32_t>(batch.values.size());
  job.vault_job = static_cast<std::uint32_t>(batch.jobs.size());
  batch.jobs.push_back(question);
}

// Adds the token that came back. REQUIRES: Treatment::confirm.
inline void append_confirmation(const Snapshot& snapshot, FieldJob& job,
                                const ExchangeBuffers& buffers,
                                crypto::vault::ResolveBatch& batch) {
  crypto::vault::ConfirmJob question;
  question.key_id = snapshot.key_id(job.action->slot);
  if (const auto token = crypto::parse_token(job.clear.in(buffers.clear));
      token && token->payload.size() == question.id.size()) {
    question.token_key_id = token->key_id;
    std::copy(token->payload.begin(), token->payload.end(), question.id.begin());
  }
  job.vault_job = static_cast<std::uint32_t>(batch.confirms.size());
  batch.confirms.push_back(question);
}

// The refusal where a token that came back is none of the field's. REQUIRES: `batch` is answered.
inline std::optional<Refusal> refuse_unconfirmed(const ExchangeBuffers& buffers,
                                                 const crypto::vault::ResolveBatch& batch) {
  for (const FieldJob& job : buffers.jobs) {
    if (job.treatment != Treatment::confirm || batch.confirms[job.vault_job].known) continue;
    return Refusal{Reason::own_token, job.action->name};
  }
  return std::nullopt;
}

// Adds all questions about the fields of a request.
inline void append_questions(const Snapshot& snapshot, ExchangeBuffers& buffers,
                             crypto::vault::ResolveBatch& batch) {
  for (FieldJob& job : buffers.jobs) {
    if (job.treatment == Treatment::mint) append_question(snapshot, job, buffers, batch);
    if (job.treatment == Treatment::confirm) append_confirmation(snapshot, job, buffers, batch);
  }
}

// Whose request this is, where the route says so: asked as soon as a value tells the person, or
// something will lie under the person's key. REQUIRES: nothing is asked yet.
inline void append_subject_question(const Snapshot& snapshot, const policies::RoutePlan& route,
                                    const ExchangeBuffers& buffers,
                                    crypto::vault::ResolveBatch& batch) {
  const std::string_view person = known_subject(route, buffers);
  const bool needs_key = needs_subject_key(route, buffers);
  if (person.empty() && !needs_key) return;
  crypto::vault::SubjectQuestion& question = batch.subject.emplace();
  question.key_id = snapshot.key_id(route.subject_slot);
  question.needs_key = needs_key;
  question.stop_if_objected = route.stop_objected;
  question.begin = static_cast<std::uint32_t>(batch.values.size());
  batch.values.append(person);
  question.end = static_cast<std::uint32_t>(batch.values.size());
}

// Everything that has to be asked about the jobs in the buffers; null: nothing. `about_person`:
// also whose request this is, where the route wants to know.
inline std::shared_ptr<crypto::vault::ResolveBatch> questions_of(const Snapshot& snapshot,
                                                                 const policies::RoutePlan& route,
                                                                 bool about_person,
                                                                 ExchangeBuffers& buffers) {
  // Nothing more for routes that do not say whose data this is.
  const bool about_somebody = about_person && route.subject_slot != policies::kNoSlot;
  std::size_t value_bytes = about_somebody ? known_subject(route, buffers).size() : 0;
  const bool needs_key = about_somebody && needs_subject_key(route, buffers);
  bool confirms = false;
  for (const FieldJob& job : buffers.jobs) {
    if (job.treatment == Treatment::mint) value_bytes += job.clear.size();
    confirms = confirms || job.treatment == Treatment::confirm;
  }
  // Nothing to mint: normalised values are never empty.
  if (value_bytes == 0 && !needs_key && !confirms) return nullptr;

  auto batch = std::make_shared<crypto::vault::ResolveBatch>();
  batch->values.reserve(value_bytes);  // growing would leave copies behind that nobody wipes
  if (about_somebody) append_subject_question(snapshot, route, buffers, *batch);
  append_questions(snapshot, buffers, *batch);
  return batch;
}

}  // namespace paravent::proxy
