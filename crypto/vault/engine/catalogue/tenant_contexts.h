// TenantContexts: whose context rows are whose. Of a token that somebody asks for, its key id is
// looked for among the rows of the asker's own tenant and nowhere else, so that a key id of another
// tenant and one that nobody has are the same thing: not here. Neither the other's row nor its keys
// are touched, not even to be compared, so they are not brought near for whoever measures.
//
// Whoever does not find a row gets a stand-in of its own tenant, so that what comes after takes the
// same steps over the same memory either way. Not thread safe; belongs to the catalogue.

#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "crypto/keys/algorithm.h"
#include "crypto/vault/engine/base/id.h"
#include "crypto/vault/engine/keys/key_record.h"

namespace paravent::crypto::vault {

class TenantContexts {
 public:
  struct Found {
    bool own = false;
    // Of the tenant's: the row of the key id, or else the newest of that algorithm; nullptr: it has
    // none of that algorithm.
    const ContextRecord* record = nullptr;
  };

  // `record` is borrowed, and must stay where it is.
  void add(const ContextRecord& record);
  void clear() noexcept { tenants_.clear(); }

  Found find(const Id& tenant, std::uint32_t key_id, Algorithm algorithm) const;

 private:
  struct Rows {
    std::vector<std::pair<std::uint32_t, const ContextRecord*>> by_key_id;  // ascending
    std::map<Algorithm, const ContextRecord*> stand_ins;
  };
  std::map<Id, Rows> tenants_;
};

}  // namespace paravent::crypto::vault
