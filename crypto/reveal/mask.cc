#include "crypto/reveal/mask.h"

#include <unicode/ubrk.h>
#include <unicode/utext.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/tokens/utf8.h"

namespace paravent::crypto::reveal {
namespace {

constexpr std::string_view kMask = "***";
constexpr std::size_t kMostShown = 4;
constexpr std::size_t kMostBytes = 32;  // of one character

constexpr std::array<std::string_view, 36> kMassProviders{
    "aol.com",     "bbox.fr",        "free.fr",        "gmail.com",   "gmx.com",     "gmx.de",
    "gmx.fr",      "gmx.net",        "googlemail.com", "hotmail.com", "hotmail.fr",  "icloud.com",
    "laposte.net", "libero.it",      "live.com",       "live.fr",     "mac.com",     "mail.ru",
    "me.com",      "msn.com",        "neuf.fr",        "orange.fr",   "outlook.com", "outlook.fr",
    "proton.me",   "protonmail.com", "sfr.fr",         "sfr.net",     "t-online.de", "wanadoo.fr",
    "web.de",      "yahoo.co.uk",    "yahoo.com",      "yahoo.de",    "yahoo.fr",    "ymail.com"};
static_assert(std::is_sorted(kMassProviders.begin(), kMassProviders.end()));

struct BreakDeleter {
  void operator()(UBreakIterator* iterator) const noexcept { ubrk_close(iterator); }
};
struct TextDeleter {
  void operator()(UText* text) const noexcept { utext_close(text); }
};

// The byte offsets at which characters end, in order.
std::vector<std::size_t> character_ends(std::string_view value) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UText, TextDeleter> text(
      utext_openUTF8(nullptr, value.data(), static_cast<std::int64_t>(value.size()), &error));
  const std::unique_ptr<UBreakIterator, BreakDeleter> characters(
      ubrk_open(UBRK_CHARACTER, "", nullptr, 0, &error));
  std::vector<std::size_t> ends;
  if (U_FAILURE(error) != 0) return ends;  // shows nothing
  ubrk_setUText(characters.get(), text.get(), &error);
  if (U_FAILURE(error) != 0) return ends;
  for (std::int32_t end = ubrk_next(characters.get()); end != UBRK_DONE;
       end = ubrk_next(characters.get())) {
    ends.push_back(static_cast<std::size_t>(end));
  }
  return ends;
}

enum class Side : std::uint8_t { beginning, end };

std::string_view shown_part(std::string_view value, Side side, std::size_t most) {
  const std::vector<std::size_t> ends = character_ends(value);
  const std::size_t count = std::min(most, ends.size() / 4);
  if (count == 0) return {};
  const std::string_view part = side == Side::beginning
                                    ? value.substr(0, ends[count - 1])
                                    : value.substr(ends[ends.size() - count - 1]);
  // One "character" can be a long pile of marks that hides a text of its own.
  return part.size() <= kMostShown * kMostBytes ? part : std::string_view();
}

std::string masked_email(std::string_view value) {
  const std::size_t at = value.rfind('@');
  if (at == std::string_view::npos) return std::string(kMask);
  const std::string_view domain = value.substr(at + 1);
  std::string out(shown_part(value.substr(0, at), Side::beginning, 1));
  out.append(kMask).append(" @ ");
  const bool mass = std::binary_search(kMassProviders.begin(), kMassProviders.end(), domain);
  return out.append(mass ? domain : kMask);
}

std::string masked(Kind kind, std::string_view value) {
  // Beyond this size the quarter is far above the four characters anyway.
  constexpr std::size_t kMostRead = 4096;
  if (!is_utf8(value)) return std::string(kMask);
  switch (kind) {
    case Kind::email:
      return value.size() > kMostRead ? std::string(kMask) : masked_email(value);
    case Kind::phone:
      return std::string(kMask).append(
          value.size() > kMostRead ? std::string_view() : shown_part(value, Side::end, kMostShown));
    case Kind::name:
    case Kind::text:
    case Kind::address:
    case Kind::birth_date:
    case Kind::iban:
    case Kind::card:
    case Kind::nir:
    case Kind::siren:
    case Kind::siret:
    case Kind::gps:
    case Kind::user_agent:
    case Kind::url:
      return std::string(shown_part(value.substr(0, kMostRead), Side::beginning, kMostShown))
          .append(kMask);
    case Kind::ip:
      return std::string(kMask);
  }
  return std::string(kMask);
}

}  // namespace

SecretBytes mask_value(Kind kind, ByteView value) {
  std::string text = masked(kind, as_text(value));
  SecretBytes out = SecretBytes::copy_of(text);
  wipe(text);
  return out;
}

}  // namespace paravent::crypto::reveal
