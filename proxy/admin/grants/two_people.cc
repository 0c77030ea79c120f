#include "proxy/admin/grants/two_people.h"

#include <utility>

namespace paravent::proxy::admin {
namespace {

constexpr std::string_view kOidc = "oidc:";  // oidc_operator_name()

// Empty: one of our own.
std::string_view issuer_of(std::string_view name) {
  if (!name.starts_with(kOidc)) return {};
  name.remove_prefix(kOidc.size());
  return name.substr(0, name.find('/'));
}

// Empty: nobody knows.
std::string person_of(const policies::AccessRules& rules, const Operators& operators,
                      const crypto::vault::Id& tenant, std::string_view name) {
  const std::string_view issuer = issuer_of(name);
  if (issuer.empty()) return std::string(name);
  auto person = rules.oidc_person(tenant, issuer, name.substr(name.find('/') + 1));
  if (!person) return {};
  if (person->has_operator && !is_operator_of(operators, tenant, person->name)) return {};
  return std::move(person->name);
}

}  // namespace

bool is_operator_of(const Operators& operators, const crypto::vault::Id& tenant,
                    std::string_view person) {
  const auto known = operators.named(person);
  return known && known->tenant == tenant;
}

TwoPeople two_people(const policies::AccessRules& rules, const Operators& operators,
                     const crypto::vault::Id& tenant, std::string_view one,
                     std::string_view other) {
  const std::string_view issuer = issuer_of(one);
  if (issuer == issuer_of(other) && !issuer.empty()) return TwoPeople::same_issuer;
  const std::string person = person_of(rules, operators, tenant, one);
  const std::string second = person_of(rules, operators, tenant, other);
  if (person.empty() || second.empty()) return TwoPeople::unknown;
  return person == second ? TwoPeople::same_person : TwoPeople::yes;
}

}  // namespace paravent::proxy::admin
