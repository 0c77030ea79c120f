// AccessRules: what the policies say about re-identification, compiled for decisions. Deny by
// default: a role sees a value of a purpose only where the policy names it for the phase the value
// is in.
//
// Immutable, thread safe. Decides from descriptions alone: no value, no key, no ticket. The tickets
// are AccessPolicy's (access_policy.h).

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/vault/api/messages.h"
#include "crypto/vault/engine/reverse/reverse.h"
#include "policies/access/open_hours.h"
#include "policies/model/policy.h"

namespace paravent::policies {

// A policy and the tenant that the store knows its name as. The policy is only read while
// compiling.
struct TenantPolicy {
  crypto::vault::Id tenant{};
  const Policy* policy = nullptr;
};

// Where a value is in the life that its purpose gives it.
enum class Phase : std::uint8_t { active, archived, expired };

// `clock` of the purpose: collection or last contact as the retention says. Under contract-end and
// case-closed a value stays active until the event is recorded. Of a subject that nobody can find
// again everything counts from collection. Without a retention: active.
Phase phase_of(const Purpose& purpose, const crypto::vault::PurposeClock& clock,
               crypto::WallTime now);

enum class Verdict : std::uint8_t {
  allowed,
  barred,       // this role may not ask for this purpose at all, whatever the token (403)
  refused,      // not this value: phase, level, hours, a pseudonym, or restricted by the person
  unavailable,  // another tenant's, of another purpose, or expired; the same as unknown
};

// Whom a verified credential of another issuer stands for.
struct OidcRole {
  crypto::vault::Id tenant{};
  std::string role;
};

// Who a subject of another issuer is, as the policy says.
struct OidcPerson {
  std::string name;
  bool has_operator = true;  // the name is that of an operator, if there is one
};

struct Ruling {
  Verdict verdict = Verdict::barred;
  RevealLevel level = RevealLevel::refused;  // when allowed: clear, masked or replaced
};

class AccessRules {
 public:
  explicit AccessRules(std::span<const TenantPolicy> policies);

  // Whether a policy of the tenant is among these: without one no role of it may do anything.
  bool knows(const crypto::vault::Id& tenant) const { return find(tenant) != nullptr; }

  // Whether the role may ask for values of the purpose at all, in some phase.
  bool admits(const crypto::vault::Id& tenant, std::string_view role,
              std::string_view purpose) const;

  // Whether the role exercises people's rights for them (`subjects: true`).
  bool handles_subjects(const crypto::vault::Id& tenant, std::string_view role) const;

  // What the policy says of a role beyond levels; nullptr: it has no such role. Lives as long as
  // the rules.
  const Role* role(const crypto::vault::Id& tenant, std::string_view name) const;
  // Whether the role may ask at this time of day; always where its policy says nothing of hours.
  bool within_hours(const crypto::vault::Id& tenant, std::string_view role,
                    crypto::WallTime now) const;
  // nullptr: nothing there needs two people.
  const FourEyes* four_eyes(const crypto::vault::Id& tenant) const;
  // Whether the current policy has the purpose.
  bool has_purpose(const crypto::vault::Id& tenant, std::string_view purpose) const;
  // Whether the current policy takes the field for the purpose, spelled as in the policy.
  bool has_field(const crypto::vault::Id& tenant, std::string_view purpose,
                 std::string_view field) const;
  // Whether the role reads the tenant's audit log (`audit: true`).
  bool reads_audit(const crypto::vault::Id& tenant, std::string_view role) const;

  // The role of a subject of the issuer. `has`: whether the credential's claims say that. nullopt:
  // no entry of any tenant is about it, or more than one, so that nobody belongs to two.
  using HasClaim = std::function<bool(std::string_view name, std::string_view value)>;
  std::optional<OidcRole> oidc_role(std::string_view issuer, std::string_view subject,
                                    const HasClaim& has) const;
  // The tenants that have an entry for exactly this subject.
  std::vector<crypto::vault::Id> tenants_of_oidc(std::string_view issuer,
                                                 std::string_view subject) const;

  // Which person of the tenant exactly this subject is, as its entry says; nullopt: it does not
  // say.
  std::optional<OidcPerson> oidc_person(const crypto::vault::Id& tenant, std::string_view issuer,
                                        std::string_view subject) const;

  // Whether some subject of an issuer has the role in the tenant.
  bool oidc_gives(const crypto::vault::Id& tenant, std::string_view role) const;

  // Who receives what is collected for a purpose, by the current policy: recipients' ids.
  std::vector<std::string> recipients(const crypto::vault::Id& tenant,
                                      std::string_view purpose) const;
  // How telephone numbers without a country code are read.
  std::string phone_region(const crypto::vault::Id& tenant) const;

  Ruling rule(const crypto::vault::Id& tenant, std::string_view role, std::string_view purpose,
              const crypto::vault::TokenDescription& token, crypto::WallTime now) const;

  // The fields of the current policy that a value like this comes from, as the policy spells them,
  // in its order, each once; `unlisted` where that encrypts. Empty when the policy has none any
  // more.
  std::vector<std::string> fields(std::string_view purpose,
                                  const crypto::vault::TokenDescription& token) const;

  // What the current policy binds this field to under this purpose, where that gives surrogates
  // whose text names no key (FF1, address literals): each context once. Empty: no such field; more
  // than one: routes differ. `route`: empty for every route.
  std::vector<crypto::vault::ContextSpec> bare_contexts(const crypto::vault::Id& tenant,
                                                        std::string_view purpose,
                                                        std::string_view field,
                                                        std::string_view route) const;

 private:
  struct PurposeRules {
    Purpose purpose;
    std::vector<std::string> active;    // roles
    std::vector<std::string> archived;  // roles
  };
  struct FieldSource {
    std::string purpose;
    std::string domain;
    std::string space;
    crypto::Kind kind;
    crypto::Algorithm algorithm;
    std::string name;
    std::string route;
    crypto::EpochLength epoch;
    bool bare;  // its surrogates name no key
  };
  struct Tenant {
    crypto::vault::Id id{};
    std::vector<Role> roles;
    std::vector<PurposeRules> purposes;
    std::vector<FieldSource> fields;
    std::optional<FourEyes> four_eyes;
    std::string phone_region;
    std::vector<std::pair<std::string, std::string>> recipients;  // purpose, recipient
    std::vector<OidcEntry> oidc;
    std::vector<std::pair<std::string, std::shared_ptr<const OpenHours>>> hours;  // by role
  };

  const Tenant* find(const crypto::vault::Id& tenant) const;
  static const PurposeRules* find(const Tenant& tenant, std::string_view purpose);
  static bool is_open(const Tenant& tenant, std::string_view role, crypto::WallTime now);

  std::vector<Tenant> tenants_;
};

}  // namespace paravent::policies
