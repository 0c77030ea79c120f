// TokenStore: the rows behind vault tokens, the blind index that finds them again by value, and the
// aliases that find them by shaped text. It sees ids, keyed hashes and sealed rows, never a clear
// value, never a text and never a key.
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
using AliasKey = std::array<std::uint8_t, 32>;  // of a shaped text, see shape_key.h

struct FoundRow {
  Id id{};
  std::string row;  // encoded, see token_row.h
};

struct NewRow {
  std::optional<IndexKey> index;  // none: a row that nothing finds again but its id
  Id id{};  // in: the candidate; out: the id that holds this index, ours or the one found
  std::string row;
  std::optional<SubjectReference> subject;
  bool created = false;  // out
};

struct ChangedRow {
  Id id{};
  std::string row;
};

struct NewAlias {
  AliasKey alias{};
  Id id{};      // of a row that is there, or is created in the same commit
  Id holder{};  // out: whose it is now; kNoId: nobody's, because the row was not created, or
                // retired
};

class TokenStore {
 public:
  virtual ~TokenStore() = default;

  // By blind index. REQUIRES: out.size() == keys.size(). An index entry without a row counts as
  // absent.
  virtual Status find(std::span<const IndexKey> keys, std::span<std::optional<FoundRow>> out) = 0;

  // By id. REQUIRES: out.size() == ids.size().
  virtual Status resolve(std::span<const Id> ids, std::span<std::optional<std::string>> out) = 0;

  // By shaped text. kNoId: retired, the row is gone and the text is never given again. REQUIRES:
  // out.size() == keys.size().
  virtual Status find_aliases(std::span<const AliasKey> keys, std::span<std::optional<Id>> out) = 0;

  // Get-or-create of all of `create` and of all of `aliases`, and replacement of all of `change`,
  // in one atomic and durable step. Of several candidates with one index or alias the first wins. A
  // row that was not created takes none of the aliases that were asked for its candidate.
  virtual Status commit(std::span<NewRow> create, std::span<const ChangedRow> change,
                        std::span<NewAlias> aliases) = 0;

  // Ids of all rows of one person, ascending.
  virtual Result<std::vector<Id>> by_subject(const SubjectReference& subject) = 0;

  // Removes rows with their index entries and subject entries, and retires their aliases: a text
  // that once named a person must not come to name another. Durable. Walks the whole index once per
  // call, because a row does not hold its index value (a copy of the rows must not confirm
  // guesses).
  virtual Status expire(std::span<const Id> ids) = 0;
};

}  // namespace paravent::crypto::vault
