#include <algorithm>
#include <string>

#include "crypto/tokens/normaliser.h"
#include "policies/model/checks.h"
#include "policies/model/country.h"
#include "policies/model/time_zone.h"

namespace paravent::policies {
namespace {

constexpr std::size_t kMaxMailLocalAndAt = 65;
constexpr std::size_t kMaxMailAddress = 254;  // RFC 5321 4.5.3.1.3 without the brackets

void check_country(const Recipient& recipient, Diagnostics& out) {
  const std::string& code = recipient.country.value;
  if (code.empty()) return;
  const std::string key = "recipients." + recipient.id + ".country";
  if (!is_country(code)) {
    std::string hint = "Two capital letters of ISO 3166, for example FR";
    if (code == "UK") hint = "The United Kingdom is GB";
    if (code == "EL") hint = "Greece is GR";
    if (code == "EU") hint = "Name the country where the data is processed";
    out.error(recipient.country.at, key, in_quotes(code) + " is no country code", hint);
    return;
  }
  const Safeguard safeguard = recipient.safeguard.value;
  if (safeguard == Safeguard::dpf && code != "US") {
    out.error(recipient.safeguard.at, "recipients." + recipient.id + ".safeguard",
              "the Data Privacy Framework covers companies of the US only", "For example scc");
  }
  if (is_eea(code) || is_adequate(code) || safeguard != Safeguard::none) return;
  out.error(recipient.country.at, key,
            code + " lies outside the EEA and has no adequacy decision (list of " +
                std::string(kAdequacyAsOf) + ")",
            code == "US" ? "Name the safeguard: dpf, if the company is certified, or scc"
                         : "Name the safeguard: scc, bcr, code-of-conduct or certification");
}

void check_roles(const Policy& policy, const Purpose& purpose, std::string_view list,
                 const std::vector<Located<std::string>>& roles, Diagnostics& out) {
  std::vector<std::string_view> known;
  for (const Role& role : policy.roles) known.push_back(role.name);
  for (const auto& role : roles) {
    if (find_role(policy, role.value) != nullptr) continue;
    std::string hint = suggestion(role.value, known, "Define it under roles");
    if (role.value == kAdminRole) hint = "The role admin never reveals";
    out.error(role.at, "purposes." + purpose.name + "." + std::string(list),
              "there is no role " + in_quotes(role.value), std::move(hint));
  }
}

}  // namespace

void check_settings(const Policy& policy, Diagnostics& out) {
  if (!is_time_zone(policy.time_zone.value)) {
    out.error(policy.time_zone.at, "time-zone",
              in_quotes(policy.time_zone.value) + " is no time zone",
              "A name of the IANA database, for example Europe/Paris");
  }
  for (const PublicKey& key : policy.public_keys) {
    const bool used =
        std::any_of(policy.routes.begin(), policy.routes.end(), [&](const Route& route) {
          if (route.when_sealed && route.when_sealed->value == key.name) return true;
          return std::any_of(route.rules.begin(), route.rules.end(),
                             [&](const Rule& rule) { return rule.sealed_to.value == key.name; });
        });
    if (!used) out.note(key.at, "public-keys." + key.name, "no rule encrypts to this key");
  }
}

void check_recipients(const Policy& policy, Diagnostics& out) {
  for (const Recipient& recipient : policy.recipients) check_country(recipient, out);
  if (!crypto::phone_region_known(policy.phone_region.value)) {
    out.error(policy.phone_region.at, "phone-region",
              "the phone numbers of " + in_quotes(policy.phone_region.value) + " are not known",
              "An ISO 3166 code such as FR; docs/policy-reference.md lists them");
  }
  const std::string& domain = policy.token_mail_domain.value;
  if (!is_host_name(domain) || domain.find('.') == std::string::npos) {
    out.error(policy.token_mail_domain.at, "token-mail-domain",
              in_quotes(domain) + " is no mail domain",
              "A domain you own, or one under .invalid, in lower case");
  } else if (kMaxMailLocalAndAt + domain.size() > kMaxMailAddress) {
    out.error(policy.token_mail_domain.at, "token-mail-domain",
              "the domain is too long for a mail address");
  }
}

void check_purposes(const Policy& policy, Diagnostics& out) {
  for (const Purpose& purpose : policy.purposes) {
    const std::string key = "purposes." + purpose.name;
    check_roles(policy, purpose, "reveal", purpose.reveal, out);
    check_roles(policy, purpose, "reveal-archived", purpose.reveal_archived, out);
    if (!purpose.basis) {
      out.warning(purpose.at, key + ".basis", "the purpose states no legal basis (GDPR 6(1))",
                  "For example basis: contract");
    }
    if (!purpose.retention) {
      out.warning(purpose.at, key + ".retention", "the purpose states no retention (GDPR 5(1)(e))",
                  "For example retention: { from: last-contact, active: P3Y }");
    }
    const bool archives = purpose.retention && purpose.retention->archive;
    if (!archives && !purpose.reveal_archived.empty()) {
      out.warning(purpose.reveal_archived.front().at, key + ".reveal-archived",
                  "the purpose has no archive period, so nobody ever needs this",
                  "Add retention.archive, or remove the key");
    }
  }
}

}  // namespace paravent::policies
