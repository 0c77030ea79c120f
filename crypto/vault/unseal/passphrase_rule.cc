#include "crypto/vault/unseal/passphrase_rule.h"

#include "crypto/primitives/passphrase_facts.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::size_t kFewestDistinct = 6;
constexpr std::size_t kFewestWords = 7;
constexpr std::size_t kFewestDistinctWords = 6;

}  // namespace

Status check_passphrase(ByteView passphrase) {
  const PassphraseFacts facts = passphrase_facts(as_text(passphrase));
  if (passphrase.size() > kMaxPassphrase || !facts.printable) {
    return Error(ErrorKind::usage,
                 "A pass-phrase is one line of at most 1024 bytes without control characters.");
  }
  const bool has_words =
      facts.words >= kFewestWords && facts.distinct_words >= kFewestDistinctWords;
  const bool enough = facts.distinct >= kFewestDistinct &&
                      ((facts.characters >= 12 && facts.classes == 4) ||
                       (facts.characters >= 14 && facts.classes >= 3) || has_words);
  if (enough) return {};
  return Error(ErrorKind::usage,
               "The pass-phrase is too easy to guess: take seven words, or 14 characters of three "
               "kinds (small and capital letters, digits, others), or 12 of all four.");
}

}  // namespace paravent::crypto::vault
