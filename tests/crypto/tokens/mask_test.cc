// Masking: never more than four characters or a quarter, never a cut character, never a valid
// value.

#include "crypto/tokens/mask.h"

#include <gtest/gtest.h>

#include "crypto/tokens/normaliser.h"
#include "crypto/tokens/utf8.h"
#include "tests/crypto/tokens/cases.h"
#include "tests/crypto/tokens/naughty_strings.h"

namespace paravent::crypto {
namespace {

std::string masked(Kind kind, std::string_view value, std::size_t shown, MaskSide side) {
  std::string out = "kept";
  append_masked(kind, value, {.shown = shown, .side = side}, out);
  EXPECT_TRUE(out.starts_with("kept"));
  return out.substr(4);
}

TEST(Mask, Cases) {
  for (const auto& row : testing::read_cases("tests/crypto/tokens/cases/mask.tsv", 5)) {
    const auto kind = kind_from_name(row[0]);
    ASSERT_TRUE(kind) << row[0];
    const MaskSide side = row[3] == "end" ? MaskSide::end : MaskSide::beginning;
    EXPECT_EQ(masked(*kind, row[1], std::stoul(row[2]), side), row[4]) << row[0] << " " << row[1];
  }
}

TEST(Mask, EveryKindHasItsForm) {
  for (const KindInfo& info : kinds()) {
    const MaskForm form = mask_form(info.kind);
    EXPECT_LE(form.shown, kMostShown) << info.name;
  }
  EXPECT_EQ(mask_form(Kind::nir).side, MaskSide::end);
  EXPECT_EQ(mask_form(Kind::birth_date).shown, 0U);
}

TEST(Mask, DoesNotTellTheLength) {
  const auto shown = [](std::size_t length) {
    return masked(Kind::text, std::string(length, 'x'), 4, MaskSide::beginning);
  };
  for (const std::size_t length : {16U, 17U, 500U, 5000U, 1U << 20U}) {
    EXPECT_EQ(shown(length), "xxxx********") << length;
  }
  const std::string accents = "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9";
  EXPECT_EQ(masked(Kind::text, accents + accents + accents + accents, 4, MaskSide::end),
            "********" + accents);
}

TEST(Mask, APileOfMarksHidesNothing) {
  std::string pile = "a";
  for (int i = 0; i < 500; ++i) pile += "\xCC\x81";
  for (const MaskSide side : {MaskSide::beginning, MaskSide::end}) {
    EXPECT_EQ(masked(Kind::text, pile + pile + pile + pile, 4, side), "********");
  }
}

// Whatever comes in: text, at most four characters beside the mask, and nothing that its kind takes
// for a value.
TEST(Mask, NaughtyStringsStayMasked) {
  auto values = testing::naughty_strings();
  for (const char* kind : {"email", "phone", "ip"}) {
    const std::string path = "tests/crypto/tokens/cases/" + std::string(kind) + ".tsv";
    const std::size_t columns = std::string_view(kind) == "phone" ? 3 : 2;
    for (const auto& row : testing::read_cases(path, columns)) values.push_back(row[columns - 2]);
  }
  for (const std::string& value : values) {
    for (const KindInfo& info : kinds()) {
      for (const MaskSide side : {MaskSide::beginning, MaskSide::end}) {
        const std::string out = masked(info.kind, value, 4, side);
        ASSERT_TRUE(is_utf8(out));
        ASSERT_NE(out.find("********"), std::string::npos);
        ASSERT_LE(out.size(), 8U + 4 * 32 + 3 + 14) << value;
        if (info.kind == Kind::email || info.kind == Kind::phone || info.kind == Kind::ip) {
          std::string normal;
          EXPECT_FALSE(normalise(info.kind, out, {}, normal)) << out;
        }
      }
    }
  }
}

}  // namespace
}  // namespace paravent::crypto
