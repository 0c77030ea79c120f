#include "crypto/primitives/totp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace paravent::crypto {
namespace {

// The secret of RFC 6238 appendix B, which is also that of RFC 4226 appendix D.
TotpSecret rfc_secret() {
  TotpSecret secret{};
  const std::string_view text = "12345678901234567890";
  std::copy(text.begin(), text.end(), secret.begin());
  return secret;
}

WallTime at(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

TEST(Totp, VectorsOfRfc6238) {
  const std::vector<std::pair<std::int64_t, std::string>> vectors = {
      {59, "94287082"},         {1111111109, "07081804"}, {1111111111, "14050471"},
      {1234567890, "89005924"}, {2000000000, "69279037"}, {20000000000, "65353130"}};
  for (const auto& [time, code] : vectors) {
    EXPECT_EQ(totp_code(rfc_secret(), totp_step(at(time)), 8), code) << time;
  }
}

TEST(Totp, VectorsOfRfc4226) {
  const std::vector<std::string> codes = {"755224", "287082", "359152", "969429", "338314",
                                          "254676", "287922", "162583", "399871", "520489"};
  for (std::size_t counter = 0; counter < codes.size(); ++counter) {
    EXPECT_EQ(totp_code(rfc_secret(), counter), codes[counter]);
  }
}

TEST(Totp, OneStepBeforeAndAfterAndEachOnce) {
  const TotpSecret secret = rfc_secret();
  const WallTime now = at(300);  // step 10
  for (std::uint64_t step = 7; step <= 13; ++step) {
    const auto accepted = accept_totp(secret, totp_code(secret, step), now, 0);
    EXPECT_EQ(accepted.has_value(), step >= 9 && step <= 11) << step;
    if (accepted) {
      EXPECT_EQ(*accepted, step);
    }
  }
  EXPECT_FALSE(accept_totp(secret, totp_code(secret, 10), now, 10).has_value());
  EXPECT_FALSE(accept_totp(secret, totp_code(secret, 9), now, 10).has_value());
  EXPECT_TRUE(accept_totp(secret, totp_code(secret, 11), now, 10).has_value());
  for (const char* wrong : {"", "12345", "1234567", "abcdef"}) {
    EXPECT_FALSE(accept_totp(secret, wrong, now, 0).has_value()) << wrong;
  }
  EXPECT_FALSE(accept_totp(secret, totp_code(secret, 10, 8), now, 0).has_value());
}

TEST(Totp, TheSecretInBase32) {
  EXPECT_EQ(totp_secret_text(rfc_secret()), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
}

}  // namespace
}  // namespace paravent::crypto
