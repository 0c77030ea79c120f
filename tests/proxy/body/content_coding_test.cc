#include "proxy/body/content_coding.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/proxy/body/packing.h"

namespace paravent::proxy::body {
namespace {

using test::pack;
using test::pack_zstd_stream;

constexpr ContentCoding kCodings[] = {ContentCoding::gzip, ContentCoding::deflate,
                                      ContentCoding::br, ContentCoding::zstd};
constexpr std::size_t kMegabyte = 1024 * 1024;

// Text that packs, but not to nothing.
std::string prose(std::size_t size) {
  std::string text;
  std::uint32_t state = 1;
  while (text.size() < size) {
    state = state * 1664525U + 1013904223U;
    text.append(state >> 31U != 0 ? "name=Jeanne&" : "city=Lyon&")
        .append(std::to_string(state >> 12U));
  }
  text.resize(size);
  return text;
}

TEST(ContentCoding, OneSpellingOfEach) {
  EXPECT_EQ(parse_content_coding("identity"), ContentCoding::identity);
  EXPECT_EQ(parse_content_coding("GZip"), ContentCoding::gzip);
  EXPECT_EQ(parse_content_coding("deflate"), ContentCoding::deflate);
  EXPECT_EQ(parse_content_coding("br"), ContentCoding::br);
  EXPECT_EQ(parse_content_coding("zstd"), ContentCoding::zstd);
  for (const char* other : {"", "x-gzip", "gzip, gzip", "identity, gzip", "gzip,", "compress",
                            "gzip;q=1", "brotli", "aws-chunked", "dcb"}) {
    EXPECT_FALSE(parse_content_coding(other)) << other;
  }
}

TEST(ContentCoding, WhatWasPackedComesBack) {
  ContentDecoder decoder;
  std::string out = "left over from before";
  for (const ContentCoding coding : kCodings) {
    for (const std::size_t size : {0U, 1U, 17U, 260U, 16384U, 70000U, 1048576U}) {
      const std::string text = prose(size);
      ASSERT_EQ(decoder.decode(coding, pack(coding, text), kMegabyte, out), ScanStatus::ok)
          << static_cast<int>(coding) << ' ' << size;
      EXPECT_EQ(out, text);
    }
  }
  const std::string text = prose(300000);
  ASSERT_EQ(decoder.decode(ContentCoding::zstd, pack_zstd_stream(text), kMegabyte, out),
            ScanStatus::ok);
  EXPECT_EQ(out, text);
}

TEST(ContentCoding, LimitsAreOfWhatComesOut) {
  ContentDecoder decoder;
  std::string out;
  const std::string text = prose(50000);
  for (const ContentCoding coding : kCodings) {
    const std::string packed = pack(coding, text);
    EXPECT_EQ(decoder.decode(coding, packed, 50000, out), ScanStatus::ok);
    EXPECT_EQ(decoder.decode(coding, packed, 49999, out), ScanStatus::too_large)
        << static_cast<int>(coding);
    EXPECT_TRUE(out.empty());
  }
  EXPECT_EQ(decoder.decode(ContentCoding::zstd, pack_zstd_stream(text), 49999, out),
            ScanStatus::too_large);
}

TEST(ContentCoding, BombsAreTooLarge) {
  ContentDecoder decoder;
  std::string out;
  const std::string zeros(64 * kMegabyte, '0');
  for (const ContentCoding coding : kCodings) {
    const std::string packed = pack(coding, zeros);
    ASSERT_GT(zeros.size() / packed.size(), 500U);
    EXPECT_EQ(decoder.decode(coding, packed, 1024 * kMegabyte, out), ScanStatus::too_large)
        << static_cast<int>(coding);
    // As much as anything may unpack to is still taken on.
    const std::string harmless(kExpansionFree, '0');
    EXPECT_EQ(decoder.decode(coding, pack(coding, harmless), kMegabyte, out), ScanStatus::ok);
  }
}

TEST(ContentCoding, NothingBehindTheEndAndNothingMissing) {
  ContentDecoder decoder;
  std::string out;
  const std::string text = prose(3000);
  for (const ContentCoding coding : kCodings) {
    const std::string packed = pack(coding, text);
    for (std::size_t cut = 0; cut < packed.size(); ++cut) {
      EXPECT_EQ(decoder.decode(coding, std::string_view(packed).substr(0, cut), kMegabyte, out),
                ScanStatus::malformed)
          << static_cast<int>(coding) << " cut at " << cut;
      EXPECT_TRUE(out.empty());
    }
    for (const std::string& behind : {std::string(1, '\0'), std::string(4, '\xFF')}) {
      EXPECT_EQ(decoder.decode(coding, packed + behind, kMegabyte, out), ScanStatus::malformed);
    }
    EXPECT_EQ(decoder.decode(coding, packed + packed, kMegabyte, out), ScanStatus::malformed)
        << "a second member";
    EXPECT_EQ(decoder.decode(coding, text, kMegabyte, out), ScanStatus::malformed) << "lying";
  }
}

TEST(ContentCoding, AlteredBytesAreSeenWhereTheFormatHasACheck) {
  ContentDecoder decoder;
  std::string out;
  const std::string text = prose(400);
  for (const ContentCoding coding : {ContentCoding::gzip, ContentCoding::deflate}) {
    const std::string packed = pack(coding, text);
    for (std::size_t i = 0; i < packed.size(); ++i) {
      // The header's time, extra flags and system say nothing about the content (RFC 1952 2.3.1).
      if (coding == ContentCoding::gzip && i >= 4 && i < 10) continue;
      std::string altered = packed;
      altered[i] = static_cast<char>(altered[i] ^ 0x10);
      const bool same = decoder.decode(coding, altered, kMegabyte, out) == ScanStatus::ok;
      EXPECT_TRUE(!same || out == text) << static_cast<int>(coding) << " byte " << i;
    }
  }
}

TEST(ContentCoding, BareDeflateIsNotDeflate) {
  ContentDecoder decoder;
  std::string out;
  const std::string zlib = pack(ContentCoding::deflate, prose(500));
  const std::string bare = zlib.substr(2, zlib.size() - 6);
  EXPECT_EQ(decoder.decode(ContentCoding::deflate, bare, kMegabyte, out), ScanStatus::malformed);
}

}  // namespace
}  // namespace paravent::proxy::body
