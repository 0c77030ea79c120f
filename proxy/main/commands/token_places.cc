#include "proxy/main/commands/token_places.h"

#include "crypto/base/bytes.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/token_detector.h"
#include "crypto/tokens/token_text.h"

namespace paravent::proxy::main {
namespace {

bool is_domain_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-';
}

}  // namespace

std::vector<TokenPlace> find_token_places(std::string_view text) {
  std::vector<TokenPlace> places;
  crypto::find_tokens(text, [&](std::size_t offset, std::size_t length) {
    std::size_t end = offset + length;
    if (end < text.size() && text[end] == '@') {
      std::size_t domain_end = end + 1;
      while (domain_end < text.size() && is_domain_character(text[domain_end])) ++domain_end;
      // A full stop behind the address ends the sentence, not the domain.
      while (text[domain_end - 1] == '.' || text[domain_end - 1] == '-') --domain_end;
      const std::string_view shaped = text.substr(offset, domain_end - offset);
      if (crypto::strip_email_shape(shaped).size() == length) end = domain_end;
    }
    places.push_back({offset, end, std::string(text.substr(offset, length))});
  });
  return places;
}

ReplacedText replace_tokens(
    std::string_view text, const std::vector<TokenPlace>& places,
    const std::function<std::optional<std::string>(const TokenPlace&)>& value_of) {
  ReplacedText out;
  std::size_t at = 0;
  for (const TokenPlace& place : places) {
    out.text.append(text.substr(at, place.begin - at));
    if (auto value = value_of(place)) {
      out.text.append(*value);
      crypto::wipe(*value);
    } else {
      out.text.append(text.substr(place.begin, place.end - place.begin));
      ++out.kept;
    }
    at = place.end;
  }
  out.text.append(text.substr(at));
  return out;
}

}  // namespace paravent::proxy::main
