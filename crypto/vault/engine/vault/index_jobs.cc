#include "crypto/vault/engine/vault/index_jobs.h"

#include <array>

#include "crypto/vault/engine/rows/row_sealer.h"
#include "crypto/vault/engine/vault/committer.h"

namespace paravent::crypto::vault {
namespace {

std::array<std::uint8_t, 2> length_prefix(std::size_t size) noexcept {
  return {static_cast<std::uint8_t>(size >> 8U), static_cast<std::uint8_t>(size)};
}

// A scope needs to know which relationship or request it is; person scope has none.
bool scope_agrees(const MintJob& job, const LiveToken& token) {
  if (job.scope != token.scope) return false;
  return job.scope == Scope::person || job.scope_id != ScopeId{};
}

}  // namespace

namespace {

IndexKey index_under(const HmacSha256& index, const LiveToken& token, const ScopeId& scope_id,
                     const Id& subject, std::string_view value) {
  const auto size = length_prefix(value.size());
  if (token.scope == Scope::person && !token.bound) return index.mac(size, as_bytes(value));
  const bool scoped = token.scope != Scope::person;
  const auto scope_size = length_prefix(scope_id.size());
  const auto subject_size = length_prefix(subject.size());
  const auto if_there = [](bool there, ByteView bytes) { return there ? bytes : ByteView(); };
  return index.mac({if_there(scoped, scope_size), if_there(scoped, scope_id),
                    if_there(token.bound, subject_size), if_there(token.bound, subject), size,
                    as_bytes(value)});
}

}  // namespace

IndexKey index_of(const LiveToken& token, const ScopeId& scope_id, const Id& subject,
                  std::string_view value) {
  return index_under(token.index, token, scope_id, subject, value);
}

IndexKey index_before(const LiveToken& token, const ScopeId& scope_id, const Id& subject,
                      std::string_view value) {
  return index_under(*token.before, token, scope_id, subject, value);
}

const LiveToken* token_of(const ResolveBatch& batch, const MintJob& job, const LiveContexts& live) {
  const auto token = live.tokens.find(job.key_id);
  if (token == live.tokens.end() || !live.seals.contains(job.seal_key_id)) return nullptr;
  if (!scope_agrees(job, *token->second) || !mintable(job.shape, job.length)) return nullptr;
  if (job.begin >= job.end || job.end > batch.values.size() ||
      job.end - job.begin > kMaxVaultValue) {
    return nullptr;
  }
  return token->second.get();
}

bool index_jobs(PendingBatch& pending, const LiveContexts& live) {
  const ResolveBatch& batch = *pending.batch;
  const Id subject = pending.subject ? pending.subject->id : kNoId;
  pending.index.clear();
  pending.index.reserve(batch.jobs.size());
  pending.before.clear();
  pending.index_generation = live.index_generation;
  for (const MintJob& job : batch.jobs) {
    const LiveToken* token = token_of(batch, job, live);
    if (token == nullptr) return false;
    if (token->bound && (subject == kNoId || !batch.subject->needs_key)) return false;
    pending.index.push_back(index_of(*token, job.scope_id, subject, batch.value(job)));
    if (!token->before) continue;
    pending.before.resize(batch.jobs.size());
    pending.before[pending.index.size() - 1] =
        index_before(*token, job.scope_id, subject, batch.value(job));
  }
  return true;
}

}  // namespace paravent::crypto::vault
