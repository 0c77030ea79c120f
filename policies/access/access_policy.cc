#include "policies/access/access_policy.h"

#include <utility>

namespace paravent::policies {
namespace {

namespace reveal = crypto::reveal;

// REQUIRES: not refused, which no ruling allows.
reveal::RevealLevel level_of_grant(RevealLevel level) {
  switch (level) {
    case RevealLevel::clear:
      return reveal::RevealLevel::clear;
    case RevealLevel::masked:
      return reveal::RevealLevel::masked;
    case RevealLevel::replaced:
    case RevealLevel::refused:
      break;
  }
  return reveal::RevealLevel::replaced;
}

}  // namespace

bool AccessPolicy::admits(const reveal::Principal& principal, std::string_view purpose) const {
  return rules_.admits(principal.tenant(), principal.role(), purpose);
}

Decision AccessPolicy::decide(const reveal::Principal& principal, const std::string& purpose,
                              const reveal::DescribedToken& token, crypto::WallTime now) const {
  const Ruling ruling =
      rules_.rule(principal.tenant(), principal.role(), purpose, token.description(), now);
  Decision decision;
  decision.verdict = ruling.verdict;
  if (ruling.verdict != Verdict::allowed) return decision;
  auto grant = authority_.issue(principal, token, purpose, level_of_grant(ruling.level));
  if (!grant) {
    // Tickets of another staircase, or a purpose the value was not collected for.
    decision.verdict = Verdict::unavailable;
    return decision;
  }
  decision.grant = std::move(*grant);
  return decision;
}

}  // namespace paravent::policies
