// PictureCleaner: JPEG (ITU-T T.81, JFIF, Exif 2.3) and PNG (ISO/IEC 15948) without what they tell
// about their making, as a stream.
//
// JPEG keeps what decoding needs: tables, frames, scans, JFIF (APP0) without its thumbnail, an ICC
// profile (APP2), Adobe's transform (APP14). Everything else goes: Exif and XMP (APP1), IPTC
// (APP13), makers' segments, comments, the thumbnails of JFXX, further pictures (MPF), what stands
// behind the known part of a segment that stays, and whatever lies behind the end. Of an Exif block
// only the orientation stays, in a block of our own. PNG keeps its critical chunks, those of
// colour, size and animation; tEXt, zTXt, iTXt, eXIf, tIME, everything private and whatever lies
// behind IEND goes. Pixels are copied, never decoded.
//
// A picture whose structure is not sound is malformed: what cannot be read cannot be cleaned.
// Memory: the head of a segment, some bytes. One thread.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/body/exif_orientation.h"
#include "proxy/body/picture.h"

namespace paravent::proxy::body {

class PictureCleaner {
 public:
  // REQUIRES: jpeg or png.
  void begin(Picture picture);

  // Takes all of `in` and appends what stays. False: malformed; `rest` is then what of `in` was not
  // looked at, and nothing more may be fed.
  bool feed(std::string_view in, std::string& out, std::string_view& rest);
  // What was taken and neither kept nor given up when feed answered false: the bytes of a segment
  // head under way.
  std::string_view undecided() const noexcept { return held_; }
  // The content is over. False: the picture is not.
  bool is_whole() const noexcept { return state_ == State::after; }

 private:
  enum class State : std::uint8_t {
    signature,
    head,     // of a PNG chunk, or a JPEG marker and what says whether its segment stays
    keep,     // left_ bytes
    skip,     // left_ bytes
    exif,     // left_ bytes, of which only the orientation is read
    entropy,  // JPEG: a scan's data, up to the next marker
    after,    // nothing of what follows stays
  };

  bool take_signature(std::string_view& in, std::string& out);
  bool take_head(std::string_view& in, std::string& out);
  bool take_jpeg_byte(char c, std::string& out);
  bool begin_marker(std::uint8_t code, std::string& out);
  bool begin_segment(std::string& out);
  bool end_at(std::size_t size, std::size_t payload, std::string& out);
  bool begin_chunk(std::string& out);
  void take_entropy(std::string_view& in, std::string& out);
  void end_exif(std::string& out);
  void next_head() noexcept;

  Picture picture_ = Picture::jpeg;
  State state_ = State::signature;
  State behind_ = State::head;  // what follows when left_ bytes are over
  std::string held_;
  ExifOrientation exif_;
  std::size_t left_ = 0;
  bool first_chunk_ = true;
  bool has_orientation_ = false;
};

}  // namespace paravent::proxy::body
