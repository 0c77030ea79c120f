#include "policies/model/oidc_entry.h"

#include <algorithm>
#include <array>
#include <utility>

#include "policies/model/policy.h"
#include "policies/model/yaml_reader.h"

namespace paravent::policies {
namespace {

constexpr std::size_t kMostEntries = 1000;
constexpr std::size_t kMostClaims = 8;
constexpr std::size_t kMostText = 128;
constexpr std::size_t kMostIssuerName = 16;
// What the verification itself is about, and what changes from one credential to the next.
constexpr std::array<std::string_view, 7> kNoClaims{"iss", "sub", "aud", "exp",
                                                    "nbf", "iat", "jti"};

// Printable ASCII without blank, quote and backslash: it stands in names and in lists of words.
bool is_word(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kMostText &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\'; });
}

// As an operator's name.
bool is_person_name(std::string_view text) noexcept {
  constexpr std::size_t kMostName = 32;
  return !text.empty() && text.size() <= kMostName &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

constexpr const char* kWordHint =
    "1 to 128 printable ASCII characters without blanks, quotes and backslashes";

void read_claims(const YamlNode& node, const std::string& key, OidcEntry& entry, Diagnostics& out) {
  MapReader map(node, key, out);
  if (!map.is_map()) return;
  for (const YamlEntry& claim : node.entries) {
    const auto value = map.text(claim.key);
    if (!is_word(claim.key) || (value && !is_word(value->value))) {
      out.error(claim.at, map.key(claim.key), "not a claim that can be compared", kWordHint);
    } else if (std::find(kNoClaims.begin(), kNoClaims.end(), claim.key) != kNoClaims.end()) {
      out.error(claim.at, map.key(claim.key), "this claim is checked by itself",
                claim.key == "sub" ? "Write subject: beside claims" : "Take it out");
    } else if (value) {
      entry.claims.push_back({claim.key, value->value});
    }
  }
  if (entry.claims.size() > kMostClaims) {
    out.error(node.at, key, "more than 8 claims");
  }
  std::sort(entry.claims.begin(), entry.claims.end(),
            [](const OidcClaim& a, const OidcClaim& b) { return a.name < b.name; });
  map.finish();
}

OidcEntry read_entry(const YamlNode& node, std::string key, Diagnostics& out) {
  OidcEntry entry;
  entry.at = node.at;
  MapReader map(node, std::move(key), out);
  if (!map.is_map()) return entry;
  map.require("issuer", "The name of an issuer of the gateway file's operators.oidc");
  if (auto issuer = map.text("issuer")) {
    if (!is_oidc_issuer_name(issuer->value)) {
      out.error(issuer->at, map.key("issuer"), in_quotes(issuer->value) + " is no issuer's name",
                "1 to 16 lower-case letters, digits and hyphens");
    }
    entry.issuer = std::move(*issuer);
  }
  if (const auto subject = map.text("subject")) {
    if (!is_word(subject->value)) {
      out.error(subject->at, map.key("subject"), "not a subject", kWordHint);
    }
    entry.subject = subject->value;
  }
  if (const YamlNode* claims = map.find("claims")) {
    read_claims(*claims, map.key("claims"), entry, out);
  }
  if (map.find("subject") == nullptr && map.find("claims") == nullptr) {
    out.error(map.at(), map.key(), "this would let in everybody whom the issuer knows",
              "Say whom: subject: '248289761001', or claims: { client_id: crm-sync }");
  }
  if (const auto person = map.text("person")) {
    entry.person = person->value;
    if (!is_person_name(person->value)) {
      out.error(
          person->at, map.key("person"), in_quotes(person->value) + " is no person's name",
          "1 to 32 lower-case letters, digits and hyphens: the name of their operator here, or "
          "beside operator: false one that you give them");
    } else if (entry.subject.empty()) {
      out.error(person->at, map.key("person"), "claims may be those of several people",
                "Give the subject beside them");
    }
  }
  if (const auto has_operator = map.boolean("operator")) {
    entry.has_operator = has_operator->value;
    if (entry.person.empty()) {
      out.error(has_operator->at, map.key("operator"), "says of a person that nobody names",
                "Write person: and a name for them beside it");
    }
  }
  map.require("role", "One of the policy's roles");
  if (auto role = map.name("role")) entry.role = std::move(*role);
  map.finish();
  return entry;
}

bool same_subjects(const OidcEntry& a, const OidcEntry& b) {
  return a.issuer.value == b.issuer.value && a.subject == b.subject &&
         std::equal(a.claims.begin(), a.claims.end(), b.claims.begin(), b.claims.end(),
                    [](const OidcClaim& one, const OidcClaim& other) {
                      return one.name == other.name && one.value == other.value;
                    });
}

}  // namespace

bool is_oidc_issuer_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kMostIssuerName &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

std::vector<OidcEntry> read_oidc(const YamlNode& node, Diagnostics& out) {
  std::vector<OidcEntry> entries;
  if (!node.is_sequence() || node.items.empty() || node.items.size() > kMostEntries) {
    out.error(node.at, "oidc", "expected a list of at most 1000 entries",
              "Write for example [{ issuer: login, subject: '248289761001', role: support }]");
    return entries;
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    entries.push_back(read_entry(node.items[i], "oidc[" + std::to_string(i) + "]", out));
  }
  return entries;
}

void check_oidc(const Policy& policy, Diagnostics& out) {
  for (std::size_t i = 0; i < policy.oidc.size(); ++i) {
    const OidcEntry& entry = policy.oidc[i];
    const std::string key = "oidc[" + std::to_string(i) + "]";
    if (entry.role.value == kAdminRole) {
      out.error(entry.role.at, key + ".role", "the role admin is not given by other issuers",
                "Give one of the policy's roles; for admin make an operator");
    } else if (!entry.role.value.empty() && find_role(policy, entry.role.value) == nullptr) {
      std::vector<std::string_view> roles;
      for (const Role& role : policy.roles) roles.push_back(role.name);
      out.error(entry.role.at, key + ".role", "there is no role " + in_quotes(entry.role.value),
                suggestion(entry.role.value, roles, "Define it first"));
    }
    const bool approves =
        policy.four_eyes &&
        std::any_of(policy.four_eyes->approve.begin(), policy.four_eyes->approve.end(),
                    [&](const auto& role) { return role.value == entry.role.value; });
    if (approves && entry.person.empty()) {
      out.warning(entry.at, key,
                  "the role " + in_quotes(entry.role.value) +
                      " approves, and nobody knows which person this is",
                  "Write person: and the name of their operator here; without it nothing that an "
                  "operator asks for can be approved by it");
    }
    if (entry.subject.empty() && entry.claims.empty()) continue;
    const bool twice =
        std::any_of(policy.oidc.begin(), policy.oidc.begin() + static_cast<std::ptrdiff_t>(i),
                    [&](const OidcEntry& before) { return same_subjects(before, entry); });
    if (twice) {
      out.error(entry.at, key, "this subject has an entry already",
                "Whoever is meant by two entries gets in by none");
    }
  }
}

}  // namespace paravent::policies
