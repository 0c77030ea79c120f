#include "proxy/admin/operators/passphrase_rule.h"

#include <algorithm>

#include "crypto/primitives/passphrase_facts.h"

namespace paravent::proxy::admin {
namespace {

// A shorter name stands in many a word.
constexpr std::size_t kShortestName = 4;
// "aaaaaaaaaaaA1!" has four classes and no strength.
constexpr std::size_t kFewestDistinct = 6;

}  // namespace

bool is_strong(std::string_view passphrase, std::string_view operator_name,
               const PassphraseRule& rule) {
  if (operator_name.size() >= kShortestName && crypto::holds_name(passphrase, operator_name)) {
    return false;
  }
  const crypto::PassphraseFacts facts = crypto::passphrase_facts(passphrase);
  if (facts.distinct < kFewestDistinct) return false;
  if (facts.distinct_words >= kPassphraseWords) return true;
  return (facts.characters >= rule.length && facts.classes >= rule.classes) ||
         (facts.characters >= rule.length + 2 && facts.classes + 1 >= rule.classes);
}

std::string rule_sentence(const PassphraseRule& rule) {
  const std::uint32_t fewer = std::max<std::uint32_t>(rule.classes, 2) - 1;
  return "Choose at least " + std::to_string(rule.length) + " characters of " +
         std::to_string(rule.classes) + " classes (lower case, upper case, digits, others), or " +
         std::to_string(rule.length + 2) + " of " + std::to_string(fewer) +
         ", or seven different words; without your own name.";
}

}  // namespace paravent::proxy::admin
