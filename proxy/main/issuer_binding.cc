#include "proxy/main/issuer_binding.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace paravent::proxy::main {
namespace {

crypto::Error refused(std::string sentence) {
  return {crypto::ErrorKind::configuration, std::move(sentence)};
}

std::string joined(const std::set<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

crypto::Status check_issuers(const PolicySet& set,
                             const std::vector<config::OidcIssuerConfig>& issuers) {
  for (const config::OidcIssuerConfig& issuer : issuers) {
    const auto& bound = issuer.tenants;
    std::set<std::string> naming;
    std::map<std::string, std::string> tenant_of;  // by subject
    bool by_claims = false;
    bool named_twice = false;  // one subject by two tenants
    for (const policies::Policy& policy : set.policies) {
      const std::string& tenant = policy.tenant.value;
      for (const policies::OidcEntry& entry : policy.oidc) {
        if (entry.issuer.value != issuer.name) continue;
        naming.insert(tenant);
        if (!bound.empty() && std::find(bound.begin(), bound.end(), tenant) == bound.end()) {
          return refused("The policy of tenant " + tenant + " gives a role to subjects of issuer " +
                         issuer.name + ", which operators.oidc keeps to other tenants (tenants).");
        }
        by_claims = by_claims || entry.subject.empty();
        const auto known = tenant_of.emplace(entry.subject, tenant).first;
        if (!entry.subject.empty() && known->second != tenant) named_twice = true;
      }
    }
    if (naming.size() < 2) continue;
    if (bound.empty()) {
      return refused("The policies of tenants " + joined(naming) + " name issuer " + issuer.name +
                     "; an issuer belongs to one tenant unless operators.oidc shares it: tenants: "
                     "[" +
                     joined(naming) + "].");
    }
    if (named_twice) {
      return refused("The policies of tenants " + joined(naming) +
                     " name the same subject of issuer " + issuer.name +
                     "; nobody belongs to two tenants.");
    }
    if (by_claims) {
      return refused("Issuer " + issuer.name + " is shared by tenants " + joined(naming) +
                     ", so their policies name subjects: claims are the credential's to choose, "
                     "and a tenant is not.");
    }
  }
  return {};
}

}  // namespace paravent::proxy::main
