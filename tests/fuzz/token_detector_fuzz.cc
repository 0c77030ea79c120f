// Token detector on any text: hits are tokens, in order, apart, between word boundaries, and none
// is missed among the words of the text.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "crypto/tokens/token_detector.h"
#include "crypto/tokens/token_text.h"

namespace pc = paravent::crypto;

namespace {

bool word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::size_t hits = 0;
  std::size_t end = 0;
  pc::find_tokens(text, [&](std::size_t offset, std::size_t length) {
    if (offset < end || length == 0 || offset + length > text.size()) std::abort();
    if (!pc::parse_token(text.substr(offset, length))) std::abort();
    if (offset > 0 && word(text[offset - 1])) std::abort();
    end = offset + length;
    if (end < text.size() && word(text[end])) std::abort();
    ++hits;
  });
  if (pc::contains_token(text) != (hits > 0)) std::abort();

  std::size_t short_words = 0;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t stop = i;
    while (stop < text.size() && word(text[stop])) ++stop;
    const auto facts = pc::check_token(text.substr(i, stop - i));
    if (facts && facts->token_class != pc::TokenClass::encrypted &&
        facts->token_class != pc::TokenClass::sealed) {
      ++short_words;
    }
    i = stop + 1;
  }
  if (short_words > hits) std::abort();
  return 0;
}
