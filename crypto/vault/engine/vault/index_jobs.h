// The blind index values of a batch's jobs (constructions 4.1): what tells values apart, without
// being one.
//
//   index = HMAC(prf.index, LP(ctx) | [LP(relationship or request)] | [LP(subject)] | LP(value))
// The subject's id is there where the token's values are a subject's each; ctx says which of the
// parts there are. Pure functions.

#pragma once

#include <string_view>

#include "crypto/vault/api/messages.h"
#include "crypto/vault/engine/base/id.h"
#include "crypto/vault/engine/rows/token_store.h"
#include "crypto/vault/engine/vault/live_contexts.h"

namespace paravent::crypto::vault {

struct PendingBatch;

// The context of a job's token; nullptr when it names one that is not bound, a scope or shape that
// it cannot have, or a value that no row can hold.
const LiveToken* token_of(const ResolveBatch& batch, const MintJob& job, const LiveContexts& live);

// REQUIRES: scope_id and subject are there where the token has them.
IndexKey index_of(const LiveToken& token, const ScopeId& scope_id, const Id& subject,
                  std::string_view value);

// The same under the version before. REQUIRES: token.before.
IndexKey index_before(const LiveToken& token, const ScopeId& scope_id, const Id& subject,
                      std::string_view value);

// Fills in pending.index, pending.before and pending.index_generation. False when a job names a
// context that is not bound, a scope or shape that it cannot have, a subject that nobody asked for,
// or a value that no row can hold. REQUIRES: the batch's subject, if it has one, is settled.
bool index_jobs(PendingBatch& pending, const LiveContexts& live);

}  // namespace paravent::crypto::vault
