// Masking: never more than four characters or a quarter, never a cut character, never a valid
// value.

#include "crypto/reveal/mask.h"

#include <gtest/gtest.h>

#include "crypto/tokens/normaliser.h"

namespace paravent::crypto::reveal {
namespace {

std::string masked(Kind kind, std::string_view value) {
  const SecretBytes out = mask_value(kind, as_bytes(value));
  return std::string(as_text(out.bytes()));
}

TEST(Mask, ShowsAQuarterAndAtMostFour) {
  EXPECT_EQ(masked(Kind::name, ""), "***");
  EXPECT_EQ(masked(Kind::name, "Eve"), "***");
  EXPECT_EQ(masked(Kind::name, "Anna"), "A***");
  EXPECT_EQ(masked(Kind::name, "Margaret"), "Ma***");
  EXPECT_EQ(masked(Kind::text, std::string(1000, 'x')), "xxxx***");
  EXPECT_EQ(masked(Kind::text, std::string(1U << 20U, 'x')), "xxxx***");
  EXPECT_EQ(masked(Kind::phone, "+33612345678"), "***678");
  EXPECT_EQ(masked(Kind::ip, "192.0.2.17"), "***");
  EXPECT_EQ(masked(Kind::card, "4111111111111111"), "***1111");
  EXPECT_EQ(masked(Kind::birth_date, "1984-05-21"), "***");
}

TEST(Mask, TheMaskDoesNotTellTheLength) {
  EXPECT_EQ(masked(Kind::text, std::string(16, 'x')), masked(Kind::text, std::string(500, 'x')));
}

TEST(Mask, MailDomainsOfMassProvidersOnly) {
  EXPECT_EQ(masked(Kind::email, "marie.curie@gmail.com"), "m*** @ gmail.com");
  EXPECT_EQ(masked(Kind::email, "marie@atelier-curie.fr"), "m*** @ ***");
  EXPECT_EQ(masked(Kind::email, "mc@gmail.com"), "*** @ gmail.com");
  EXPECT_EQ(masked(Kind::email, "not an address"), "***");
  EXPECT_EQ(masked(Kind::email, "marie@notgmail.com"), "m*** @ ***");
  EXPECT_EQ(masked(Kind::email, "marie@gmail.com.example"), "m*** @ ***");
  EXPECT_EQ(masked(Kind::email, "\"a@gmail.com\"@curie.fr"), "\"*** @ ***");
}

TEST(Mask, CharactersAreNotCut) {
  // e with a combining acute accent; a family emoji of several code points.
  EXPECT_EQ(masked(Kind::name, "e\xCC\x81lise"), "e\xCC\x81***");
  const std::string family =
      "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7";
  EXPECT_EQ(masked(Kind::text, family + "abc"), family + "***");
  EXPECT_EQ(masked(Kind::name, family), "***");
  std::string pile = "a";
  for (int i = 0; i < 500; ++i) pile += "\xCC\x81";
  EXPECT_EQ(masked(Kind::text, pile + "bcd"), "***");
  EXPECT_EQ(masked(Kind::text, "\xFF\xFE not text"), "***");
  EXPECT_EQ(masked(Kind::email, "\xFF@gmail.com"), "***");
}

TEST(Mask, NoResultIsAValidValue) {
  std::string out;
  for (const char* value : {"marie.curie@gmail.com", "m@x.fr"}) {
    EXPECT_FALSE(normalise(Kind::email, masked(Kind::email, value), {}, out)) << value;
  }
  EXPECT_FALSE(normalise(Kind::phone, masked(Kind::phone, "+33612345678"), {}, out));
  EXPECT_FALSE(normalise(Kind::ip, masked(Kind::ip, "192.0.2.17"), {}, out));
}

}  // namespace
}  // namespace paravent::crypto::reveal
