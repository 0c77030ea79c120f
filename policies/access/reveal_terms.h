// RevealTerms: how open a policy is, as numbers that can be compared: who sees what at which level,
// how much, alone or not, for how long. Of two policies it tells where the second gives more.
//
// Plain values; pure functions; any thread. The text is kept between runs, one "KEY NUMBER" a line,
// sorted, so that a policy that was changed while nothing ran is compared too.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/model/policy.h"

namespace paravent::policies {

// The higher the number, the more is given. What is not there gives nothing where the key begins
// with "may", and everything where it begins with "limit".
using RevealTerms = std::map<std::string, std::uint64_t, std::less<>>;

RevealTerms reveal_terms(const Policy& policy);

// The keys under which `next` gives more than `before`. Where somebody approved and nobody does any
// more, "limit two people" is one of them.
std::vector<std::string> widened(const RevealTerms& before, const RevealTerms& next);

// The roles that approve under these terms; empty: nothing needs two people.
std::vector<std::string> approving_roles(const RevealTerms& terms);

std::string terms_text(const RevealTerms& terms);
// One spelling; nullopt for any other.
std::optional<RevealTerms> parse_terms(std::string_view text);

}  // namespace paravent::policies
