#include "proxy/admin/operators/passphrase_rule.h"

#include <algorithm>
#include <set>

namespace paravent::proxy::admin {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Characters, not bytes: whoever writes accents chooses no more for it.
std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

std::uint32_t classes_of(std::string_view text) {
  bool small = false;
  bool capital = false;
  bool digit = false;
  bool other = false;
  for (const char c : text) {
    const bool is_small = c >= 'a' && c <= 'z';
    const bool is_capital = c >= 'A' && c <= 'Z';
    const bool is_digit = c >= '0' && c <= '9';
    small |= is_small;
    capital |= is_capital;
    digit |= is_digit;
    other |= !is_small && !is_capital && !is_digit;
  }
  return static_cast<std::uint32_t>(small) + static_cast<std::uint32_t>(capital) +
         static_cast<std::uint32_t>(digit) + static_cast<std::uint32_t>(other);
}

std::size_t words_of(std::string_view text) {
  constexpr std::size_t kLeast = 3;
  std::set<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (length_of(word) >= kLeast) words.insert(word);
    word.clear();
  };
  for (const char c : text) {
    if (c == ' ' || c == '-' || c == '_' || c == '.' || c == ',') {
      end_word();
    } else {
      word.push_back(lower(c));
    }
  }
  end_word();
  return words.size();
}

bool holds_name(std::string_view passphrase, std::string_view name) {
  constexpr std::size_t kShort = 4;
  std::string text(passphrase);
  std::transform(text.begin(), text.end(), text.begin(), lower);
  return name.size() >= kShort && text.find(name) != std::string::npos;
}

// "aaaaaaaaaaaA1!" has four classes and no strength.
bool repeats(std::string_view text) {
  const std::set<char> different(text.begin(), text.end());
  return different.size() < 6;
}

}  // namespace

bool is_strong(std::string_view passphrase, std::string_view operator_name,
               const PassphraseRule& rule) {
  if (holds_name(passphrase, operator_name) || repeats(passphrase)) return false;
  if (words_of(passphrase) >= kPassphraseWords) return true;
  const std::size_t length = length_of(passphrase);
  const std::uint32_t classes = classes_of(passphrase);
  return (length >= rule.length && classes >= rule.classes) ||
         (length >= rule.length + 2 && classes + 1 >= rule.classes);
}

std::string rule_sentence(const PassphraseRule& rule) {
  const std::uint32_t fewer = std::max<std::uint32_t>(rule.classes, 2) - 1;
  return "Choose at least " + std::to_string(rule.length) + " characters of " +
         std::to_string(rule.classes) + " classes (lower case, upper case, digits, others), or " +
         std::to_string(rule.length + 2) + " of " + std::to_string(fewer) +
         ", or seven different words; without your own name.";
}

}  // namespace paravent::proxy::admin
