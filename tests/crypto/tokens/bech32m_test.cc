#include "crypto/tokens/bech32m.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <random>

#include "tests/support/whole_file.h"

namespace paravent::crypto {
namespace {

boost::json::object vectors() {
  const std::string text = test::whole_file("tests/vectors/bech32m/bip350.json");
  return boost::json::parse(text).as_object();
}

std::string text_of(const boost::json::value& value) {
  // The file writes single bytes as code points (U+0080 is the byte 0x80).
  std::string bytes;
  const std::string utf8(value.as_string());
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    if (lead < 0x80) {
      bytes.push_back(utf8[i]);
    } else {
      bytes.push_back(static_cast<char>((lead << 6) | (utf8[++i] & 0x3F)));
    }
  }
  return bytes;
}

TEST(Bech32m, AcceptsThePublishedValidStrings) {
  const auto file = vectors();
  ASSERT_EQ(file.at("valid").as_array().size(), 7U);
  for (const auto& value : file.at("valid").as_array()) {
    EXPECT_TRUE(decode_bech32m(text_of(value))) << text_of(value);
  }
}

TEST(Bech32m, RefusesThePublishedInvalidStrings) {
  const auto file = vectors();
  ASSERT_EQ(file.at("invalid").as_array().size(), 14U);
  for (const auto& value : file.at("invalid").as_array()) {
    EXPECT_FALSE(decode_bech32m(text_of(value))) << text_of(value);
  }
}

// BIP-173's reference formulation, symbol by symbol, as the oracle of the table-driven writer.
std::string reference_encode(const std::string& hrp, const std::vector<std::uint8_t>& symbols) {
  const std::string alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  std::uint32_t state = 1;
  const auto feed = [&](std::uint32_t value) {
    const std::uint32_t top = state >> 25;
    state = ((state & 0x1FFFFFF) << 5) ^ value;
    const std::uint32_t generator[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    for (unsigned i = 0; i < 5; ++i) state ^= ((top >> i) & 1) != 0 ? generator[i] : 0;
  };
  for (const char c : hrp) feed(static_cast<unsigned char>(c) >> 5);
  feed(0);
  for (const char c : hrp) feed(static_cast<unsigned char>(c) & 31);
  std::string text = hrp + "1";
  for (const auto symbol : symbols) {
    feed(symbol);
    text.push_back(alphabet[symbol]);
  }
  for (int i = 0; i < 6; ++i) feed(0);
  state ^= 0x2bc830a3;
  for (unsigned i = 0; i < 6; ++i) text.push_back(alphabet[(state >> (5 * (5 - i))) & 31]);
  return text;
}

std::vector<std::uint8_t> to_symbols(const Bytes& payload) {
  std::vector<std::uint8_t> symbols;
  for (std::size_t bit = 0; bit < payload.size() * 8; bit += 5) {
    unsigned symbol = 0;
    for (std::size_t i = bit; i < bit + 5; ++i) {
      const unsigned one =
          i < payload.size() * 8 ? (std::uint32_t{payload[i / 8]} >> (7 - i % 8)) & 1U : 0U;
      symbol = symbol * 2 + one;
    }
    symbols.push_back(static_cast<std::uint8_t>(symbol));
  }
  return symbols;
}

TEST(Bech32m, WritesWhatTheReferenceWritesForEveryLength) {
  std::mt19937 rng(1);
  for (std::size_t size = 1; size <= 534; ++size) {
    Bytes payload(size);
    for (auto& byte : payload) byte = static_cast<std::uint8_t>(rng());
    std::string text = "kept ";
    append_bech32m(text, "pvd", payload);
    ASSERT_EQ(text, "kept " + reference_encode("pvd", to_symbols(payload))) << size;
    text.erase(0, 5);
    Bytes back(size);
    ASSERT_TRUE(decode_bech32m_payload(text, "pvd", back)) << size;
    ASSERT_EQ(back, payload);
    const auto generic = decode_bech32m(text, 2000);
    ASSERT_TRUE(generic);
    ASSERT_EQ(generic->hrp, "pvd");
    ASSERT_EQ(generic->symbols, to_symbols(payload));
  }
}

TEST(Bech32m, OneCase) {
  std::string text;
  append_bech32m(text, "pvv", Bytes(22, 0xAB));
  std::string upper = text;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  Bytes payload(22);
  EXPECT_TRUE(decode_bech32m_payload(upper, "pvv", payload));
  EXPECT_EQ(payload, Bytes(22, 0xAB));
  EXPECT_EQ(decode_bech32m(upper)->hrp, "pvv");
  int letters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == upper[i]) continue;
    std::string mixed = text;
    mixed[i] = upper[i];
    EXPECT_FALSE(decode_bech32m_payload(mixed, "pvv", payload)) << mixed;
    EXPECT_FALSE(decode_bech32m(mixed)) << mixed;
    ++letters;
  }
  EXPECT_GT(letters, 10);
}

TEST(Bech32m, SpareBitsMustBeZero) {
  const Bytes payload(22, 0x11);  // 176 bits: the last symbol has four spare ones
  auto symbols = to_symbols(payload);
  Bytes back(22);
  ASSERT_TRUE(decode_bech32m_payload(reference_encode("pvv", symbols), "pvv", back));
  for (std::uint8_t spare = 1; spare < 16; ++spare) {
    auto altered = symbols;
    altered.back() = static_cast<std::uint8_t>(altered.back() | spare);
    const std::string text = reference_encode("pvv", altered);
    ASSERT_TRUE(decode_bech32m(text)) << "a valid Bech32m string, but no whole bytes";
    EXPECT_FALSE(decode_bech32m_payload(text, "pvv", back));
  }
}

TEST(Bech32m, LengthsThatNoByteCountGivesAreRefused) {
  EXPECT_EQ(bech32m_payload_size(36), 22U);
  EXPECT_EQ(bech32m_payload_size(37), 23U);
  EXPECT_EQ(bech32m_payload_size(1), 0U);
  EXPECT_EQ(bech32m_payload_size(3), 0U);
  EXPECT_EQ(bech32m_payload_size(6), 0U);
  const std::string text = reference_encode("pvv", std::vector<std::uint8_t>(38, 0));
  Bytes back(23);
  EXPECT_FALSE(decode_bech32m_payload(text, "pvv", back));
}

TEST(Bech32m, TheLimitAndTheHrpArePartOfTheQuestion) {
  std::string text;
  append_bech32m(text, "pvd", Bytes(54, 1));
  EXPECT_GT(text.size(), kBech32mLimit);
  EXPECT_FALSE(decode_bech32m(text));
  EXPECT_TRUE(decode_bech32m(text, text.size()));
  Bytes back(54);
  EXPECT_TRUE(decode_bech32m_payload(text, "pvd", back));
  EXPECT_FALSE(decode_bech32m_payload(text, "pvv", back));
  EXPECT_FALSE(decode_bech32m_payload(text.substr(1), "pvd", back));
  EXPECT_FALSE(decode_bech32m_payload("", "pvd", back));
  EXPECT_FALSE(decode_bech32m_payload("pvd1", "pvd", back));
}

}  // namespace
}  // namespace paravent::crypto
