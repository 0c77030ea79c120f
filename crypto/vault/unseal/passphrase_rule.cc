#include "crypto/vault/unseal/passphrase_rule.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>

namespace paravent::crypto::vault {
namespace {

constexpr std::size_t kFewestDistinct = 6;
constexpr std::size_t kFewestWords = 7;
constexpr std::size_t kFewestDistinctWords = 6;
constexpr std::size_t kShortestWord = 3;

struct Facts {
  std::size_t characters = 0;  // code points, roughly: bytes that begin one
  std::size_t classes = 0;
  std::size_t distinct = 0;
  bool printable = true;
};

Facts facts_of(ByteView text) {
  Facts facts;
  std::bitset<256> seen;
  std::array<bool, 4> classes{};
  for (const std::uint8_t byte : text) {
    facts.printable = facts.printable && byte >= 0x20 && byte != 0x7F;
    facts.characters += (byte & 0xC0U) != 0x80U ? 1U : 0U;
    seen.set(byte);
    const bool lower = byte >= 'a' && byte <= 'z';
    const bool upper = byte >= 'A' && byte <= 'Z';
    const bool digit = byte >= '0' && byte <= '9';
    classes[lower ? 0 : upper ? 1 : digit ? 2 : 3] = true;
  }
  facts.classes = static_cast<std::size_t>(std::count(classes.begin(), classes.end(), true));
  facts.distinct = seen.count();
  return facts;
}

// Words of three letters or more, and how many different ones. Compared where they lie: a list of
// copies would be one more place to wipe.
bool has_words(std::string_view text) {
  std::array<std::string_view, 64> words;
  std::size_t count = 0;
  std::size_t distinct = 0;
  std::size_t begin = 0;
  while (begin < text.size() && count < words.size()) {
    const std::size_t end = std::min(text.find_first_of(" -_.,", begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    if (word.size() >= kShortestWord) {
      const auto known = words.begin() + static_cast<std::ptrdiff_t>(count);
      distinct += std::find(words.begin(), known, word) == known ? 1U : 0U;
      words[count++] = word;
    }
    begin = end + 1;
  }
  return count >= kFewestWords && distinct >= kFewestDistinctWords;
}

}  // namespace

Status check_passphrase(ByteView passphrase) {
  const Facts facts = facts_of(passphrase);
  if (passphrase.size() > kMaxPassphrase || !facts.printable) {
    return Error(ErrorKind::usage,
                 "A pass-phrase is one line of at most 1024 bytes without control characters.");
  }
  const bool enough =
      facts.distinct >= kFewestDistinct &&
      ((facts.characters >= 12 && facts.classes == 4) ||
       (facts.characters >= 14 && facts.classes >= 3) || has_words(as_text(passphrase)));
  if (enough) return {};
  return Error(ErrorKind::usage,
               "The pass-phrase is too easy to guess: take seven words, or 14 characters of three "
               "kinds (small and capital letters, digits, others), or 12 of all four.");
}

}  // namespace paravent::crypto::vault
