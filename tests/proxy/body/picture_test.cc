#include "proxy/body/picture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "proxy/body/exif_orientation.h"
#include "proxy/body/file_ending.h"
#include "proxy/body/picture_cleaner.h"
#include "tests/proxy/body/laws.h"
#include "tests/proxy/body/random.h"

namespace paravent::proxy::body::test {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

std::string number(std::uint32_t value, std::size_t size) {
  std::string out;
  for (std::size_t i = size; i > 0; --i) out.push_back(static_cast<char>(value >> (8 * (i - 1))));
  return out;
}

std::string segment(std::uint8_t code, std::string_view payload) {
  return std::string("\xFF")
      .append(number(code, 1))
      .append(number(static_cast<std::uint32_t>(payload.size() + 2), 2))
      .append(payload);
}

const std::string kJpegStart = "\xFF\xD8";
const std::string kJpegEnd = "\xFF\xD9";
const std::string kJfif = segment(0xE0, "JFIF\0\1\2\0\0\1\0\1\0\0"sv);
const std::string kTable = segment(0xDB, std::string(65, '\x10'));
const std::string kFrame = segment(0xC0, "\x08\0\x10\0\x10\1\1\x11\0"sv);
const std::string kScanHead = segment(0xDA, "\1\1\0\0\x3F\0"sv);
const std::string kScan = kScanHead + "data\xFF" + std::string(1, '\0') + "more\xFF\xD3yet";
const std::string kPixels = kTable + kFrame + kScan;

// A directory with the maker's name (0x010F), the orientation, and bytes that hold a position.
std::string exif(std::uint8_t orientation, bool little = false) {
  const auto n = [little](std::uint32_t value, std::size_t size) {
    std::string text = number(value, size);
    if (little) std::reverse(text.begin(), text.end());
    return text;
  };
  std::string tiff = (little ? "II" : "MM") + n(42, 2) + n(8, 4) + n(2, 2);
  tiff += n(0x010F, 2) + n(2, 2) + n(4, 4) + "Cam\0"s;
  tiff += n(0x0112, 2) + n(3, 2) + n(1, 4) + n(orientation, 2) + n(0, 2);
  return "Exif\0\0"s + tiff + n(0, 4) + "48.8584 2.2945 serial 4711 Marie Dupont";
}

std::string cleaned(std::string_view picture, bool* whole = nullptr) {
  PictureCleaner cleaner;
  cleaner.begin(picture.starts_with('\x89') ? Picture::png : Picture::jpeg);
  std::string out;
  std::string_view rest;
  const bool ok = cleaner.feed(picture, out, rest);
  if (whole != nullptr) *whole = ok && cleaner.is_whole();
  return ok ? out : "malformed";
}

TEST(Jpeg, KeepsWhatDecodingNeedsAndNothingElse) {
  const std::string icc = segment(0xE2, "ICC_PROFILE\0\1\1profile"sv);
  const std::string adobe = segment(0xEE, "Adobe\0\x64\0\0\0\0\1"sv);
  const std::string plain = kJpegStart + kJfif + icc + adobe + kPixels + kJpegEnd;
  EXPECT_EQ(cleaned(plain), plain) << "nothing to take out: byte for byte";
  const std::string full = kJpegStart + kJfif + segment(0xE1, exif(1)) +
                           segment(0xE1, "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>"sv) + icc +
                           segment(0xE2, "MPF\0further pictures"sv) +
                           segment(0xE0, "JFXX\0\x10thumbnail"sv) +
                           segment(0xED,
                                   "Photoshop 3.0\0"
                                   "8BIM author"sv) +
                           segment(0xEC, "Ducky"sv) + segment(0xFE, "a comment"sv) + adobe +
                           kPixels + kJpegEnd + "a film behind the end, with its position";
  bool whole = false;
  EXPECT_EQ(cleaned(full, &whole), plain);
  EXPECT_TRUE(whole);
}

// JFIF's own thumbnail, and what stands behind the known parts of segments that stay.
TEST(Jpeg, SegmentsThatStayCarryNothingElse) {
  const std::string adobe = segment(0xEE, "Adobe\0\x64\0\0\0\0\1"sv);
  const std::string thumbnail =
      segment(0xE0, "JFIF\0\1\2\0\0\1\0\1\2\2"s + std::string(12, 'p') + "more");
  const std::string plain = kJpegStart + kJfif + adobe + kPixels + kJpegEnd;
  EXPECT_EQ(cleaned(kJpegStart + thumbnail + segment(0xEE, "Adobe\0\x64\0\0\0\0\1who made it"sv) +
                    kPixels + kJpegEnd),
            plain);
  for (const std::string_view shorter : {"JFIF\0\1\2\0\0\1\0\1\0"sv, "JFIF\0"sv}) {
    EXPECT_EQ(cleaned(kJpegStart + segment(0xE0, shorter) + kPixels + kJpegEnd), "malformed");
  }
  EXPECT_EQ(cleaned(kJpegStart + segment(0xEE, "Adobe\0"sv) + kPixels + kJpegEnd), "malformed");
}

TEST(Jpeg, KeepsTheOrientationAlone) {
  for (const bool little : {false, true}) {
    for (int orientation = 0; orientation <= 10; ++orientation) {
      const auto value = static_cast<std::uint8_t>(orientation);
      const std::string picture =
          kJpegStart + segment(0xE1, exif(value, little)) + kPixels + kJpegEnd;
      const bool turned = value >= 2 && value <= 8;
      std::string block;
      if (turned) append_orientation_segment(value, block);
      EXPECT_EQ(cleaned(picture), kJpegStart + block + kPixels + kJpegEnd) << orientation;
      if (turned) {
        EXPECT_EQ(exif_orientation(std::string_view(block).substr(4)), value);
      }
      EXPECT_EQ(check_picture(picture, 7).complaint, "");
    }
  }
}

// A block is never held, however large it is and wherever its directory lies.
TEST(Jpeg, TheOrientationIsFoundHoweverItComes) {
  const auto block = [](std::size_t gap, const std::string& entries, std::uint32_t count) {
    return std::string("Exif\0\0MM\0*", 10) + number(static_cast<std::uint32_t>(8 + gap), 4) +
           std::string(gap, 'g') + number(count, 2) + entries;
  };
  const std::string other = number(0x010F, 2) + number(2, 2) + number(9, 4) + number(60, 4);
  const std::string turned =
      number(0x0112, 2) + number(3, 2) + number(1, 4) + number(6, 2) + "\0\0"s;
  const std::string as_long = number(0x0112, 2) + number(4, 2) + number(1, 4) + number(6, 4);
  const std::vector<std::pair<std::string, int>> blocks = {
      {block(0, turned, 1), 6},
      {block(0, other + turned, 2), 6},
      {block(60'000, other + other + turned, 3), 6},
      {block(0, other + turned, 1), 0},  // behind the directory
      {block(0, as_long + turned, 2), 6},
      {block(0, as_long, 1), 0},
      {block(0, other + turned.substr(0, 11), 2), 0},
      {block(0, "", 0), 0},
      {block(0, turned, 65'535), 6},
      {block(70'000, turned, 1).substr(0, 60'000), 0},
      {std::string("Exif\0\0MM\0*\0\0\0\7", 14) + turned, 0},  // inside of the head
      {std::string("Exif\0\0MM\0+\0\0\0\x08\0\1", 16) + turned, 0},
      {std::string("Exif\0\0XX\0*\0\0\0\x08\0\1", 16) + turned, 0},
      {"Exif", 0}};
  for (const auto& [payload, expected] : blocks) {
    EXPECT_EQ(exif_orientation(payload), expected) << payload.size();
    for (const std::size_t step : {1U, 3U, 1000U}) {
      ExifOrientation pieces;
      for (std::size_t at = 0; at < payload.size(); at += step) {
        pieces.feed(std::string_view(payload).substr(at, step));
      }
      EXPECT_EQ(pieces.value(), expected) << payload.size() << " by " << step;
    }
  }
}

TEST(Jpeg, SegmentsBetweenScansAreLookedAtToo) {
  const std::string second = segment(0xC4, "table") + kScan;
  const std::string picture =
      kJpegStart + kPixels + segment(0xE1, exif(1)) + segment(0xFE, "late") + second + kJpegEnd;
  EXPECT_EQ(cleaned(picture), kJpegStart + kPixels + second + kJpegEnd);
}

TEST(Jpeg, WhatIsNotSoundIsMalformed) {
  for (const std::string& bad :
       {std::string("\xFF\xD9"), kJpegStart + "x", kJpegStart + "\xFF" + std::string(1, '\0'),
        kJpegStart + kJpegStart, kJpegStart + "\xFF\xD0", kJpegStart + "\xFF\xE1" + number(1, 2),
        kJpegStart + kTable + "garbage", kJpegStart + "\xFF\x02" + number(4, 2)}) {
    EXPECT_EQ(cleaned(bad), "malformed");
  }
  const std::string picture = kJpegStart + segment(0xE1, exif(6)) + kPixels + kJpegEnd;
  for (std::size_t size = 0; size < picture.size(); ++size) {
    bool whole = true;
    EXPECT_NE(cleaned(std::string_view(picture).substr(0, size), &whole), "malformed") << size;
    EXPECT_FALSE(whole) << size;
  }
}

std::string chunk(std::string_view type, std::string_view data) {
  return number(static_cast<std::uint32_t>(data.size()), 4)
      .append(type)
      .append(data)
      .append("CRC4");
}
const std::string kPngStart = "\x89PNG\r\n\x1A\n";
const std::string kHeader = chunk("IHDR", "\0\0\0\1\0\0\0\1\x08\2\0\0\0"sv);
const std::string kData = chunk("IDAT", "pixels");
const std::string kPngEnd = chunk("IEND", "");

TEST(Png, KeepsWhatDecodingNeedsAndNothingElse) {
  const std::string plain =
      kPngStart + kHeader + chunk("gAMA", "1234") + chunk("PLTE", "rgb") + kData + kData + kPngEnd;
  EXPECT_EQ(cleaned(plain), plain);
  const std::string full =
      kPngStart + kHeader + chunk("gAMA", "1234") + chunk("tEXt", "Author\0Marie"sv) +
      chunk("zTXt", "x") + chunk("iTXt", "XML:com.adobe.xmp") + chunk("eXIf", "MM") +
      chunk("tIME", "1234567") + chunk("caBX", "made with") + chunk("PLTE", "rgb") + kData + kData +
      chunk("tEXt", "late") + kPngEnd + "behind the end";
  bool whole = false;
  EXPECT_EQ(cleaned(full, &whole), plain);
  EXPECT_TRUE(whole);
}

TEST(Png, WhatIsNotSoundIsMalformed) {
  for (const std::string& bad :
       {std::string("\x89PNX"), kPngStart + kData, kPngStart + kHeader + kHeader,
        kPngStart + chunk("IHDR", "short"), kPngStart + kHeader + chunk("ABCD", "critical"),
        kPngStart + kHeader + chunk("ID1T", ""), kPngStart + kHeader + chunk("IEND", "x"),
        kPngStart + kHeader + "\xFF\xFF\xFF\xFFtEXt"}) {
    EXPECT_EQ(cleaned(bad), "malformed");
  }
  const std::string picture = kPngStart + kHeader + chunk("tEXt", "x") + kData + kPngEnd;
  for (std::size_t size = 0; size < picture.size(); ++size) {
    bool whole = true;
    EXPECT_NE(cleaned(std::string_view(picture).substr(0, size), &whole), "malformed") << size;
    EXPECT_FALSE(whole) << size;
  }
}

TEST(Picture, IsTheSameHoweverItIsSplit) {
  const std::string jpeg[] = {kJfif,
                              kTable,
                              kFrame,
                              kScan,
                              segment(0xE1, exif(3)),
                              segment(0xFE, "c"),
                              segment(0xE2, "ICC_PROFILE\0"sv),
                              segment(0xE1, "Exif\0\0"sv),
                              segment(0xDA, ""),
                              "\xFF",
                              kJpegEnd,
                              "x",
                              segment(0xE0, "")};
  const std::string png[] = {kHeader, kData, kPngEnd, chunk("tEXt", "t"), chunk("PLTE", ""), "x"};
  std::size_t accepted = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    const bool is_png = random.one_in(2);
    std::string picture = is_png ? kPngStart + kHeader : kJpegStart;
    while (!random.one_in(8)) {
      picture += is_png ? png[random.below(std::size(png))] : jpeg[random.below(std::size(jpeg))];
    }
    if (random.one_in(2)) picture += is_png ? kPngEnd : kJpegEnd;
    const Verdict verdict = check_picture(picture, seed);
    ASSERT_EQ(verdict.complaint, "") << seed;
    accepted += verdict.accepted ? 1U : 0U;
  }
  EXPECT_GT(accepted, 500U);
}

TEST(Picture, IsKnownByItsFirstBytesOrDeclared) {
  EXPECT_EQ(picture_by_content("\xFF\xD8\xFF\xE1...."), Picture::jpeg);
  EXPECT_EQ(picture_by_content(kPngStart + "...."), Picture::png);
  for (const std::string_view other :
       {"GIF89a......"sv, "II*\0........"sv, "MM\0*........"sv, "RIFF....WEBP"sv, "....ftypheic"sv,
        "....ftypavif"sv, "\0\0\0\x0CJXL ...."sv}) {
    EXPECT_EQ(picture_by_content(other), Picture::other) << other;
  }
  for (const std::string_view none :
       {"%PDF-1.7...."sv, "RIFF....WAVE"sv, "....ftypisom"sv, ""sv, "MM"sv}) {
    EXPECT_EQ(picture_by_content(none), Picture::none) << none;
  }
  EXPECT_TRUE(is_declared_picture("image/png", "x"));
  EXPECT_TRUE(is_declared_picture("IMAGE/x-canon", ""));
  EXPECT_TRUE(is_declared_picture("", "photo.JPG"));
  EXPECT_FALSE(is_declared_picture("application/pdf", "jpg"));
  EXPECT_FALSE(is_declared_picture("imagery/png", "cv.pdf"));
}

TEST(FileEnding, OnlyKnownOnesStay) {
  EXPECT_EQ(known_ending("Marie Dupont.PDF"), "pdf");
  EXPECT_EQ(known_ending("photo.jpeg"), "jpeg");
  EXPECT_EQ(known_ending("archive.tar.gz"), "gz");
  for (const std::string_view name : {"marie.dupont", "pdf", "x.", "", ".", "x.pdf ", "x.php"}) {
    EXPECT_EQ(known_ending(name), "") << name;
  }
  for (const std::string_view bad : {"a\"b", "a\\b", "a/b", "a\nb", "a\x7F"}) {
    EXPECT_FALSE(file_name_is_safe(bad)) << bad;
  }
  EXPECT_TRUE(file_name_is_safe("caf\xC3\xA9 1.pdf"));
}

}  // namespace
}  // namespace paravent::proxy::body::test
