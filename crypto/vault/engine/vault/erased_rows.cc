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

Status ErasedRows::prepare(const Renewal& /*renewal*/) {
  std::vector<Id> gone;
  for (const Id& subject : subjects_.erased()) {
    const auto rows = rows_of_person(store_, subject);
    if (!rows) return rows.error();
    gone.insert(gone.end(), rows->begin(), rows->end());
  }
  return gone.empty() ? Status() : store_.remove(gone);
}

}  // namespace paravent::crypto::vault
