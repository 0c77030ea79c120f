// Phase 5's question to the vault for one field.

#pragma once

#include "crypto/vault/api/messages.h"
#include "proxy/pipeline/exchange_buffers.h"
#include "proxy/pipeline/worker_state.h"

namespace paravent::proxy {

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

}  // namespace paravent::proxy
