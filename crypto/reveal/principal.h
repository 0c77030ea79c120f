// Principal: who asks, as authentication found it. The first ticket of the staircase (DESIGN 4).
//
// Only a PrincipalAuthority makes one. Facts about a person, no secret: copyable, any thread.

#pragma once

#include <memory>
#include <string>
#include <utility>

#include "crypto/vault/engine/base/id.h"

namespace paravent::crypto::vault {
class Vault;
}

namespace paravent::crypto::reveal {

class GrantAuthority;
struct Staircase;

// Nothing but an address: tells the tickets of one Reidentifier from those of another.
struct StaircaseMark {};

class Principal {
 public:
  const std::string& operator_name() const noexcept { return operator_name_; }
  const std::string& role() const noexcept { return role_; }
  const vault::Id& tenant() const noexcept { return tenant_; }

 private:
  friend class PrincipalAuthority;
  friend class GrantAuthority;
  Principal(std::shared_ptr<const StaircaseMark> mark, std::string operator_name, std::string role,
            const vault::Id& tenant)
      : mark_(std::move(mark)),
        operator_name_(std::move(operator_name)),
        role_(std::move(role)),
        tenant_(tenant) {}

  std::shared_ptr<const StaircaseMark> mark_;
  std::string operator_name_;
  std::string role_;
  vault::Id tenant_;
};

// The right to say who somebody is. Handed to authentication, and to nobody else, by the
// composition root. Immutable; any thread.
class PrincipalAuthority {
 public:
  PrincipalAuthority(PrincipalAuthority&&) noexcept = default;
  PrincipalAuthority& operator=(PrincipalAuthority&&) noexcept = default;
  PrincipalAuthority(const PrincipalAuthority&) = delete;
  PrincipalAuthority& operator=(const PrincipalAuthority&) = delete;

  // To be called once a credential was checked.
  Principal authenticated(std::string operator_name, std::string role,
                          const vault::Id& tenant) const {
    return {mark_, std::move(operator_name), std::move(role), tenant};
  }

 private:
  friend Staircase build_staircase(vault::Vault& vault);
  explicit PrincipalAuthority(std::shared_ptr<const StaircaseMark> mark) noexcept
      : mark_(std::move(mark)) {}

  std::shared_ptr<const StaircaseMark> mark_;
};

}  // namespace paravent::crypto::reveal
