// RowOpener: the values behind many stored rows, for what the vault does to its rows by itself:
// making the blind index anew, moving it to another version, sealing rows under newer keys.
//
// Keeps the keys that it needed, so it lives no longer than the lock of the catalogue under which
// it was made. What it opens goes nowhere but back into the store. Private to this room.

#pragma once

#include <map>
#include <memory>
#include <optional>

#include "crypto/base/secret_bytes.h"
#include "crypto/keys/protection_key.h"
#include "crypto/tokens/subject_layer.h"
#include "crypto/vault/engine/catalogue/catalogue.h"
#include "crypto/vault/engine/rows/bound_row.h"
#include "crypto/vault/engine/rows/token_row.h"
#include "crypto/vault/engine/rows/token_store.h"
#include "crypto/vault/engine/subjects/subject_store.h"
#include "crypto/vault/engine/vault/live_contexts.h"

namespace paravent::crypto::vault {

class RowOpener {
 public:
  // Both must outlive it. REQUIRES: the catalogue's lock is held while it is used.
  RowOpener(const Catalogue& catalogue, const SubjectStore& subjects)
      : catalogue_(catalogue), subjects_(subjects) {}

  // Of an opened row: all that its index and a new seal are made of.
  struct Opened {
    SecretBytes value;
    ScopeId relationship{};
    Id subject{};         // of bound rows: whose value it is
    SubjectSeal owner{};  // of bound rows: the subject key that the copy was under
  };

  // unknown: the key store has no such context, because it is older than the row.
  enum class Fault : std::uint8_t { none, unreadable, unknown };

  // Of rows of both schemas: the token's context; nullptr with the fault.
  const ContextRecord* context_of(const FoundRow& found, Fault& fault) const;
  // Of a row that does not open: what is missing of the keys it lies under. context: one that these
  // keys have never heard of. person: a person's key, of which they have never heard or which they
  // have destroyed, as they do without a trace; and no copy is closed by a key that they do know.
  enum class Missing : std::uint8_t { nothing, context, person };
  Missing missing(const FoundRow& found);
  // Whether every key that the row lies under is destroyed.
  bool is_dead(const FoundRow& found) const;

  std::optional<Opened> open(const TokenRowView& view, const Id& id);
  std::optional<Opened> open(const BoundRow& row, const BoundCopy& copy, const Id& id);
  // Any copy that opens; of a bound row they all hold the same value.
  std::optional<Opened> open(const FoundRow& found);

  // The blind index of the row's context; nullptr: there is none (request scope), or its domain's
  // key does not open.
  const LiveToken* token_of(std::uint32_t key_id);

 private:
  const ProtectionKey* key_of(std::uint32_t seal_key_id);
  bool lacks_person(const BoundRow& row, const Id& id);
  bool is_destroyed_seal(std::uint32_t seal_key_id) const;

  const Catalogue& catalogue_;
  const SubjectStore& subjects_;
  std::map<std::uint32_t, std::shared_ptr<const LiveToken>> tokens_;
  std::map<std::uint32_t, std::unique_ptr<const ProtectionKey>> keys_;
};

}  // namespace paravent::crypto::vault
