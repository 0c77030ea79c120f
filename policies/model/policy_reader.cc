#include "policies/model/policy_reader.h"

#include <array>
#include <utility>

#include "crypto/tokens/recipient_key.h"
#include "policies/model/access_reader.h"

namespace paravent::policies {
namespace {

constexpr std::array<Word<RevealLevel>, 4> kRevealWords = {{{"clear", RevealLevel::clear},
                                                            {"masked", RevealLevel::masked},
                                                            {"replaced", RevealLevel::replaced},
                                                            {"refused", RevealLevel::refused}}};

constexpr std::array<Word<Safeguard>, 5> kSafeguardWords = {
    {{"dpf", Safeguard::dpf},
     {"scc", Safeguard::scc},
     {"bcr", Safeguard::bcr},
     {"code-of-conduct", Safeguard::code_of_conduct},
     {"certification", Safeguard::certification}}};

constexpr std::array<Word<Basis>, 6> kBasisWords = {
    {{"consent", Basis::consent},
     {"contract", Basis::contract},
     {"legal-obligation", Basis::legal_obligation},
     {"vital-interests", Basis::vital_interests},
     {"public-task", Basis::public_task},
     {"legitimate-interest", Basis::legitimate_interest}}};

constexpr std::array<Word<RetentionFrom>, 4> kFromWords = {
    {{"collection", RetentionFrom::collection},
     {"last-contact", RetentionFrom::last_contact},
     {"contract-end", RetentionFrom::contract_end},
     {"case-closed", RetentionFrom::case_closed}}};

Role read_role(const YamlEntry& entry, Diagnostics& out) {
  Role role;
  role.name = entry.key;
  role.at = entry.at;
  MapReader map(entry.value, "roles." + entry.key, out);
  check_name(entry.key, entry.at, map.key(), out);
  if (entry.key == kAdminRole) {
    out.error(entry.at, map.key(), "the role admin is built in and never reveals",
              "Choose another name");
  }
  if (const auto reveal = map.word<RevealLevel>("reveal", kRevealWords))
    role.reveal = reveal->value;
  if (const auto subjects = map.boolean("subjects")) role.subjects = subjects->value;
  role.audit = role.name == kDpoRole;
  if (const auto audit = map.boolean("audit")) role.audit = audit->value;
  map.require("reveal", "One of clear, masked, replaced, refused");
  read_role_terms(map, role);
  map.finish();
  return role;
}

Recipient read_recipient(const YamlEntry& entry, Diagnostics& out) {
  Recipient recipient;
  recipient.id = entry.key;
  recipient.at = entry.at;
  MapReader map(entry.value, "recipients." + entry.key, out);
  check_name(entry.key, entry.at, map.key(), out);
  if (auto name = map.text("name")) recipient.name = std::move(name->value);
  map.require("name", "Who is it, for people to read");
  if (auto country = map.text("country")) recipient.country = std::move(*country);
  map.require("country", "The ISO 3166 code of where the data is processed, for example FR");
  if (const auto safeguard = map.word<Safeguard>("safeguard", kSafeguardWords)) {
    recipient.safeguard = *safeguard;
  }
  if (auto domain = map.name("domain")) recipient.domain = std::move(*domain);
  if (const auto analytics = map.boolean("analytics")) recipient.analytics = analytics->value;
  map.finish();
  return recipient;
}

std::optional<Located<Period>> read_period(MapReader& map, std::string_view name) {
  const auto text = map.text(name);
  if (!text) return std::nullopt;
  const auto period = parse_period(text->value);
  if (!period) {
    map.diagnostics().error(text->at, map.key(name), in_quotes(text->value) + " is no period",
                            "ISO 8601: P3Y, P13M, P30D, 100 years at most");
    return std::nullopt;
  }
  return Located<Period>{*period, text->at};
}

Retention read_retention(const YamlNode& node, std::string key, Diagnostics& out) {
  Retention retention;
  retention.at = node.at;
  MapReader map(node, std::move(key), out);
  if (const auto from = map.word<RetentionFrom>("from", kFromWords)) retention.from = from->value;
  if (const auto active = read_period(map, "active")) retention.active = active->value;
  map.require("active", "How long the data is in use, for example P3Y");
  retention.archive = read_period(map, "archive");
  map.finish();
  return retention;
}

Purpose read_purpose(const YamlEntry& entry, Diagnostics& out) {
  Purpose purpose;
  purpose.name = entry.key;
  purpose.at = entry.at;
  MapReader map(entry.value, "purposes." + entry.key, out);
  check_name(entry.key, entry.at, map.key(), out);
  if (const auto basis = map.word<Basis>("basis", kBasisWords)) purpose.basis = basis->value;
  if (const YamlNode* node = map.find("retention")) {
    purpose.retention = read_retention(*node, map.key("retention"), out);
  }
  if (const YamlNode* node = map.find("reveal")) {
    purpose.reveal = read_texts(*node, map.key("reveal"), false, out);
  }
  if (const YamlNode* node = map.find("reveal-archived")) {
    purpose.reveal_archived = read_texts(*node, map.key("reveal-archived"), false, out);
  }
  map.finish();
  return purpose;
}

PublicKey read_public_key(const YamlEntry& entry, Diagnostics& out) {
  PublicKey key{entry.key, entry.at, std::nullopt};
  MapReader map(entry.value, "public-keys." + entry.key, out);
  check_name(entry.key, entry.at, map.key(), out);
  const auto text = map.text("key");
  map.require("key", "What paravent keypair printed: pvpub1...");
  if (text) {
    if (const auto parsed = crypto::parse_public_key(text->value)) {
      key.key = *parsed;
    } else {
      // Not quoted: it may be the private one.
      out.error(text->at, map.key("key"), "this is no public key",
                "pvpub1..., as paravent keypair prints it");
    }
  }
  map.finish();
  return key;
}

// The entries of a map whose keys are names given by the author.
const std::vector<YamlEntry>& entries_of(MapReader& top, std::string_view name,
                                         const std::vector<YamlEntry>& none) {
  const YamlNode* node = top.find(name);
  if (node == nullptr) return none;
  const MapReader only_checks_the_type(*node, top.key(name), top.diagnostics());
  return node->is_map() ? node->entries : none;
}

void read_version(MapReader& top) {
  const auto version = top.integer("policy", 1, 1000000);
  if (top.require("policy", "The first line is policy: 1") == nullptr || !version) return;
  if (version->value != kPolicyVersion) {
    top.diagnostics().error(version->at, "policy",
                            "version " + std::to_string(version->value) + " is not known",
                            "This gateway reads policy: 1");
  }
}

void read_routes(MapReader& top, Policy& policy) {
  const YamlNode* node = top.require("routes", "A list, each item beginning with - name:");
  if (node == nullptr) return;
  if (!node->is_sequence() || node->items.empty()) {
    top.diagnostics().error(node->at, "routes", "expected a list of routes",
                            "Each item begins with - name:");
    return;
  }
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    policy.routes.push_back(read_route(node->items[i], i, top.diagnostics()));
  }
}

}  // namespace

Policy read_policy(const YamlNode& root, Diagnostics& out) {
  static const std::vector<YamlEntry> kNone;
  Policy policy;
  MapReader top(root, {}, out);
  if (!top.is_map()) return policy;
  read_version(top);
  if (auto tenant = top.name("tenant")) policy.tenant = std::move(*tenant);
  top.require("tenant", "Whose data this is, for example the company's name");
  if (auto region = top.text("phone-region")) policy.phone_region = std::move(*region);
  if (auto domain = top.text("token-mail-domain")) policy.token_mail_domain = std::move(*domain);
  if (auto zone = top.text("time-zone")) policy.time_zone = std::move(*zone);
  for (const auto& entry : entries_of(top, "public-keys", kNone)) {
    policy.public_keys.push_back(read_public_key(entry, out));
  }
  for (const auto& entry : entries_of(top, "roles", kNone)) {
    policy.roles.push_back(read_role(entry, out));
  }
  for (const auto& entry : entries_of(top, "recipients", kNone)) {
    policy.recipients.push_back(read_recipient(entry, out));
  }
  for (const auto& entry : entries_of(top, "purposes", kNone)) {
    policy.purposes.push_back(read_purpose(entry, out));
  }
  read_routes(top, policy);
  if (const YamlNode* node = top.find("four-eyes")) policy.four_eyes = read_four_eyes(*node, out);
  if (const YamlNode* node = top.find("oidc")) policy.oidc = read_oidc(*node, out);
  if (const YamlNode* node = top.find("elsewhere")) policy.elsewhere = read_elsewhere(*node, out);
  top.finish();
  return policy;
}

}  // namespace paravent::policies
