#include "proxy/body/picture_cleaner.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace paravent::proxy::body {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kJpegSignature = "\xFF\xD8"sv;
constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1A\n"sv;
constexpr char kMarker = '\xFF';

// Markers of T.81, table B.1.
constexpr std::uint8_t kFirstFrame = 0xC0;
constexpr std::uint8_t kRestart0 = 0xD0;
constexpr std::uint8_t kRestart7 = 0xD7;
constexpr std::uint8_t kStart = 0xD8;
constexpr std::uint8_t kEnd = 0xD9;
constexpr std::uint8_t kScan = 0xDA;
constexpr std::uint8_t kLastTable = 0xDF;
constexpr std::uint8_t kApp0 = 0xE0;
constexpr std::uint8_t kApp1 = 0xE1;
constexpr std::uint8_t kApp2 = 0xE2;
constexpr std::uint8_t kApp14 = 0xEE;
constexpr std::uint8_t kApp15 = 0xEF;
constexpr std::uint8_t kComment = 0xFE;

// The longest signature of an application segment that stays.
constexpr std::size_t kSignatureBytes = 12;
constexpr std::size_t kSegmentHead = 4;  // marker and length
// What these two say; behind it JFIF has a thumbnail, and either whatever somebody put there.
constexpr std::size_t kJfifBytes = 14;  // JFIF 1.02: with the thumbnail's width and height
constexpr std::size_t kAdobeBytes = 12;
constexpr std::size_t kChunkHead = 8;   // length and type
constexpr std::size_t kChunkCheck = 4;  // behind its data
constexpr std::uint32_t kMostChunk = 0x7FFFFFFF;
constexpr std::size_t kHeaderChunk = 13;  // the data of IHDR

// Chunks that say how pixels become colours, in which size, and which picture comes when.
constexpr std::array kKeptChunks = {"IHDR"sv, "PLTE"sv, "IDAT"sv, "IEND"sv, "tRNS"sv, "cHRM"sv,
                                    "gAMA"sv, "iCCP"sv, "sBIT"sv, "sRGB"sv, "bKGD"sv, "hIST"sv,
                                    "pHYs"sv, "sPLT"sv, "acTL"sv, "fcTL"sv, "fdAT"sv, "cICP"sv,
                                    "mDCv"sv, "mDCV"sv, "cLLi"sv, "cLLI"sv};

std::uint8_t byte_at(std::string_view text, std::size_t at) noexcept {
  return static_cast<std::uint8_t>(text[at]);
}

bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_application(std::uint8_t code) noexcept { return code >= kApp0 && code <= kApp15; }

// Whether decoders need an application segment that begins with these bytes.
bool stays(std::uint8_t code, std::string_view signature) noexcept {
  return code == kApp2 && signature.starts_with("ICC_PROFILE\0"sv);
}

}  // namespace

void PictureCleaner::begin(Picture picture) {
  picture_ = picture;
  state_ = State::signature;
  held_.clear();
  left_ = 0;
  first_chunk_ = true;
  has_orientation_ = false;
}

void PictureCleaner::next_head() noexcept {
  state_ = State::head;
  held_.clear();
}

bool PictureCleaner::feed(std::string_view in, std::string& out, std::string_view& rest) {
  while (!in.empty()) {
    switch (state_) {
      case State::signature:
      case State::head: {
        const bool sound = state_ == State::head ? take_head(in, out) : take_signature(in, out);
        if (sound) break;
        rest = in;
        return false;
      }
      case State::keep:
      case State::skip:
      case State::exif: {
        const std::string_view part = in.substr(0, std::min(in.size(), left_));
        if (state_ == State::keep) out.append(part);
        if (state_ == State::exif) exif_.feed(part);
        in.remove_prefix(part.size());
        left_ -= part.size();
        if (left_ > 0) break;
        if (state_ == State::exif) end_exif(out);
        state_ = behind_;
        if (state_ == State::head) next_head();
        break;
      }
      case State::entropy:
        take_entropy(in, out);
        break;
      case State::after:
        return true;
    }
  }
  return true;
}

bool PictureCleaner::take_signature(std::string_view& in, std::string& out) {
  const std::string_view whole = picture_ == Picture::jpeg ? kJpegSignature : kPngSignature;
  held_.push_back(in.front());
  in.remove_prefix(1);
  if (!whole.starts_with(held_)) return false;
  if (held_.size() < whole.size()) return true;
  out.append(held_);
  next_head();
  return true;
}

bool PictureCleaner::take_head(std::string_view& in, std::string& out) {
  const char c = in.front();
  in.remove_prefix(1);
  if (picture_ == Picture::jpeg) return take_jpeg_byte(c, out);
  held_.push_back(c);
  return held_.size() < kChunkHead || begin_chunk(out);
}

// held_ is [FF [code [length [length [signature ...]]]]].
bool PictureCleaner::take_jpeg_byte(char c, std::string& out) {
  const bool fill = held_.size() == 1 && c == kMarker;  // T.81 B.1.1.2
  if (fill) return true;
  held_.push_back(c);
  if (held_.size() == 1) return c == kMarker;
  if (held_.size() == 2) return begin_marker(byte_at(held_, 1), out);
  if (held_.size() < kSegmentHead) return true;
  return begin_segment(out);
}

// False where no such marker may stand between segments.
bool PictureCleaner::begin_marker(std::uint8_t code, std::string& out) {
  if (code == kEnd) {
    out.append(held_);
    held_.clear();
    state_ = State::after;
    return true;
  }
  if (code >= kRestart0 && code <= kStart) return false;
  return (code >= kFirstFrame && code <= kLastTable) || is_application(code) || code == kComment;
}

// Decides about a segment as soon as enough of it is there.
bool PictureCleaner::begin_segment(std::string& out) {
  const std::uint8_t code = byte_at(held_, 1);
  const std::size_t length = std::size_t{byte_at(held_, 2)} << 8U | byte_at(held_, 3);
  if (length < 2) return false;
  const std::size_t payload = length - 2;
  const std::size_t have = held_.size() - kSegmentHead;
  if (is_application(code) && have < std::min(payload, kSignatureBytes)) return true;
  if (code == kApp0 && std::string_view(held_).substr(kSegmentHead).starts_with("JFIF\0"sv)) {
    if (payload < kJfifBytes) return false;
    if (have < kJfifBytes) return true;
    held_[kSegmentHead + kJfifBytes - 2] = held_[kSegmentHead + kJfifBytes - 1] = '\0';
    return end_at(kJfifBytes, payload, out);
  }
  if (code == kApp14 && std::string_view(held_).substr(kSegmentHead).starts_with("Adobe"sv)) {
    if (payload < kAdobeBytes) return false;
    return end_at(kAdobeBytes, payload, out);
  }
  const std::string_view signature = std::string_view(held_).substr(kSegmentHead);
  left_ = payload - have;
  behind_ = code == kScan ? State::entropy : State::head;
  if (code == kApp1 && !has_orientation_ && signature.starts_with("Exif\0\0"sv)) {
    state_ = State::exif;
    exif_.begin();
    exif_.feed(signature);
    held_.clear();
  } else if (code == kComment || (is_application(code) && !stays(code, signature))) {
    held_.clear();
    state_ = State::skip;
  } else {
    out.append(held_);
    held_.clear();
    state_ = State::keep;
  }
  if (left_ > 0) return true;
  if (state_ == State::exif) end_exif(out);
  state_ = behind_;
  if (state_ == State::head) next_head();
  return true;
}

// Of the segment in held_ only the first `size` bytes of its payload stay, all of which are there.
bool PictureCleaner::end_at(std::size_t size, std::size_t payload, std::string& out) {
  const std::size_t length = size + 2;
  held_[2] = static_cast<char>(length >> 8U);
  held_[3] = static_cast<char>(length & 0xFFU);
  out.append(held_);
  held_.clear();
  left_ = payload - size;
  behind_ = State::head;
  state_ = left_ > 0 ? State::skip : State::head;
  if (left_ == 0) next_head();
  return true;
}

void PictureCleaner::end_exif(std::string& out) {
  if (exif_.value() == 0) return;
  append_orientation_segment(exif_.value(), out);
  has_orientation_ = true;
}

// Up to the next marker that is none of the scan's own. held_ is empty or the FF that may begin it.
void PictureCleaner::take_entropy(std::string_view& in, std::string& out) {
  if (held_.empty()) {
    const void* const hit = std::memchr(in.data(), kMarker, in.size());
    const std::size_t size =
        hit == nullptr ? in.size()
                       : static_cast<std::size_t>(static_cast<const char*>(hit) - in.data());
    out.append(in.substr(0, size));
    in.remove_prefix(size);
    if (hit == nullptr) return;
    held_.push_back(kMarker);
    in.remove_prefix(1);
    return;
  }
  const auto code = byte_at(in, 0);
  if (in.front() == kMarker) {  // a fill byte
    in.remove_prefix(1);
    return;
  }
  if (code != 0 && !(code >= kRestart0 && code <= kRestart7)) {
    state_ = State::head;  // which goes on with the FF in held_
    return;
  }
  out.append(held_).push_back(in.front());
  held_.clear();
  in.remove_prefix(1);
}

bool PictureCleaner::begin_chunk(std::string& out) {
  const std::string_view type = std::string_view(held_).substr(4, 4);
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) length = length << 8U | byte_at(held_, i);
  if (length > kMostChunk || !std::all_of(type.begin(), type.end(), is_letter)) return false;
  const bool header = type == "IHDR"sv;
  if (header != first_chunk_ || (header && length != kHeaderChunk)) return false;
  first_chunk_ = false;
  const bool end = type == "IEND"sv;
  if (end && length != 0) return false;
  const bool kept = std::find(kKeptChunks.begin(), kKeptChunks.end(), type) != kKeptChunks.end();
  const bool critical = type.front() >= 'A' && type.front() <= 'Z';
  if (critical && !kept) return false;
  if (kept) out.append(held_);
  left_ = length + kChunkCheck;
  behind_ = end ? State::after : State::head;
  state_ = kept ? State::keep : State::skip;
  held_.clear();
  return true;
}

}  // namespace paravent::proxy::body
