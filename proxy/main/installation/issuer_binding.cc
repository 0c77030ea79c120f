#include "proxy/main/installation/issuer_binding.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "policies/model/diagnostics.h"
#include "proxy/admin/grants/two_people.h"

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

std::string warnings_of_unknown_people(const PolicySet& set, const admin::Operators& operators,
                                       const crypto::vault::Vault& vault) {
  std::string all;
  for (std::size_t i = 0; i < set.policies.size(); ++i) {
    const policies::Policy& policy = set.policies[i];
    const auto tenant = vault.tenant_id(policy.tenant.value);
    policies::Diagnostics out(set.sources[i].name);
    for (std::size_t at = 0; at < policy.oidc.size(); ++at) {
      const policies::OidcEntry& entry = policy.oidc[at];
      if (entry.person.empty() || !entry.has_operator) continue;
      if (tenant && admin::is_operator_of(operators, *tenant, entry.person)) continue;
      out.warning(
          entry.at, "oidc[" + std::to_string(at) + "].person",
          "the tenant has no operator " + entry.person +
              ", so that nobody knows which person this is, and four eyes count it for none",
          "Write the name of their operator, or operator: false beside a person who has none");
    }
    for (const policies::Diagnostic& one : out.items()) {
      all += policies::diagnostic_text(one) + "\n";
    }
  }
  return all;
}

}  // namespace paravent::proxy::main
