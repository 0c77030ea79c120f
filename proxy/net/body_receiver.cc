#include "proxy/net/body_receiver.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

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

bool BodyReceiver::start_stream(std::uint64_t limit) {
  limit_total_ = limit;
  left_ = announced_;
  if (framing_ == BodyFraming::length && announced_ > limit) return false;
  mode_ = Mode::streamed;
  window_ = std::make_unique_for_overwrite<char[]>(kBodyWindow);
  window_size_ = 0;
  base_ = at_;
  return true;
}

void BodyReceiver::consume(std::size_t bytes) noexcept {
  window_size_ -= bytes;
  if (bytes > 0) std::memmove(window_.get(), window_.get() + bytes, window_size_);
}

BodyStatus BodyReceiver::fill_window() {
  if (mode_ == Mode::done) return BodyStatus::complete;
  // Whoever reads a window takes nearly all of it.
  if (window_size_ == kBodyWindow) std::abort();
  if (framing_ == BodyFraming::chunked) return decode_into_window();
  const std::size_t size =
      std::min({available(), kBodyWindow - window_size_,
                static_cast<std::size_t>(std::min<std::uint64_t>(left_, kBodyWindow))});
  std::memcpy(window_.get() + window_size_, block_.data() + at_, size);
  window_size_ += size;
  at_ += size;
  left_ -= size;
  if (available() == 0) at_ = filled_ = base_;  // the room is used again
  if (left_ == 0) {
    mode_ = Mode::done;
    return BodyStatus::complete;
  }
  return size > 0 ? BodyStatus::more : BodyStatus::pending;
}

BodyStatus BodyReceiver::decode_into_window() {
  const std::size_t before = window_size_;
  std::size_t shown = std::min(available(), kBodyWindow - window_size_);
  std::string_view in(block_.data() + at_, shown);
  for (;;) {
    std::string_view piece;
    switch (chunks_.next(in, piece)) {
      case http1::ChunkStatus::data:
        if (piece.size() > limit_total_) return BodyStatus::too_large;
        limit_total_ -= piece.size();
        std::memcpy(window_.get() + window_size_, piece.data(), piece.size());
        window_size_ += piece.size();
        continue;
      case http1::ChunkStatus::bad:
        return BodyStatus::framing;
      case http1::ChunkStatus::need_more:
        at_ += shown;
        if (window_size_ > before) return BodyStatus::more;
        if (available() == 0) {
          at_ = filled_ = base_;  // the room is used again
          return BodyStatus::pending;
        }
        shown = std::min(available(), kBodyWindow - window_size_);  // framing alone, so far
        in = {block_.data() + at_, shown};
        continue;
      case http1::ChunkStatus::done:
        at_ += shown - in.size();
        if (available() == 0) at_ = filled_ = base_;
        mode_ = Mode::done;
        return BodyStatus::complete;
    }
  }
}

std::span<char> BodyReceiver::room() {
  if (mode_ == Mode::streamed && framing_ == BodyFraming::length) {
    const std::size_t room = kBodyWindow - window_size_;
    return {window_.get() + window_size_,
            static_cast<std::size_t>(std::min<std::uint64_t>(room, left_))};
  }
  if (mode_ == Mode::buffered) return buffer_.room(length_);
  return block_.subspan(filled_);
}

BodyStatus BodyReceiver::arrived(std::size_t bytes) {
  taken_ += bytes;
  if (mode_ == Mode::streamed) {
    if (framing_ == BodyFraming::chunked) {
      filled_ += bytes;
      return fill_window();
    }
    window_size_ += bytes;
    left_ -= bytes;
    if (left_ > 0) return BodyStatus::more;
    mode_ = Mode::done;
    return BodyStatus::complete;
  }
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
