// TokenStore: the rows behind vault tokens and the blind index that finds them again. It sees ids,
// keyed index values and sealed rows, never a clear value and never a key.
//
// Every call is batched. What find() and resolve() show is durable: a row appears only after its
// write has reached the disk. Thread safe. A failure is ErrorKind::disk_full (nothing more can be
// written), data (altered) or unreachable; after a failed commit nothing of it has happened.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/vault/engine/id.h"

namespace paravent::crypto::vault {

using IndexKey = std::array<std::uint8_t, 32>;

struct FoundRow {
  Id id{};
  std::string row;  // encoded, see token_row.h
};

struct NewRow {
  IndexKey index{};
  Id id{};  // in: the candidate; out: the id that holds this index, ours or the one found
  std::string row;
  std::optional<SubjectReference> subject;
  bool created = false;  // out
};

struct ChangedRow {
  Id id{};
  std::string row;
};

class TokenStore {
 public:
  virtual ~TokenStore() = default;

  // By blind index. REQUIRES: out.size() == keys.size(). An index entry without a row counts as
  // absent.
  virtual Status find(std::span<const IndexKey> keys, std::span<std::optional<FoundRow>> out) = 0;

  // By id. REQUIRES: out.size() == ids.size().
  virtual Status resolve(std::span<const Id> ids, std::span<std::optional<std::string>> out) = 0;

  // Get-or-create of all of `create`, and replacement of all of `change`, in one atomic and durable
  // step. Of several candidates with one index the first wins.
  virtual Status commit(std::span<NewRow> create, std::span<const ChangedRow> change) = 0;

  // Ids of all rows of one person, ascending.
  virtual Result<std::vector<Id>> by_subject(const SubjectReference& subject) = 0;

  // Removes rows with their index entries and subject entries. Durable. Walks the whole index once
  // per call, because a row does not hold its index value (a copy of the rows must not confirm
  // guesses).
  virtual Status expire(std::span<const Id> ids) = 0;
};

}  // namespace paravent::crypto::vault
