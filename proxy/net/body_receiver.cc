#include "proxy/net/body_receiver.h"

namespace paravent::proxy::net {

void BodyReceiver::begin(const RequestHead& head, std::span<char> block, std::size_t at,
                         std::size_t filled) noexcept {
  framing_ = head.framing;
  mode_ = Mode::untouched;
  block_ = block;
  at_ = at;
  filled_ = filled;
  announced_ = head.content_length;
  taken_ = filled - at;
  body_ = {};
  chunks_.reset();
}

BodyStatus BodyReceiver::finish(std::string_view body) noexcept {
  body_ = body;
  mode_ = Mode::done;
  return BodyStatus::complete;
}

BodyStatus BodyReceiver::start(std::size_t limit) {
  limit_ = limit;
  switch (framing_) {
    case BodyFraming::none:
    case BodyFraming::close:
      return finish({});
    case BodyFraming::chunked:
      mode_ = Mode::chunked;
      return decode();
    case BodyFraming::length:
      break;
  }
  if (announced_ > limit) return BodyStatus::too_large;
  length_ = static_cast<std::size_t>(announced_);
  if (length_ <= block_.size() - at_) {
    mode_ = Mode::in_place;
    return arrived(0);
  }
  mode_ = Mode::buffered;
  buffer_.append({block_.data() + at_, available()});
  filled_ = at_;
  return BodyStatus::pending;
}

std::span<char> BodyReceiver::room() {
  if (mode_ == Mode::buffered) return buffer_.room(length_);
  return block_.subspan(filled_);
}

BodyStatus BodyReceiver::arrived(std::size_t bytes) {
  taken_ += bytes;
  if (mode_ == Mode::buffered) {
    buffer_.added(bytes);
    return buffer_.size() == length_ ? finish(buffer_.view()) : BodyStatus::pending;
  }
  filled_ += bytes;
  if (mode_ == Mode::chunked) return decode();
  if (available() < length_) return BodyStatus::pending;
  const std::string_view body(block_.data() + at_, length_);
  at_ += length_;
  return finish(body);
}

BodyStatus BodyReceiver::decode() {
  std::string_view in(block_.data() + at_, available());
  for (;;) {
    std::string_view piece;
    switch (chunks_.next(in, piece)) {
      case http1::ChunkStatus::data:
        if (piece.size() > limit_ - buffer_.size()) return BodyStatus::too_large;
        buffer_.append(piece);
        continue;
      case http1::ChunkStatus::bad:
        return BodyStatus::framing;
      case http1::ChunkStatus::need_more:
        filled_ = at_;  // all was taken; the room is used again
        return BodyStatus::pending;
      case http1::ChunkStatus::done:
        at_ = filled_ - in.size();
        return finish(buffer_.view());
    }
  }
}

bool BodyReceiver::settled() noexcept {
  if (mode_ == Mode::done || (mode_ == Mode::untouched && framing_ == BodyFraming::none)) {
    return true;
  }
  if (mode_ == Mode::untouched && framing_ == BodyFraming::length && announced_ <= available()) {
    at_ += static_cast<std::size_t>(announced_);
    mode_ = Mode::done;
    return true;
  }
  return false;
}

}  // namespace paravent::proxy::net
