// The rows of people who were erased. An erasure ends their keys first, so that nothing of theirs
// opens from then on, and removes their rows behind that; the subject store names everybody of whom
// it was broken off in between, or failed. Thread safe; nobody can add a row to somebody who is
// erased, so no lock is needed.

#pragma once

#include <vector>

#include "crypto/vault/engine/rows/token_store.h"
#include "crypto/vault/engine/subjects/subject_store.h"

namespace paravent::crypto::vault {

// Ids of all rows that are there of this person. Fails as TokenStore::by_subject.
Result<std::vector<Id>> rows_of_person(TokenStore& store, const Id& subject);

// Of everybody whom subjects.erased() names; then it names nobody of them any more. Fails as
// TokenStore::remove: they are named still.
Status remove_rows_of_erased(SubjectStore& subjects, TokenStore& store);

}  // namespace paravent::crypto::vault
