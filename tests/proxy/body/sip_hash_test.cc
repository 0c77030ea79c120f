#include "proxy/body/sip_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace paravent::proxy::body {
namespace {

// The authors' vectors for SipHash-2-4: key 00 01 .. 0f, text 00 01 .. (n - 1).
TEST(SipHash, AgreesWithThePublishedVectors) {
  const SipKey key{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
  std::string text;
  for (char c = 0; c < 15; ++c) text.push_back(c);
  const auto hash = [&](std::size_t n) {
    return sip_hash<2, 4>(key, std::string_view(text).substr(0, n));
  };
  EXPECT_EQ(hash(0), 0x726fdb47dd0e0e31U);
  EXPECT_EQ(hash(1), 0x74f839c593dc67fdU);
  EXPECT_EQ(hash(8), 0x93f5f5799a932462U);
  EXPECT_EQ(hash(15), 0xa129ca6149be45e5U);
}

TEST(SipHash, DependsOnBothHalvesOfTheKey) {
  const std::uint64_t hash = sip_hash({1, 2}, "email");
  EXPECT_NE(hash, sip_hash({3, 2}, "email"));
  EXPECT_NE(hash, sip_hash({1, 3}, "email"));
  EXPECT_NE(hash, sip_hash({1, 2}, "emaim"));
}

}  // namespace
}  // namespace paravent::proxy::body
