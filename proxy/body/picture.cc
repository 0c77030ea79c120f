#include "proxy/body/picture.h"

#include <algorithm>
#include <array>

#include "proxy/body/file_ending.h"
#include "proxy/body/header_value.h"

namespace paravent::proxy::body {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array kOtherBeginnings = {
    "GIF8"sv,                               // comments, XMP
    "II*\0"sv,         "MM\0*"sv,           // TIFF, and the raw formats that are TIFF
    "II\xBC"sv,                             // JPEG XR
    "\xFF\x0A"sv,      "\0\0\0\x0CJXL "sv,  // JPEG XL
    "\0\0\0\x0CjP "sv,                      // JPEG 2000
    "8BPS"sv,                               // Photoshop
};

// Brands of ISO base media files that are pictures (HEIF, AVIF, Canon raw).
constexpr std::array kBrands = {"heic"sv, "heix"sv, "heim"sv, "heis"sv, "hevc"sv, "hevx"sv,
                                "mif1"sv, "msf1"sv, "avif"sv, "avis"sv, "crx "sv};

constexpr std::array kEndings = {"jpg"sv,  "jpeg"sv, "jpe"sv,  "jfif"sv, "png"sv, "gif"sv,
                                 "webp"sv, "heic"sv, "heif"sv, "avif"sv, "tif"sv, "tiff"sv,
                                 "jxl"sv,  "jp2"sv,  "bmp"sv,  "svg"sv,  "dng"sv, "cr2"sv,
                                 "cr3"sv,  "nef"sv,  "arw"sv,  "psd"sv};

}  // namespace

Picture picture_by_content(std::string_view first) noexcept {
  if (first.starts_with("\xFF\xD8\xFF"sv)) return Picture::jpeg;
  if (first.starts_with("\x89PNG\r\n\x1A\n"sv)) return Picture::png;
  const bool other = std::any_of(kOtherBeginnings.begin(), kOtherBeginnings.end(),
                                 [first](std::string_view b) { return first.starts_with(b); });
  if (other) return Picture::other;
  if (first.size() < kPictureBytes) return Picture::none;
  const std::string_view brand = first.substr(8, 4);
  if (first.starts_with("RIFF"sv)) return brand == "WEBP"sv ? Picture::other : Picture::none;
  const bool heif = first.substr(4, 4) == "ftyp"sv &&
                    std::find(kBrands.begin(), kBrands.end(), brand) != kBrands.end();
  return heif ? Picture::other : Picture::none;
}

bool is_declared_picture(std::string_view content_type, std::string_view file_name) noexcept {
  if (equals_ignoring_case(leading_token(content_type), "image")) return true;
  const std::string_view ending = file_ending(file_name);
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [ending](std::string_view e) { return equals_ignoring_case(ending, e); });
}

}  // namespace paravent::proxy::body
