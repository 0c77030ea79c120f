#include "crypto/tokens/mask.h"

#include <unicode/ubrk.h>
#include <unicode/utext.h>

#include <algorithm>
#include <array>
#include <memory>

#include "crypto/tokens/utf8.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kMostBytes = 32;   // of one character
constexpr std::size_t kMostRead = 4096;  // beyond, only the beginning is looked at
// Whoever has so many characters has four in a quarter; counting on would change nothing.
constexpr std::size_t kEnough = kMostShown * 4;

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

// Where the characters end, counted from the side that shows: `edges[i]` is the byte offset behind
// character i, or before the last i + 1 characters. At most kEnough.
struct Edges {
  std::array<std::size_t, kEnough> at{};
  std::size_t count = 0;
};

Edges ascii_edges(std::string_view value, MaskSide side) {
  Edges edges;
  edges.count = std::min(value.size(), kEnough);
  for (std::size_t i = 0; i < edges.count; ++i) {
    edges.at[i] = side == MaskSide::beginning ? i + 1 : value.size() - i - 1;
  }
  return edges;
}

Edges icu_edges(std::string_view value, MaskSide side) {
  Edges edges;
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UText, TextDeleter> text(
      utext_openUTF8(nullptr, value.data(), static_cast<std::int64_t>(value.size()), &error));
  const std::unique_ptr<UBreakIterator, BreakDeleter> characters(
      ubrk_open(UBRK_CHARACTER, "", nullptr, 0, &error));
  if (U_FAILURE(error) != 0) return edges;  // shows nothing
  ubrk_setUText(characters.get(), text.get(), &error);
  if (U_FAILURE(error) != 0) return edges;
  const bool forwards = side == MaskSide::beginning;
  if (!forwards) ubrk_last(characters.get());
  while (edges.count < kEnough) {
    const std::int32_t edge =
        forwards ? ubrk_next(characters.get()) : ubrk_previous(characters.get());
    if (edge == UBRK_DONE) break;
    edges.at[edges.count++] = static_cast<std::size_t>(edge);
  }
  return edges;
}

// In ASCII each byte is a character, but for CR LF.
bool is_one_byte_each(std::string_view value) noexcept {
  return is_ascii(value) && value.find('\r') == std::string_view::npos;
}

std::string_view shown_part(std::string_view value, MaskSide side, std::size_t most) {
  const Edges edges = is_one_byte_each(value) ? ascii_edges(value, side) : icu_edges(value, side);
  const std::size_t count = std::min({most, kMostShown, edges.count / 4});
  if (count == 0) return {};
  const std::size_t edge = edges.at[count - 1];
  const std::string_view part =
      side == MaskSide::beginning ? value.substr(0, edge) : value.substr(edge);
  // One "character" can be a long pile of marks that hides a text of its own.
  return part.size() <= kMostShown * kMostBytes ? part : std::string_view();
}

void append_masked_email(std::string_view value, const MaskForm& form, std::string& out) {
  const std::size_t at = value.rfind('@');
  if (at == std::string_view::npos) {
    out.append(form.mask);
    return;
  }
  if (form.side == MaskSide::beginning) {
    out.append(shown_part(value.substr(0, at), form.side, form.shown));
  }
  const std::string_view domain = value.substr(at + 1);
  const bool mass = std::binary_search(kMassProviders.begin(), kMassProviders.end(), domain);
  out.append(form.mask).append(" @ ").append(mass ? domain : form.mask);
}

// What would tell too much by any of its characters.
bool shows_nothing(Kind kind) noexcept {
  return kind == Kind::ip || kind == Kind::birth_date || kind == Kind::gps;
}

}  // namespace

MaskForm mask_form(Kind kind) noexcept {
  MaskForm form{.shown = kMostShown};
  switch (kind) {
    case Kind::email:
      form.shown = 1;
      break;
    case Kind::phone:
    case Kind::iban:
    case Kind::card:
    case Kind::nir:  // begins with the sex and the year of birth
    case Kind::siren:
    case Kind::siret:
      form.side = MaskSide::end;
      break;
    case Kind::ip:
    case Kind::birth_date:
    case Kind::gps:
      form.shown = 0;
      break;
    case Kind::text:
    case Kind::name:
    case Kind::address:
    case Kind::user_agent:
    case Kind::url:
      break;
  }
  return form;
}

void append_masked(Kind kind, std::string_view value, const MaskForm& form, std::string& out) {
  const bool too_long = value.size() > kMostRead;
  if (form.shown == 0 || shows_nothing(kind) || !is_utf8(value) ||
      (too_long && (kind == Kind::email || form.side == MaskSide::end))) {
    out.append(form.mask);
    return;
  }
  if (kind == Kind::email) {
    append_masked_email(value, form, out);
    return;
  }
  const std::string_view part = shown_part(value.substr(0, kMostRead), form.side, form.shown);
  if (form.side == MaskSide::beginning) {
    out.append(part).append(form.mask);
  } else {
    out.append(form.mask).append(part);
  }
}

}  // namespace paravent::crypto
