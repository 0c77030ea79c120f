// What a Vault is made of. Private to vault.cc, bindings.cc, reverse.cc, key_admin.cc and
// retention_keeper.cc.

#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "crypto/vault/engine/catalogue/catalogue.h"
#include "crypto/vault/engine/rows/caching_token_store.h"
#include "crypto/vault/engine/rows/token_store.h"
#include "crypto/vault/engine/subjects/subject_renewal.h"
#include "crypto/vault/engine/vault/live_contexts.h"
#include "crypto/vault/engine/vault/live_renewal.h"
#include "crypto/vault/engine/vault/renewal_note.h"
#include "crypto/vault/engine/vault/resolver.h"
#include "crypto/vault/engine/vault/vault.h"

namespace paravent::crypto::vault {

// Whether something counts, or may come to count, from the last use for the purpose.
bool counts_from_use(const Catalogue& catalogue, const Id& purpose);

struct Vault::State {
  State(std::unique_ptr<Catalogue> c, std::unique_ptr<SubjectStore> s,
        std::unique_ptr<TokenStore> t, const Clock& k, VaultMemory m = {})
      : catalogue(std::move(c)),
        subjects(std::move(s)),
        tokens(std::make_unique<CachingTokenStore>(std::move(t), m.known)),
        clock(k),
        live_renewal(live),
        renewal(*subjects),
        note(*tokens),
        parts{&live_renewal, &renewal, &note},
        resolver(*tokens, *subjects, live, clock) {}

  std::mutex mutex;  // of the catalogue
  std::unique_ptr<Catalogue> catalogue;
  const Id installation = catalogue->installation();  // whoever only asks for it needs no lock
  std::unique_ptr<SubjectStore> subjects;
  std::unique_ptr<CachingTokenStore> tokens;
  const Clock& clock;
  LiveContextsCell live;
  LiveRenewal live_renewal;         // in front of the subject keys
  SubjectRenewal renewal;           // the subject keys' part in every destroy batch
  RenewalNote note;                 // for the next opening
  std::vector<RenewalPart*> parts;  // take part in every destroy batch
  // Erased people whose batch failed, or was not reached before a restart. Under `mutex`.
  bool renewal_failed = subjects->owes_renewal();
  std::uint64_t changes = 0;  // after which bindings must be asked for again

  // Takes what is out of use away from resolve(), at once. REQUIRES: `mutex` is held.
  void withdraw_keys();
  // The batch that takes what erased people left in older copies of the keys. REQUIRES: `mutex` is
  // held.
  Status renew_subjects();
  // That, where it is owed; else what a batch left to be done. REQUIRES: `mutex` is held.
  Status finish_renewal() {
    return subjects->owes_renewal() ? renew_subjects() : catalogue->settle_secret();
  }
  // Which uses of a token are noted, after a retention changed. REQUIRES: `mutex` is held.
  void renew_uses();
  // The tokens' indexes anew, after their versions changed. REQUIRES: `mutex` is held.
  void renew_index();
  Resolver resolver;  // last: its threads stop before anything they use is gone
};

}  // namespace paravent::crypto::vault
