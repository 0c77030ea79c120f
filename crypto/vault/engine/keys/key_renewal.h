// Renewal: one destroy batch as everything that holds wrapped keys goes through it (constructions
// 4.11). The keys that go are left out, and the inner wrap of every key that stays is made anew
// under a new shred secret; then the old secret is erased, and no older copy of the keys opens any
// more. A rotation of a tenant's or domain's key is such a batch in which nothing goes: what hung
// on the old version hangs on the new one afterwards.
//
// Order, each step durable before the next; the key store's change is the one point that decides:
//   1 the new secret, beside the old one                     (shred-secret.next)
//   2 every part prepares its keys under the new secret      beside what is in force
//   3 the key store changes: keys gone, others re-wrapped, the new secret's number
//   4 every part puts what it prepared in force
//   5 the old secret is overwritten and unlinked, the new one takes its name
// Interrupted before 3, the next opening undoes 1 and 2; after 3, it goes on with 4 and 5. Either
// way all keys of one of the two states open, and nothing of both.

#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "crypto/base/result.h"
#include "crypto/vault/engine/base/id.h"
#include "crypto/vault/engine/keys/shred_secret.h"

namespace paravent::crypto::vault {

class KeyTree;

struct Renewal {
  const KeyTree& tree;            // still as it was: wrapping_key_under() opens parents
  const std::set<Id>& gone;       // keys of the tree that are destroyed, with everything under them
  const std::map<Id, Id>& moved;  // parents that gave way to others: their children go there
  const ShredSecret& from;
  const ShredSecret& to;
};

// Another store of wrapped keys that hang on the tree. It knows itself which of its own keys go; a
// key whose parent is in `gone` goes with it. Called under the vault's lock, in the order above.
class RenewalPart {
 public:
  virtual ~RenewalPart() = default;
  // Step 2: everything that survives, wrapped under `to`, verified and durable beside what is in
  // force. An error undoes the whole batch.
  virtual Status prepare(const Renewal& renewal) = 0;
  // Step 4. Cannot fail but by ending the process: the batch has happened. Repeated after a crash,
  // by the part's own opening, when the key store names the number that was prepared.
  virtual void finish(std::uint32_t number) = 0;
  // The batch did not happen: forgets what was prepared. Also what its opening does with a prepared
  // number that is not the key store's.
  virtual void cancel() = 0;
};

}  // namespace paravent::crypto::vault
