#include "crypto/tokens/frame.h"

#include <gtest/gtest.h>

#include <string>

namespace paravent::crypto {
namespace {

Bytes frame_of(Kind kind, std::string_view value) {
  Bytes frame(bucket_for(kind, value.size()), 0xEE);
  build_frame(kind, value, frame);
  return frame;
}

TEST(Frame, RoundTripsEveryKindAndSize) {
  for (const auto& [kind, name] : kinds()) {
    for (std::size_t size = 1; size < 2600; ++size) {
      const std::string value(size, 'v');
      const Bytes frame = frame_of(kind, value);
      ASSERT_TRUE(is_bucket(frame.size())) << size;
      const auto parsed = parse_frame(frame);
      ASSERT_TRUE(parsed) << size;
      EXPECT_EQ(parsed->kind, kind);
      ASSERT_EQ(parsed->value, value);
    }
  }
}

TEST(Frame, BucketsOfTheSpecification) {
  EXPECT_EQ(bucket_for(Kind::email, 1), 64U);
  EXPECT_EQ(bucket_for(Kind::email, 58), 64U);
  EXPECT_EQ(bucket_for(Kind::email, 59), 96U);
  EXPECT_EQ(bucket_for(Kind::name, 3), 64U);
  EXPECT_EQ(bucket_for(Kind::phone, 15), 32U);
  EXPECT_EQ(bucket_for(Kind::ip, 7), 48U);
  EXPECT_EQ(bucket_for(Kind::ip, 39), 48U);
  EXPECT_EQ(bucket_for(Kind::text, 1), 16U);
  EXPECT_EQ(bucket_for(Kind::text, 10), 16U);
  EXPECT_EQ(bucket_for(Kind::text, 11), 32U);
  EXPECT_EQ(bucket_for(Kind::text, 1018), 1024U);
  EXPECT_EQ(bucket_for(Kind::text, 1019), 2048U);
  EXPECT_EQ(bucket_for(Kind::text, kMaxEncryptedValue), kMaxEncryptedBucket);
  EXPECT_EQ(bucket_for(Kind::address, 1), 96U);
  EXPECT_EQ(bucket_for(Kind::url, 1), 128U);
  EXPECT_EQ(bucket_for(Kind::user_agent, 250), 256U);
  EXPECT_EQ(bucket_for(Kind::user_agent, 251), 384U);
  EXPECT_TRUE(is_bucket(kMaxEncryptedBucket));
  EXPECT_FALSE(is_bucket(kMaxEncryptedBucket + kBucketStep));
  EXPECT_FALSE(is_bucket(0));
  EXPECT_FALSE(is_bucket(1536));
}

// The shortest and the longest value that a kind can have do not differ in length.
TEST(Frame, TheBucketHidesTheLengthsOfAKind) {
  const auto same = [](Kind kind, std::size_t shortest, std::size_t longest) {
    return bucket_for(kind, shortest) == bucket_for(kind, longest);
  };
  EXPECT_TRUE(same(Kind::birth_date, 10, 10));
  EXPECT_TRUE(same(Kind::iban, 15, 33));
  EXPECT_TRUE(same(Kind::card, 12, 19));
  EXPECT_TRUE(same(Kind::nir, 15, 15));
  EXPECT_TRUE(same(Kind::siren, 9, 9));
  EXPECT_TRUE(same(Kind::siret, 14, 14));
  EXPECT_TRUE(same(Kind::gps, 1, std::string("-89.1234567,-179.1234567").size()));
  EXPECT_TRUE(same(Kind::ip, 2, 39));
  EXPECT_TRUE(same(Kind::phone, 9, 16));
}

TEST(Frame, TheBytesAreTheDocumentedOnes) {
  const Bytes expected = {1, 4, 0, 0, 0, 3, '+', '1', '2', 0, 0, 0, 0, 0, 0, 0,
                          0, 0, 0, 0, 0, 0, 0,   0,   0,   0, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(frame_of(Kind::phone, "+12"), expected);
}

TEST(Frame, AnyChangedByteOfHeaderOrPaddingIsRefused) {
  const std::string value = "a@b.example";
  const Bytes good = frame_of(Kind::email, value);
  for (std::size_t i = 0; i < good.size(); ++i) {
    if (i >= kFrameHeaderSize && i < kFrameHeaderSize + value.size()) continue;
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes bad = good;
      bad[i] = static_cast<std::uint8_t>(bad[i] ^ (1U << bit));
      const auto parsed = parse_frame(bad);
      // A frame may still be well formed when the type or the length turns into another true one:
      // email and name share a bucket, and a shorter length leaves value bytes in the padding.
      if (parsed) {
        EXPECT_TRUE(i == 1 || (i == 5 && parsed->value.size() > value.size())) << i << " " << bit;
      }
    }
  }
}

TEST(Frame, OneSpelling) {
  Bytes larger = frame_of(Kind::email, "a@b.example");
  larger.resize(96);
  EXPECT_FALSE(parse_frame(larger)) << "a larger bucket than needed";
  Bytes smaller = frame_of(Kind::text, "short");
  smaller[1] = static_cast<std::uint8_t>(Kind::email);
  EXPECT_FALSE(parse_frame(smaller)) << "a smaller bucket than the kind's own";
  Bytes empty = frame_of(Kind::text, "x");
  empty[5] = 0;
  empty[6] = 0;
  EXPECT_FALSE(parse_frame(empty));
  Bytes huge = frame_of(Kind::text, "x");
  huge[2] = 0xFF;
  EXPECT_FALSE(parse_frame(huge));
  for (std::size_t size = 0; size < 16; ++size) EXPECT_FALSE(parse_frame(Bytes(size, 1)));
}

TEST(FrameDeathTest, AWrongSizeIsABrokenInvariant) {
  Bytes frame(16);
  EXPECT_DEATH(build_frame(Kind::email, "a@b.example", frame), "");
  EXPECT_DEATH(build_frame(Kind::text, "", frame), "");
}

}  // namespace
}  // namespace paravent::crypto
