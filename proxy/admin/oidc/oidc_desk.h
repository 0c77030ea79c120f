// OidcDesk: whether a bearer credential is a JWT that one of our issuers signed for us, and who it
// speaks of. What that subject may do is the policy's (policies/access/access_rules.h).
//
// Thread safe. It never waits for anything: keys come from outside
// (proxy/main/keepers/oidc_keeper.h) and the last good set stays in use until it is too old. A
// credential that names an unknown key asks for a look at the issuer's set, which the keeper does
// when it is due and not for each asker.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/clock.h"
#include "proxy/admin/oidc/jwks.h"
#include "proxy/admin/oidc/jwt.h"

namespace paravent::proxy::admin {

struct OidcIssuer {
  std::string name;  // ours, in operators' names and policies
  JwtTerms terms;
  std::chrono::seconds most_age{24 * 3600};  // of a set of keys that cannot be renewed
};

// Who a credential speaks of, proved.
struct OidcIdentity {
  std::string issuer;  // our name of it
  std::string subject;
  JsonMembers claims;
};

// For /metrics and listings.
struct OidcIssuerState {
  std::string name;
  std::string issuer;
  std::size_t keys = 0;      // 0: none yet
  std::size_t unusable = 0;  // in the latest set
  std::optional<std::chrono::seconds> age;
  bool stale = false;  // too old to be used
  std::uint64_t failures = 0;
};

class OidcDesk {
 public:
  // `clock`: for the age of keys; must outlive it.
  OidcDesk(std::vector<OidcIssuer> issuers, const crypto::MonotonicClock& clock);

  // nullopt for whatever is wrong: there is one answer to all of it.
  std::optional<OidcIdentity> verify(std::string_view credential, crypto::WallTime now);

  const std::vector<OidcIssuer>& issuers() const noexcept { return issuers_; }
  std::vector<OidcIssuerState> states() const;
  // Those in use; none before the first set, and of one that is too old.
  KeyNames key_names(std::size_t issuer) const;
  // Until the set is too old to be used; below zero: it is. nullopt: there is none yet.
  std::optional<std::chrono::nanoseconds> usable_for(std::size_t issuer) const;

  // The keeper's side. `issuer`: its place in issuers().
  void use_keys(std::size_t issuer, std::shared_ptr<const KeySet> keys);
  void count_failure(std::size_t issuer);
  // Called, on the thread of an asker, when a credential names a key that is not in the set. Must
  // neither block nor call the desk. {} ends it: afterwards it is not called any more.
  void on_unknown_key(std::function<void(std::size_t issuer)> wish);

 private:
  struct Held {
    std::shared_ptr<const KeySet> keys;
    crypto::MonotonicTime since;
    std::uint64_t failures = 0;
  };
  std::shared_ptr<const KeySet> keys_of(std::size_t issuer) const;
  void wish_for(std::size_t issuer);

  std::vector<OidcIssuer> issuers_;
  const crypto::MonotonicClock& clock_;
  mutable std::mutex mutex_;  // guards what follows
  std::vector<Held> held_;
  std::function<void(std::size_t)> wish_;
};

// "oidc:ISSUER/SUBJECT": how such an operator is named everywhere, on the record too.
std::string oidc_operator_name(std::string_view issuer, std::string_view subject);

// A bearer credential that looks like a JWT: ours hold no dot. nullopt: the header has another form
// or the credential is none of that kind.
std::optional<std::string_view> bearer_jwt(std::string_view header);

}  // namespace paravent::proxy::admin
