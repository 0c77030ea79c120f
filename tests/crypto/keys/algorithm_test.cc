#include "crypto/keys/algorithm.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace paravent::crypto {
namespace {

// The numbers are inside stored tokens: this test exists so that nobody renumbers.
TEST(Algorithm, NumbersAreFixed) {
  const std::pair<unsigned, std::string_view> fixed[] = {
      {1, "vault-token"},
      {2, "derived"},
      {3, "pseudonym"},
      {4, "encrypted"},
      {5, "address"},
      {6, "address-prefix"},
      {7, "address-random"},
      {8, "sealed"},
      {9, "sealed-single"},
      {10, "format-preserving"},
      {16, "vault-row"},
      {17, "audit-detail"},
      {18, "map-cookie"},
      {11, "encrypted-subject"},
      {19, "subject-reference"},
      {20, "vault-row-subject"},
  };
  std::set<unsigned> known;
  for (const auto& [number, name] : fixed) {
    const auto algorithm = algorithm_from(static_cast<std::uint8_t>(number));
    ASSERT_TRUE(algorithm.has_value()) << number;
    EXPECT_EQ(static_cast<unsigned>(*algorithm), number);
    EXPECT_EQ(algorithm_name(*algorithm), name);
    known.insert(number);
  }
  for (unsigned number = 0; number < 256; ++number) {
    EXPECT_EQ(algorithm_from(static_cast<std::uint8_t>(number)).has_value(),
              known.contains(number));
  }
}

}  // namespace
}  // namespace paravent::crypto
