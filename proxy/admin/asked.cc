#include "proxy/admin/asked.h"

#include <algorithm>
#include <utility>

#include "crypto/keys/epoch.h"
#include "crypto/primitives/sha256.h"
#include "proxy/admin/grants/budget_ledger.h"
#include "proxy/admin/keys/key_text.h"
#include "proxy/admin/name_operator.h"

namespace paravent::proxy::admin {
namespace {

AskedStatus status_of(policies::Verdict verdict) {
  switch (verdict) {
    case policies::Verdict::allowed:
      return AskedStatus::granted;
    case policies::Verdict::barred:
    case policies::Verdict::refused:
      return AskedStatus::refused;
    case policies::Verdict::unavailable:
      return AskedStatus::unavailable;
  }
  return AskedStatus::unavailable;
}

AskedStatus status_of(const crypto::Error& error) {
  switch (error.kind()) {
    case crypto::ErrorKind::unreachable:
      return AskedStatus::unreachable;
    case crypto::ErrorKind::malformed:
      return AskedStatus::malformed;
    default:
      return AskedStatus::unavailable;
  }
}

// Fewer than about 2^64 texts of that length: numbers, telephone numbers, short alphanumeric ids.
bool is_guessable(std::string_view shaped) {
  constexpr std::size_t kLongNumber = 20;
  constexpr std::size_t kLongId = 13;
  const bool number = shaped.find_first_not_of("+0123456789") == std::string_view::npos;
  return shaped.size() < (number ? kLongNumber : kLongId);
}

}  // namespace

void watch_for_honey(const AdminParts& parts, const Operator& who, std::string_view purpose,
                     std::span<const std::string> texts) {
  if (!hears_honey(parts)) return;
  auto tokens = recorded_tokens(parts, who.tenant, texts);
  // The text itself as well: what was erased, or cannot be looked for now, is found by it alone.
  for (const std::string& text : texts) {
    tokens.push_back({0, crypto::sha256(crypto::as_bytes(text))});
  }
  watch_for_honey(parts, who, purpose, tokens);
}

std::vector<crypto::audit::AuditEntry> entries_naming(
    const crypto::audit::AuditEntry& entry, std::span<const crypto::audit::AuditToken> tokens) {
  std::vector<crypto::audit::AuditEntry> entries;
  do {
    const auto some = tokens.first(std::min(tokens.size(), crypto::audit::kMaxDetailTokens));
    entries.push_back(entry);
    entries.back().detail.tokens.assign(some.begin(), some.end());
    tokens = tokens.subspan(some.size());
  } while (!tokens.empty());
  return entries;
}

std::vector<crypto::audit::AuditEntry> refusals_of(const AdminParts& parts, const Operator& who,
                                                   const ReidentifyRequest& request,
                                                   std::string_view remark) {
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::refusal;
  entry.outcome = crypto::audit::Outcome::refused;
  name_operator(who, entry.detail);
  entry.detail.purpose = request.purpose.substr(0, 256);
  entry.detail.reason = request.reason;
  entry.detail.remark = remark;
  if (!request.values.empty()) {
    entry.detail.remark += ", and " + std::to_string(request.values.size()) + " values";
  }
  if (id_from_hex(request.grant)) {
    entry.detail.object = std::string(BudgetLedger::kCasePrefix) + request.grant;
  }
  return entries_naming(entry, recorded_tokens(parts, who.tenant, request.tokens));
}

void watch_for_honey(const AdminParts& parts, const Operator& who, std::string_view purpose,
                     const std::vector<crypto::audit::AuditToken>& tokens) {
  const Honey* honey = parts.record == nullptr ? nullptr : parts.record->honey();
  if (honey != nullptr) honey->asked(who.name, who.role, who.tenant, purpose, tokens);
}

bool hears_honey(const AdminParts& parts) {
  const Honey* honey = parts.record == nullptr ? nullptr : parts.record->honey();
  return honey != nullptr && !honey->is_empty();
}

std::vector<crypto::audit::AuditToken> recorded_tokens(const AdminParts& parts,
                                                       const crypto::vault::Id& tenant,
                                                       std::span<const std::string> texts) {
  std::vector<crypto::audit::AuditToken> tokens;
  tokens.reserve(texts.size());
  for (const std::string& text : texts) {
    if (const auto token = crypto::parse_token(crypto::strip_email_shape(text))) {
      tokens.push_back({token->key_id, crypto::reveal::token_digest(*token)});
      continue;
    }
    const auto found = parts.reidentifier.find_shaped(tenant, text);
    if (!found) continue;
    for (const crypto::ParsedToken& token : *found) {
      tokens.push_back({token.key_id, crypto::reveal::token_digest(token)});
    }
  }
  return tokens;
}

Asked Decider::token(const std::string& text) const {
  Asked asked;
  asked.text = text;
  auto token = crypto::parse_token(crypto::strip_email_shape(text));
  if (token) {
    asked.token = std::move(*token);
    decide(asked);
  } else {
    decide_shaped(asked);
  }
  return asked;
}

void Decider::decide_shaped(Asked& asked) const {
  auto found = parts_.reidentifier.find_shaped(principal_.tenant(), asked.text);
  if (!found) {
    asked.status = status_of(found.error());
    return;
  }
  std::optional<Asked> chosen;
  bool several = false;
  for (crypto::ParsedToken& token : *found) {
    Asked candidate;
    candidate.text = asked.text;
    candidate.token = std::move(token);
    decide(candidate);
    asked.perhaps.push_back(
        {candidate.token->key_id, crypto::reveal::token_digest(*candidate.token)});
    if (candidate.status == AskedStatus::unavailable) continue;
    if (chosen) {
      several = true;
    } else {
      chosen.emplace(std::move(candidate));
    }
  }
  if (several || !chosen) return;  // of several domains: which one is meant cannot be told
  asked = std::move(*chosen);
  asked.guessable = is_guessable(asked.text);
}

Asked Decider::value(const AskedValue& wanted) const {
  Asked asked;
  asked.text = wanted.value;
  asked.field = wanted.field;
  asked.status = AskedStatus::malformed;
  crypto::WallTime as_of = parts_.operators.now();
  if (!wanted.as_of.empty()) {
    const auto day = crypto::parse_epoch(wanted.as_of);
    if (!day || day->length != crypto::EpochLength::day) return asked;
    as_of = crypto::epoch_start(*day);
  }
  const auto contexts =
      parts_.access->bare_contexts(principal_, purpose_, wanted.field, wanted.route);
  if (wanted.value.empty() || contexts.size() != 1) return asked;
  auto bare =
      parts_.reidentifier.find_bare(principal_.tenant(), contexts.front(), wanted.value, as_of);
  if (!bare) {
    asked.status = status_of(bare.error());
    return asked;
  }
  asked.bare = std::move(*bare);
  decide(asked);
  return asked;
}

void Decider::decide(Asked& asked) const {
  auto described = asked.token
                       ? parts_.reidentifier.describe(*asked.token, principal_.tenant(), memo_)
                       : parts_.reidentifier.describe(*asked.bare);
  if (!described) {
    asked.status = status_of(described.error());
    return;
  }
  auto decision = parts_.access->decide(principal_, purpose_, *described, parts_.operators.now());
  asked.described.emplace(std::move(*described));
  asked.grant = std::move(decision.grant);
  asked.status = status_of(decision.verdict);
}

}  // namespace paravent::proxy::admin
