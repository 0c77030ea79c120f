// ErasedRows: an erasure ends a person's keys first, so that nothing of theirs opens from then on,
// and their rows after that. Where it was broken off in between, this part of a destroy batch
// removes the rows before the batch writes the subject keys anew, whose file is the last thing that
// names who was erased. Comes before the subject keys.

#pragma once

#include <span>
#include <vector>

#include "crypto/vault/engine/keys/key_renewal.h"
#include "crypto/vault/engine/rows/token_store.h"
#include "crypto/vault/engine/subjects/subject_store.h"

namespace paravent::crypto::vault {

// Ids of all rows that are there of this person. Fails as TokenStore::by_subject.
Result<std::vector<Id>> rows_of_person(TokenStore& store, const Id& subject);

class ErasedRows final : public RenewalPart {
 public:
  // Both must outlive it.
  ErasedRows(SubjectStore& subjects, TokenStore& store) noexcept
      : subjects_(subjects), store_(store) {}

  Status prepare(const Renewal& renewal) override;
  void finish(std::uint32_t /*number*/) override {}
  void cancel() override {}

 private:
  SubjectStore& subjects_;
  TokenStore& store_;
};

}  // namespace paravent::crypto::vault
