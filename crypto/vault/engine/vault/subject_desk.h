// SubjectDesk: answers the questions about data subjects that requests ask (api/messages.h): who it
// is, what the person has asked of us, and the key that this request's values lie under. What is
// missing is made: durable before the answer.
//
// Looking takes no writers' lock and waits for no disk; settling is the commit thread's. Days are
// UTC.

#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/vault/api/messages.h"
#include "crypto/vault/engine/subjects/subject_store.h"
#include "crypto/vault/engine/vault/live_contexts.h"

namespace paravent::crypto::vault {

// HMAC(key, LP(kind) | LP(normalised value)); `key` is the tenant's prf.subject.
SubjectReference subject_reference(const HmacSha256& key, Kind kind, std::string_view value);

// Under what the token store lists the rows of a subject: its id, and nothing made of the person's
// data, so that a copy of the rows confirms no guess.
SubjectReference row_owner(const Id& subject);

// What the vault notes about one batch's subject on the way.
struct PendingSubject {
  Id id{};  // kNoId: not known yet
  SubjectReference reference{};
  bool identified = false;
  bool settled = false;  // the answers are there, and nothing has to be written for them
  bool stopped = false;  // objected, and the question said to stop
  bool failed = false;
};

class SubjectDesk {
 public:
  explicit SubjectDesk(SubjectStore& store) : store_(store) {}

  // Answers as far as no write is needed. failed: the question names no binding, or contradicts
  // itself. REQUIRES: batch.subject.
  PendingSubject look(ResolveBatch& batch, const LiveContexts& live, std::uint32_t today) const;

  // Answers for good; makes subjects and keys that are missing, notes contacts, all in one durable
  // step. A batch whose answer depends on a write that did not succeed is failed. `wrote`: there
  // was something to write, and it was. REQUIRES: the caller holds the store's writers' lock.
  struct Asking {
    ResolveBatch* batch = nullptr;
    PendingSubject* subject = nullptr;
  };
  Status settle(std::span<const Asking> asking, const LiveContexts& live, WallTime now,
                bool& wrote);

 private:
  struct Round;
  bool answer(SubjectQuestion& question, const SubjectKeyMade& made,
              const LiveContexts& live) const;

  SubjectStore& store_;
};

}  // namespace paravent::crypto::vault
