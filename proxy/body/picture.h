// Which files are pictures, by what they say of themselves and by their first bytes. Pictures carry
// where and when they were taken, with which device and by whom; JPEG and PNG can be freed of it
// (picture_cleaner.h), the others are known so that nobody takes them for free of it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace paravent::proxy::body {

enum class Picture : std::uint8_t {
  none,   // nothing says that it is one
  jpeg,   // ITU-T T.81
  png,    // ISO/IEC 15948
  other,  // known as a picture, or declared as one, and neither of the two
};

// As many first bytes of a content as picture_by_content looks at.
inline constexpr std::size_t kPictureBytes = 12;

// By the first bytes; fewer than kPictureBytes where the content has no more.
Picture picture_by_content(std::string_view first) noexcept;

// By the part's Content-Type (`image/...`) and by the ending of its file name.
bool is_declared_picture(std::string_view content_type, std::string_view file_name) noexcept;

}  // namespace paravent::proxy::body
