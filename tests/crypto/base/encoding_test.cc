#include "crypto/base/encoding.h"

#include <gtest/gtest.h>

#include <random>

namespace paravent::crypto {
namespace {

// RFC 4648 section 10.
struct Rfc4648 {
  std::string_view clear, base64, base64url, hex;
};

constexpr Rfc4648 kRfc4648[] = {
    {"", "", "", ""},
    {"f", "Zg==", "Zg", "66"},
    {"fo", "Zm8=", "Zm8", "666f"},
    {"foo", "Zm9v", "Zm9v", "666f6f"},
    {"foob", "Zm9vYg==", "Zm9vYg", "666f6f62"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE", "666f6f6261"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy", "666f6f626172"},
    {"\xfb\xff\xfe", "+//+", "-__-", "fbfffe"},
};

std::string base64url_of(ByteView bytes) {
  std::string out;
  append_base64url(out, bytes);
  return out;
}

TEST(Encoding, PublishedExamples) {
  for (const Rfc4648& example : kRfc4648) {
    const ByteView clear = as_bytes(example.clear);
    const Bytes owned(clear.begin(), clear.end());
    EXPECT_EQ(to_base64(clear), example.base64);
    EXPECT_EQ(base64url_of(clear), example.base64url);
    EXPECT_EQ(to_hex(clear), example.hex);
    EXPECT_EQ(*from_base64(example.base64), owned);
    EXPECT_EQ(*from_base64url(example.base64url), owned);
    EXPECT_EQ(*from_hex(example.hex), owned);
  }
}

TEST(Encoding, AppendKeepsWhatIsThere) {
  std::string out = "x:";
  append_hex(out, as_bytes("f"));
  append_base64(out, as_bytes("f"));
  append_base64url(out, as_bytes("f"));
  EXPECT_EQ(out, "x:66Zg==Zg");
}

TEST(Encoding, HexHasOneSpelling) {
  for (const std::string_view bad : {"6", "6F", "6g", " 66", "66 ", "0x66", "6\n", "\xff\xff"}) {
    EXPECT_FALSE(from_hex(bad).has_value()) << bad;
  }
}

TEST(Encoding, Base64HasOneSpelling) {
  for (const std::string_view bad :
       {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8", "Zm9v====", "=",
        "==", "====", "A===", "Z=g=", "Zg==Zg==", "Zm9v\n", " Zm9v", "-__-", "Zm 9v", "Zm9v="}) {
    EXPECT_FALSE(from_base64(bad).has_value()) << bad;
  }
  for (const std::string_view bad :
       {"Z", "Zg==", "Zh", "Zm9", "+//+", "Zm9v=", "Zm9v Y", "Zm9vYg\n"}) {
    EXPECT_FALSE(from_base64url(bad).has_value()) << bad;
  }
}

// Six bits at a time, as RFC 4648 tells it: the oracle of the writers that take many at once.
std::string plain_base64(const Bytes& bytes, std::string_view last_two, bool padded) {
  const std::string alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + std::string(last_two);
  std::string out;
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 6) {
    std::size_t value = 0;
    for (std::size_t i = bit; i < bit + 6; ++i) {
      const unsigned byte = i / 8 < bytes.size() ? bytes[i / 8] : 0U;
      value = value * 2 + ((byte >> (7 - i % 8)) & 1U);
    }
    out.push_back(alphabet[value]);
  }
  while (padded && out.size() % 4 != 0) out.push_back('=');
  return out;
}

TEST(Encoding, WritesWhatThePlainAlgorithmWritesForEveryLength) {
  std::mt19937 random(2);
  for (std::size_t size = 0; size < 300; ++size) {
    Bytes bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    ASSERT_EQ(to_base64(bytes), plain_base64(bytes, "+/", true)) << size;
    ASSERT_EQ(base64url_of(bytes), plain_base64(bytes, "-_", false)) << size;
  }
}

TEST(Encoding, RandomBytesComeBack) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 200; ++size) {
    Bytes bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    EXPECT_EQ(*from_hex(to_hex(bytes)), bytes);
    EXPECT_EQ(*from_base64(to_base64(bytes)), bytes);
    EXPECT_EQ(*from_base64url(base64url_of(bytes)), bytes);
  }
}

}  // namespace
}  // namespace paravent::crypto
