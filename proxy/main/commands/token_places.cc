#include "proxy/main/commands/token_places.h"

#include <algorithm>
#include <array>
#include <cstdio>

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

bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

// The six classes of docs/token-format.md.
bool begins_as_token(std::string_view word, std::string_view one_class) {
  constexpr std::size_t kShortest = 16;
  constexpr std::array<std::string_view, 6> kBeginnings = {"pvv1", "pvd1", "pvh1",
                                                           "pvi1", "pve_", "pvs_"};
  return word.size() >= kShortest && word.starts_with(one_class) &&
         std::any_of(kBeginnings.begin(), kBeginnings.end(),
                     [&](std::string_view beginning) { return word.starts_with(beginning); });
}

}  // namespace

std::size_t count_damaged_tokens(std::string_view text, const std::vector<TokenPlace>& places,
                                 std::string_view one_class) {
  std::size_t damaged = 0;
  auto place = places.begin();
  for (std::size_t at = 0; at < text.size();) {
    if (place != places.end() && at >= place->begin) {
      at = place->end;
      ++place;
      continue;
    }
    const std::size_t limit = place != places.end() ? place->begin : text.size();
    std::size_t end = at;
    while (end < limit && is_token_character(text[end])) ++end;
    if (begins_as_token(text.substr(at, end - at), one_class)) ++damaged;
    at = end > at ? end : at + 1;
  }
  return damaged;
}

void warn_of_damaged_tokens(std::size_t damaged) {
  if (damaged == 0) return;
  std::fprintf(stderr,
               "paravent: warning: what looks like a token and is damaged, by a typing error or a "
               "line break, stands as it was (%zu).\n",
               damaged);
}

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
