#include "proxy/body/file_ending.h"

#include <algorithm>
#include <array>

#include "proxy/body/header_value.h"

namespace paravent::proxy::body {
namespace {

constexpr std::array<std::string_view, 64> kKnown = {
    "pdf",  "txt",  "rtf", "md",   "csv",  "tsv",  "json", "xml", "doc",  "docx", "odt",
    "xls",  "xlsx", "ods", "ppt",  "pptx", "odp",  "key",  "eml", "msg",  "ics",  "vcf",
    "zip",  "gz",   "tgz", "7z",   "rar",  "tar",  "bz2",  "xz",  "jpg",  "jpeg", "jpe",
    "jfif", "png",  "gif", "webp", "heic", "heif", "avif", "tif", "tiff", "bmp",  "svg",
    "dng",  "cr2",  "nef", "arw",  "psd",  "mp3",  "m4a",  "wav", "ogg",  "opus", "flac",
    "mp4",  "m4v",  "mov", "avi",  "mkv",  "webm", "mpg",  "log", "html"};

}  // namespace

std::string_view known_ending(std::string_view file_name) noexcept {
  const std::string_view ending = file_ending(file_name);
  const auto* const known =
      std::find_if(kKnown.begin(), kKnown.end(),
                   [ending](std::string_view k) { return equals_ignoring_case(ending, k); });
  return known == kKnown.end() ? std::string_view() : *known;
}

bool file_name_is_safe(std::string_view file_name) noexcept {
  return std::none_of(file_name.begin(), file_name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20U || byte == 0x7FU || c == '"' || c == '\\' || c == '/';
  });
}

}  // namespace paravent::proxy::body
