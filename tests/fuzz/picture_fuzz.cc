// The laws of the picture cleaner on any bytes, and that the orientation of an Exif block is read
// within its bounds.

#include <cstdlib>

#include "proxy/body/exif_orientation.h"
#include "proxy/body/picture.h"
#include "tests/fuzz/law_input.h"
#include "tests/proxy/body/laws.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace body = paravent::proxy::body;
  namespace test = body::test;
  const std::string_view text = test::as_text(data, size);
  if (!test::check_picture(text, test::seed_of(text)).complaint.empty()) std::abort();
  if (body::exif_orientation(text) > 8) std::abort();
  static_cast<void>(body::picture_by_content(text.substr(0, body::kPictureBytes)));
  return 0;
}
