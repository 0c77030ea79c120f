#include "crypto/primitives/passphrase_facts.h"

#include <algorithm>
#include <array>
#include <bitset>

namespace paravent::crypto {
namespace {

constexpr std::size_t kShortestWord = 3;
constexpr std::size_t kMostWords = 64;

bool same_letter(char a, char b) noexcept {
  const auto small = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  };
  return small(a) == small(b);
}

bool same_word(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_letter);
}

std::size_t characters_of(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

void count_words(std::string_view text, PassphraseFacts& facts) noexcept {
  std::array<std::string_view, kMostWords> words;
  for (std::size_t begin = 0; begin < text.size() && facts.words < words.size();) {
    const std::size_t end = std::min(text.find_first_of(" -_.,", begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    if (characters_of(word) >= kShortestWord) {
      const auto known = words.begin() + static_cast<std::ptrdiff_t>(facts.words);
      const bool again = std::any_of(words.begin(), known, [word](std::string_view earlier) {
        return same_word(word, earlier);
      });
      facts.distinct_words += again ? 0U : 1U;
      words[facts.words++] = word;
    }
    begin = end + 1;
  }
}

}  // namespace

PassphraseFacts passphrase_facts(std::string_view passphrase) noexcept {
  PassphraseFacts facts;
  facts.characters = characters_of(passphrase);
  std::bitset<256> seen;
  std::array<bool, 4> classes{};
  for (const char c : passphrase) {
    const auto byte = static_cast<unsigned char>(c);
    facts.printable = facts.printable && byte >= 0x20 && byte != 0x7F;
    seen.set(byte);
    const bool lower = c >= 'a' && c <= 'z';
    const bool upper = c >= 'A' && c <= 'Z';
    const bool digit = c >= '0' && c <= '9';
    classes[lower ? 0 : upper ? 1 : digit ? 2 : 3] = true;
  }
  facts.classes = static_cast<std::size_t>(std::count(classes.begin(), classes.end(), true));
  facts.distinct = seen.count();
  count_words(passphrase, facts);
  return facts;
}

bool holds_name(std::string_view passphrase, std::string_view name) noexcept {
  return !name.empty() && std::search(passphrase.begin(), passphrase.end(), name.begin(),
                                      name.end(), same_letter) != passphrase.end();
}

}  // namespace paravent::crypto
