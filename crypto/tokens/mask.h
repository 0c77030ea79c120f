// Masking of a clear value (constructions 4.10): at most four characters or a quarter, whichever is
// less; a mask of fixed width; a result that is no valid value of its kind. For display, never as
// an identifier.
//
// Characters are grapheme clusters (UAX 29). Of addresses of machines, positions and birth dates
// nothing is shown, since every part of them tells something whole. E-mail: the
// beginning of the local part, and the domain only where it is one of the mass providers, which
// tells nothing about a person; the blanks around "@" keep the result from being an address.
//
// Pure; any thread. No heap for ASCII once `out` has room; other text goes through ICU.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/tokens/kind.h"

namespace paravent::crypto {

inline constexpr std::size_t kMostShown = 4;

// Of fixed width whatever the value, so that its length is not told either.
inline constexpr std::string_view kMask = "********";

enum class MaskSide : std::uint8_t { beginning, end };

struct MaskForm {
  std::string_view mask = kMask;
  std::size_t shown = 0;  // at most so many characters; never more than kMostShown
  MaskSide side = MaskSide::beginning;
};

// What a kind shows when nobody says more: the end of numbers, by which people know theirs, and the
// beginning of words.
MaskForm mask_form(Kind kind) noexcept;

// Appends the mask and what `form` lets show. Any bytes; what is not UTF-8 is masked whole.
void append_masked(Kind kind, std::string_view value, const MaskForm& form, std::string& out);

}  // namespace paravent::crypto
