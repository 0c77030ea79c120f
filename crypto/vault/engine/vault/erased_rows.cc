#include "crypto/vault/engine/vault/erased_rows.h"

#include <optional>
#include <string>

#include "crypto/vault/engine/vault/subject_desk.h"

namespace paravent::crypto::vault {

Result<std::vector<Id>> rows_of_person(TokenStore& store, const Id& subject) {
  auto ids = store.by_subject(row_owner(subject));
  if (!ids || ids->empty()) return ids;
  // What was removed before, and is not forgotten yet, is listed still.
  std::vector<std::optional<std::string>> facts(ids->size());
  if (auto s = store.facts(*ids, facts); !s) return s.error();
  std::vector<Id> rows;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    if (facts[i]) rows.push_back((*ids)[i]);
  }
  return rows;
}

Status remove_rows_of_erased(SubjectStore& subjects, TokenStore& store) {
  const std::vector<Id> erased = subjects.erased();
  std::vector<Id> gone;
  for (const Id& subject : erased) {
    const auto rows = rows_of_person(store, subject);
    if (!rows) return rows.error();
    gone.insert(gone.end(), rows->begin(), rows->end());
  }
  if (!gone.empty()) {
    if (auto s = store.remove(gone); !s) return s;
  }
  subjects.rows_are_gone(erased);
  return {};
}

}  // namespace paravent::crypto::vault
