// Two hundred thousand edits of tokens of every class, the kinds that typing, copying and software
// make: none is taken for a token. What carries no tag beyond its checksum is judged by the
// checksum.

#include <gtest/gtest.h>

#include <random>

#include "crypto/tokens/token_detector.h"
#include "tests/crypto/tokens/protector_fixture.h"

namespace paravent::crypto {
namespace {

constexpr std::string_view kCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_ +/=@.\n";

class Editor {
 public:
  explicit Editor(unsigned seed) : rng_(seed) {}

  std::string edit(std::string text, const std::string& other) {
    const std::size_t edits = 1 + below(3);
    for (std::size_t i = 0; i < edits; ++i) one_edit(text, other);
    return text;
  }

 private:
  std::size_t below(std::size_t n) { return n == 0 ? 0 : rng_() % n; }
  char character() { return kCharacters[below(kCharacters.size())]; }

  void one_edit(std::string& text, const std::string& other) {
    const std::size_t at = below(text.size());
    switch (below(8)) {
      case 0:
        if (!text.empty()) text[at] = character();
        return;
      case 1:
        text.insert(at, 1, character());
        return;
      case 2:
        if (!text.empty()) text.erase(at, 1 + below(3));
        return;
      case 3:
        if (at + 1 < text.size()) std::swap(text[at], text[at + 1]);
        return;
      case 4:  // doubled
        if (!text.empty()) text.insert(at, 1, text[at]);
        return;
      case 5:  // a piece twice
        text.insert(at, text.substr(below(text.size()), 1 + below(8)));
        return;
      case 6:  // the end of another token
        text = text.substr(0, at) + other.substr(std::min(at, other.size()));
        return;
      default:  // the case of one letter
        if (!text.empty()) text[at] = static_cast<char>(text[at] ^ 0x20);
        return;
    }
  }

  std::mt19937 rng_;
};

std::string lowered(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

TEST(TokenEdits, NoneIsTakenForAToken) {
  std::vector<std::string> tokens;
  for (const Algorithm algorithm :
       {Algorithm::derived, Algorithm::pseudonym, Algorithm::encrypted, Algorithm::address,
        Algorithm::address_prefix, Algorithm::address_random, Algorithm::sealed,
        Algorithm::sealed_single}) {
    const Kind kind = token_class_of(algorithm) == TokenClass::address ? Kind::ip : Kind::text;
    const auto key = testing::any_key_of(algorithm, kind);
    const auto protector = testing::protector_of(key);
    for (const char* value : {"192.0.2.1", "2001:db8::1"}) {
      tokens.push_back(testing::protect(*protector, {.kind = kind}, value));
    }
  }
  std::string vault;
  write_vault_token(7, std::array<std::uint8_t, kVaultIdSize>{1, 2, 3}, vault);
  tokens.push_back(vault);

  Editor editor(11);
  std::mt19937 rng(12);
  constexpr int kEdits = 200'000;
  int edited = 0;
  while (edited < kEdits) {
    const std::string& token = tokens[rng() % tokens.size()];
    const std::string text = editor.edit(token, tokens[rng() % tokens.size()]);
    // An edit may give the token back, or another whole one.
    const std::string canonical = text.size() > 3 && text[3] == '1' ? lowered(text) : text;
    if (std::find(tokens.begin(), tokens.end(), canonical) != tokens.end()) continue;
    ASSERT_FALSE(check_token(text)) << text;
    ++edited;
  }
}

}  // namespace
}  // namespace paravent::crypto
