// PassphraseRule: which pass-phrases are strong enough. Pure functions; any thread.
//
// By default what the CNIL takes for 80 bits (recommendation of 14 October 2022): 12 characters of
// all four classes, or 14 of three, or seven words. A gateway file may ask for more, or for less
// where the lock-out carries the weight.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace paravent::proxy::admin {

struct PassphraseRule {
  std::uint32_t length = 12;  // characters
  std::uint32_t classes = 4;  // of lower case, upper case, digits, others
};

inline constexpr std::uint32_t kPassphraseWords = 7;

// Long enough with enough classes, or two characters longer with one class less, or seven different
// words of three characters or more; and not around the operator's own name.
bool is_strong(std::string_view passphrase, std::string_view operator_name,
               const PassphraseRule& rule);

// What to tell whoever chose one that is not.
std::string rule_sentence(const PassphraseRule& rule);

}  // namespace paravent::proxy::admin
