#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>

#include "crypto/tokens/frame.h"
#include "crypto/tokens/token_format.h"
#include "policies/model/checks.h"

namespace paravent::policies {
namespace {

using crypto::EpochLength;
using crypto::Kind;

// The gateway writes these itself, whatever the client sent (RFC 9110 7.6.1, RFC 9112 6).
constexpr std::array<std::string_view, 14> kOwnHeaders = {"host",
                                                          "content-length",
                                                          "transfer-encoding",
                                                          "connection",
                                                          "te",
                                                          "trailer",
                                                          "upgrade",
                                                          "keep-alive",
                                                          "expect",
                                                          "proxy-connection",
                                                          "content-type",
                                                          "content-encoding",
                                                          "proxy-authorization",
                                                          "proxy-authenticate"};

// Covered by client-address all at once.
constexpr std::array<std::string_view, 6> kAddressHeaders = {"x-forwarded-for", "forwarded",
                                                             "x-real-ip",       "cf-connecting-ip",
                                                             "true-client-ip",  "x-client-ip"};

template <std::size_t N>
bool holds(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::uint32_t epoch_days(EpochLength epoch) {
  switch (epoch) {
    case EpochLength::none:
      return 0;
    case EpochLength::day:
      return 1;
    case EpochLength::week:
      return 7;
    case EpochLength::month:
      return 31;
  }
  return 0;
}

struct RuleContext {
  const Policy& policy;
  const Route& route;
  const Purpose* purpose;
  const Rule& rule;
  Diagnostics& out;
  ActionKind action() const { return *rule.action; }
};

void check_header(const RuleContext& c) {
  if (!c.rule.has_selector || c.rule.selector.carrier != Carrier::header) return;
  const std::string& name = c.rule.selector.name;
  if (holds(kOwnHeaders, name)) {
    c.out.error(c.rule.at, c.rule.key, "the gateway writes this header itself", "Remove the rule");
  } else if (holds(kAddressHeaders, name)) {
    c.out.error(c.rule.at, c.rule.key, "client-address handles all address headers at once",
                "Remove the rule and set client-address");
  } else if (name == "cookie" && c.action() != ActionKind::keep && c.action() != ActionKind::drop &&
             c.action() != ActionKind::refuse) {
    c.out.error(c.rule.at, c.rule.key, "the Cookie header can only be kept, dropped or refused",
                "Single cookies are cookie.NAME");
  }
}

void check_kind(const RuleContext& c) {
  const Rule& rule = c.rule;
  if (c.action() == ActionKind::truncate) {
    if (rule.kind.value != Kind::text && rule.kind.value != Kind::ip) {
      c.out.error(rule.action_at, rule.key + ".do", "only text and ip can be truncated",
                  "Set kind: text or kind: ip");
    } else if (rule.kind.value == Kind::ip && rule.length) {
      c.out.error(rule.length->at, rule.key + ".length",
                  "an address is cut to 16 bits (IPv4) and 48 bits (IPv6)", "Remove the key");
    } else if (rule.kind.value == Kind::text && !rule.length) {
      c.out.error(rule.action_at, rule.key + ".length", "the key is missing",
                  "How many characters are kept");
    }
  }
  if (c.action() == ActionKind::generalise && rule.kind.value != Kind::text) {
    c.out.error(rule.kind.at, rule.key + ".kind",
                "browser-family generalises a User-Agent, which is a text", "Remove the key");
  }
}

void check_on_error(const RuleContext& c) {
  const Rule& rule = c.rule;
  if (rule.on_error && rule.on_error->value == OnError::protect_raw && !is_keyed(c.action())) {
    c.out.error(rule.on_error->at, rule.key + ".on-error",
                "protect-raw needs pseudonymise, tokenise or encrypt", "One of refuse, drop, mask");
  }
  if (rule.required && c.action() == ActionKind::refuse) {
    c.out.error(rule.action_at, rule.key + ".required",
                "a field cannot be required and refused at once", "Remove one of the two");
  }
}

void check_shape(const RuleContext& c) {
  if (c.rule.shape.value != Shape::none && c.action() == ActionKind::tokenise_derived) {
    c.out.error(c.rule.shape.at, c.rule.key + ".shape",
                "a derived token is too long for a mail address", "Use mode: vault");
  }
}

void too_long(const RuleContext& c, std::size_t real, std::string_view hint) {
  c.out.error(c.rule.max_len->at, c.rule.key + ".max-len",
              "the result has " + std::to_string(real) + " bytes, more than " +
                  std::to_string(c.rule.max_len->value),
              std::string(hint));
}

void check_length(const RuleContext& c) {
  const Rule& rule = c.rule;
  if (!rule.max_len) return;
  if (rule.replacement && rule.replacement->value.size() > rule.max_len->value) {
    too_long(c, rule.replacement->value.size(), "Shorten the text");
  }
  if (!is_keyed(c.action())) return;
  const ResultLength length = result_length(c.action(), rule.kind.value, rule.shape.value,
                                            c.policy.token_mail_domain.value);
  if (length.least > rule.max_len->value) {
    too_long(c, length.least,
             c.action() == ActionKind::tokenise_derived
                 ? "mode: vault gives 46 bytes"
                 : "Widen the column, or use another action");
  } else if (length.grows) {
    c.out.note(rule.max_len->at, rule.key + ".max-len",
               "the result grows with the value; one that becomes longer than max-len is handled "
               "as on-error says");
  }
}

void check_epoch(const RuleContext& c) {
  const Rule& rule = c.rule;
  const EpochLength epoch = epoch_of(rule, c.purpose);
  const Retention* retention =
      c.purpose != nullptr && c.purpose->retention ? &*c.purpose->retention : nullptr;
  const bool from_event = retention != nullptr && retention->counts_from_event();
  const bool subject_bound =
      c.action() == ActionKind::tokenise_vault || c.action() == ActionKind::encrypt;
  if (c.action() == ActionKind::tokenise_derived && epoch != EpochLength::none) {
    c.out.warning(rule.action_at, rule.key + ".do",
                  "a derived token is stable only within one epoch (" +
                      std::string(crypto::epoch_length_name(epoch)) + ")",
                  "Later values of the same person get another token; mode: vault does not change");
  }
  if (c.action() == ActionKind::pseudonymise && epoch != EpochLength::none) {
    c.out.note(rule.action_at, rule.key + ".do",
               "a pseudonym is stable only within one epoch (" +
                   std::string(crypto::epoch_length_name(epoch)) + ")");
  }
  if (from_event && subject_bound && rule.epoch && rule.epoch->value != EpochLength::none) {
    c.out.error(rule.epoch->at, rule.key + ".epoch",
                "the retention counts from an event, so the key cannot end with an epoch",
                "Remove the key, or write epoch: none");
  }
  if (from_event && !subject_bound) {
    c.out.warning(rule.action_at, rule.key + ".do",
                  "the retention counts from an event, but this value counts from its collection",
                  "tokenise with mode: vault and encrypt follow the event");
  }
  if (retention != nullptr && !from_event && epoch == EpochLength::none && rule.epoch) {
    c.out.warning(rule.epoch->at, rule.key + ".epoch",
                  "without an epoch the key does not end with the retention",
                  "For example epoch: month");
  }
  if (retention != nullptr && retention->active != Period{} &&
      epoch_days(epoch) > least_days(retention->active)) {
    c.out.warning(rule.epoch ? rule.epoch->at : rule.action_at, rule.key + ".epoch",
                  "the epoch is longer than the retention, so values end early",
                  "For example epoch: day");
  }
}

void check_opening(const RuleContext& c) {
  if (c.action() != ActionKind::tokenise_derived && c.action() != ActionKind::encrypt) return;
  c.out.note(c.rule.action_at, c.rule.key + ".do",
             std::string("the process that faces the internet holds the key that opens this field, "
                         "as long as its ") +
                 (epoch_of(c.rule, c.purpose) == EpochLength::none ? "purpose" : "epoch") +
                 " lasts",
             c.action() == ActionKind::tokenise_derived ? "mode: vault does not share it" : "");
  if (c.action() == ActionKind::tokenise_derived && c.rule.kind.value == Kind::text) {
    c.out.warning(c.rule.action_at, c.rule.key + ".do",
                  "derived tokens end at values of " + std::to_string(crypto::kMaxDerivedValue) +
                      " bytes; longer ones are handled as on-error says",
                  "Use do: encrypt for free text");
  }
}

void check_rule(const RuleContext& c) {
  check_header(c);
  check_kind(c);
  check_on_error(c);
  check_shape(c);
  check_length(c);
  if (!is_keyed(c.action())) return;
  check_epoch(c);
  check_opening(c);
}

void check_duplicates(const Route& route, Diagnostics& out) {
  for (std::size_t i = 0; i < route.rules.size(); ++i) {
    for (std::size_t k = 0; k < i && route.rules[i].has_selector; ++k) {
      if (!route.rules[k].has_selector ||
          !route.rules[i].selector.same_as(route.rules[k].selector)) {
        continue;
      }
      out.error(route.rules[i].at, route.rules[i].key,
                "the rule " + in_quotes(route.rules[k].selector.text) + " is about the same field",
                "Remove one of them");
    }
  }
}

}  // namespace

ResultLength result_length(ActionKind action, Kind kind, Shape shape,
                           const std::string& token_mail_domain) {
  const std::size_t mail = shape == Shape::email ? 1 + token_mail_domain.size() : 0;
  const std::size_t bucket = crypto::bucket_for(kind, 1);
  switch (action) {
    case ActionKind::tokenise_vault:
      return {crypto::kVaultTokenLength + mail, false};
    case ActionKind::pseudonymise:
      return {crypto::kPseudonymLength + mail, false};
    case ActionKind::tokenise_derived:
      return {crypto::derived_token_length(bucket), true};
    default:
      return {crypto::encrypted_token_length(bucket), true};
  }
}

void check_rules(const Policy& policy, Diagnostics& out) {
  for (const Route& route : policy.routes) {
    const Purpose* purpose = find_purpose(policy, route.purpose.value);
    for (const Rule& rule : route.rules) {
      if (rule.action) check_rule({policy, route, purpose, rule, out});
    }
    check_duplicates(route, out);
  }
}

void check_spaces(const Policy& policy, Diagnostics& out) {
  struct First {
    Kind kind;
    Position at;
  };
  std::map<std::pair<std::string, std::string>, First> spaces;  // (domain, space)
  for (const Route& route : policy.routes) {
    for (const Rule& rule : route.rules) {
      if (!rule.action || !is_keyed(*rule.action)) continue;
      const std::string space = space_of(rule);
      const auto [first, is_new] =
          spaces.insert({{domain_of(policy, route), space}, {rule.kind.value, rule.at}});
      if (is_new || first->second.kind == rule.kind.value) continue;
      out.error(rule.space.value.empty() ? rule.at : rule.space.at, rule.key + ".space",
                "the space " + in_quotes(space) + " holds values of kind " +
                    std::string(crypto::kind_name(first->second.kind)) + " (line " +
                    std::to_string(first->second.at.line) + "); one space, one kind",
                "Name another space");
    }
  }
}

}  // namespace paravent::policies
