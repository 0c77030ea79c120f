#include "policies/model/equality_promise.h"

#include <string_view>

namespace paravent::policies {
namespace {

using crypto::EpochLength;

std::string_view epoch_words(EpochLength epoch) {
  switch (epoch) {
    case EpochLength::none:
      return "for as long as the purpose lasts";
    case EpochLength::day:
      return "for one day (UTC)";
    case EpochLength::week:
      return "for one week (UTC)";
    case EpochLength::month:
      return "for one month (UTC)";
  }
  return {};
}

struct Reach {
  std::string domain;
  std::string purpose;
  std::string space;
  EpochLength epoch = EpochLength::none;
  Scope scope = Scope::person;
  std::string relationship;
  bool bound = false;  // each value is one data subject's
};

// "within the domain crm, the purpose contact and the space email", and what scope adds.
std::string within(const Reach& reach, bool has_purpose) {
  std::string out = " within the domain " + reach.domain;
  if (has_purpose) out += ", the purpose " + reach.purpose;
  out += " and the space " + reach.space;
  if (reach.scope == Scope::relationship) {
    out += ", as long as " + reach.relationship + " is equal too";
  }
  return out;
}

// A key of (domain, purpose, space, epoch, key version).
std::string keyed_equality(const Reach& reach, std::string_view things, std::string_view extra) {
  if (reach.scope == Scope::request) {
    return "equal values give equal " + std::string(things) +
           " within one request only; across requests nothing can be joined" + std::string(extra) +
           ".";
  }
  std::string out = "equal values give equal " + std::string(things) + within(reach, true) + ", ";
  out += epoch_words(reach.epoch);
  out += " and one key version";
  out += extra;
  out += "; across domains, purposes";
  if (reach.epoch != EpochLength::none) out += ", epochs";
  out += " and key versions nothing can be joined.";
  return out;
}

std::string vault_equality(const Reach& reach) {
  if (reach.scope == Scope::request) {
    return "equal values give equal tokens within one request only; across requests nothing can "
           "be joined.";
  }
  if (reach.bound) {
    return "equal values of one person give equal tokens" + within(reach, false) +
           ", across purposes, epochs and key versions, for as long as the token is stored; across "
           "domains and people nothing can be joined, and the values end with the person's key.";
  }
  return "equal values give equal tokens" + within(reach, false) +
         ", across purposes, epochs and key versions, for as long as the token is stored; across "
         "domains nothing can be joined.";
}

std::string pseudonym_extras(const Rule& rule, EpochLength epoch) {
  std::string out;
  if (rule.overlap) {
    const std::uint32_t hours = rule.overlap->value;
    out +=
        hours == 1 ? "; in the first hour" : "; in the first " + std::to_string(hours) + " hours";
    out += " of an epoch (" + std::string(crypto::epoch_length_name(epoch)) + ") " +
           rule.previous.value + " carries the one of the epoch before, which joins the two";
  }
  if (rule.bits) {
    out += "; only " + std::to_string(rule.bits->value) +
           " bits are kept, so that different values may share one";
  }
  return out;
}

std::string sealed_promise(const Rule& rule) {
  std::string out = "equal values give different texts, so nothing can be joined";
  if (rule.action == ActionKind::seal) {
    out += " by value; values sealed within the same second may show that they were";
  }
  return out + "; only the holder of the private key to " + rule.sealed_to.value + " opens them.";
}

constexpr std::string_view kEncryptedBound =
    "equal values give different texts; nothing can be joined, not even by person, and the values "
    "end with the person's key.";
constexpr std::string_view kEncrypted = "equal values give different texts; nothing can be joined.";

}  // namespace

std::string equality_promise(const Policy& policy, const Route& route, const Rule& rule) {
  const Purpose* purpose = find_purpose(policy, route.purpose.value);
  const Reach reach{domain_of(policy, route),
                    route.purpose.value,
                    space_of(rule),
                    epoch_of(rule, route, purpose),
                    rule.scope.value,
                    rule.relationship.value,
                    is_subject_bound(rule, route, purpose)};
  switch (*rule.action) {
    case ActionKind::tokenise_vault:
      return vault_equality(reach);
    case ActionKind::pseudonymise:
      return keyed_equality(reach, "pseudonyms", pseudonym_extras(rule, reach.epoch));
    case ActionKind::tokenise_derived:
      return keyed_equality(reach, "tokens", {});
    case ActionKind::tokenise_preserve:
      return keyed_equality(reach, "results", "; the form of the value shows");
    case ActionKind::tokenise_address:
      return keyed_equality(reach, "encrypted addresses", {});
    case ActionKind::tokenise_address_prefix:
      return keyed_equality(reach, "encrypted addresses",
                            ", and addresses of one network a common beginning");
    case ActionKind::seal:
    case ActionKind::seal_single:
      return sealed_promise(rule);
    case ActionKind::shift_date:
      return "all dates of one subject move by the same number of days, at most " +
             std::to_string(rule.options.days) + ", within the domain " + reach.domain +
             " and the purpose " + reach.purpose + ", " + std::string(epoch_words(reach.epoch)) +
             " and one key version; their distances stay.";
    default:
      return std::string(reach.bound ? kEncryptedBound : kEncrypted);
  }
}

std::vector<Promise> equality_promises(const Policy& policy) {
  std::vector<Promise> all;
  for (const Route& route : policy.routes) {
    const std::string& name = route.name.value;
    if (route.client_address == ClientAddress::pseudonym) {
      const Reach reach{domain_of(policy, route),
                        route.purpose.value,
                        std::string(crypto::kind_name(crypto::Kind::ip)),
                        EpochLength::day,
                        Scope::person,
                        {},
                        false};
      all.push_back(
          {name, std::string(kClientAddressName), keyed_equality(reach, "pseudonyms", {})});
    }
    for (const Rule& rule : route.rules) {
      if (!rule.action || !is_keyed(*rule.action)) continue;
      const std::string field = rule.selector.text + (rule.is_else ? " (else)" : "");
      all.push_back({name, field, equality_promise(policy, route, rule)});
    }
    if (route.unlisted.value == Unlisted::encrypt) {
      const bool bound =
          unlisted_is_subject_bound(route, find_purpose(policy, route.purpose.value));
      all.push_back(
          {name, std::string(kUnlistedName), std::string(bound ? kEncryptedBound : kEncrypted)});
    }
  }
  return all;
}

std::string promise_text(const Promise& promise) {
  return promise.route + " " + promise.field + ": " + promise.text;
}

}  // namespace paravent::policies
