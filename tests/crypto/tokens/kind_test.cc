#include "crypto/tokens/kind.h"

#include <gtest/gtest.h>

#include <string>

#include "crypto/tokens/normaliser.h"

namespace paravent::crypto {
namespace {

TEST(Kind, NumbersAreFixedForEver) {
  EXPECT_EQ(kind_from_number(1), Kind::text);
  EXPECT_EQ(kind_from_number(2), Kind::name);
  EXPECT_EQ(kind_from_number(3), Kind::email);
  EXPECT_EQ(kind_from_number(4), Kind::phone);
  EXPECT_EQ(kind_from_number(5), Kind::ip);
  EXPECT_EQ(kind_from_number(0), std::nullopt);
  EXPECT_EQ(kind_from_number(6), Kind::address);
  EXPECT_EQ(kind_from_number(7), Kind::birth_date);
  EXPECT_EQ(kind_from_number(8), Kind::iban);
  EXPECT_EQ(kind_from_number(9), Kind::card);
  EXPECT_EQ(kind_from_number(10), Kind::nir);
  EXPECT_EQ(kind_from_number(11), Kind::siren);
  EXPECT_EQ(kind_from_number(12), Kind::siret);
  EXPECT_EQ(kind_from_number(13), Kind::gps);
  EXPECT_EQ(kind_from_number(14), Kind::user_agent);
  EXPECT_EQ(kind_from_number(15), Kind::url);
  EXPECT_EQ(kind_from_number(16), std::nullopt);
  EXPECT_EQ(kinds().size(), 15U);
}

TEST(Kind, NamesRoundTrip) {
  for (std::uint8_t number = 1; number <= 15; ++number) {
    const Kind kind = *kind_from_number(number);
    EXPECT_FALSE(kind_name(kind).empty());
    EXPECT_EQ(kind_from_name(kind_name(kind)), kind);
    EXPECT_EQ(normaliser_id(kind), number * 256 + 1);
  }
  EXPECT_EQ(kind_from_name("Email"), std::nullopt);
  EXPECT_EQ(kind_from_name(""), std::nullopt);
}

}  // namespace
}  // namespace paravent::crypto
