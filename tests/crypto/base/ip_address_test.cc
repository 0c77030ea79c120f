#include "crypto/base/ip_address.h"

#include <gtest/gtest.h>

#include <random>

namespace paravent::crypto {
namespace {

std::string written(const IpAddress& address) {
  std::string out;
  append_ip(address, out);
  return out;
}

TEST(IpAddress, BothSpellingsOfIpv4AreOneValue) {
  const auto dotted = parse_ip("203.0.113.9");
  ASSERT_TRUE(dotted);
  EXPECT_TRUE(is_ipv4(*dotted));
  EXPECT_EQ(dotted, parse_ip("::FFFF:cb00:7109"));
  EXPECT_EQ(written(*dotted), "203.0.113.9");
  EXPECT_FALSE(is_ipv4(*parse_ip("::203.0.113.9")));
}

TEST(IpAddress, OnlyAddressesAreRead) {
  for (const char* text : {"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4:80", " 1.2.3.4", "[::1]",
                           "::1%eth0", "::1/64", "::gggg", "1:2:3:4:5:6:7:8:9"}) {
    EXPECT_FALSE(parse_ip(text)) << text;
  }
  EXPECT_FALSE(parse_ip(std::string_view("1.2.3.4\0", 8)));
  EXPECT_FALSE(parse_ip(std::string(1000, '1')));
}

// What is written is read back as the same value, and is the one spelling of it.
TEST(IpAddress, WritingAndReadingAreInverse) {
  std::mt19937 rng(1);
  for (int i = 0; i < 20'000; ++i) {
    IpAddress address{};
    const auto zeros = rng();  // runs of zeros are where spellings differ
    for (std::size_t j = 0; j < address.size(); ++j) {
      if ((zeros >> (j / 2) & 1U) != 0) address[j] = static_cast<std::uint8_t>(rng());
    }
    const auto again = parse_ip(written(address));
    ASSERT_TRUE(again) << written(address);
    ASSERT_EQ(*again, address) << written(address);
  }
}

}  // namespace
}  // namespace paravent::crypto
