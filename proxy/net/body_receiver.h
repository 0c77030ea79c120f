// BodyReceiver: one request's body, from the bytes behind its head to the whole decoded body.
//
// A body with a length that fits the read block is viewed where it lies; other bodies go into a
// BodyBuffer. Sees no socket: the session reads where room() points and says how much came. One
// thread.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "proxy/net/body_buffer.h"
#include "proxy/net/http1/chunked_decoder.h"
#include "proxy/pipeline/downstream.h"
#include "proxy/pipeline/http_head.h"

namespace paravent::proxy::net {

// What is held of a body that is streamed.
inline constexpr std::size_t kBodyWindow = std::size_t{64} * 1024;

class BodyReceiver {
 public:
  // For a head whose bytes end at block[at]; block[at, filled) has already arrived.
  void begin(const RequestHead& head, std::span<char> block, std::size_t at,
             std::size_t filled) noexcept;
  // Forgets the body and gives large memory back.
  void end() noexcept {
    buffer_.clear();
    window_.reset();
  }

  // Starts taking the body piece by piece. Memory: kBodyWindow bytes until end(), whatever the
  // body. too_large: it announces more than `limit`; else the first window may be asked for.
  bool start_stream(std::uint64_t limit);
  bool is_streamed() const noexcept { return window_ != nullptr; }
  // Takes bytes off the front of the window. REQUIRES: is_streamed().
  void consume(std::size_t bytes) noexcept;
  // What has arrived and was not consumed: complete (nothing follows), more (more than there was),
  // pending (room() is where more goes) or a refusal.
  BodyStatus fill_window();
  std::string_view window() const noexcept { return {window_.get(), window_size_}; }

  // Starts taking the body. complete, pending or a refusal.
  BodyStatus start(std::size_t limit);
  // pending only: where the next bytes of the stream go, never empty; and that `bytes` of them
  // came.
  std::span<char> room();
  BodyStatus arrived(std::size_t bytes);

  // complete only.
  std::string_view body() const noexcept { return body_; }
  // True when the stream stands behind this body: it was received, there was none, or all of it has
  // arrived unasked (and may be skipped). Then next() and filled() bound the next request's bytes.
  bool settled() noexcept;
  std::size_t next() const noexcept { return at_; }
  std::size_t filled() const noexcept { return filled_; }
  // Bytes of the stream taken so far, for the pace rule.
  std::uint64_t taken() const noexcept { return taken_; }

 private:
  enum class Mode : std::uint8_t { untouched, in_place, buffered, chunked, streamed, done };

  std::size_t available() const noexcept { return filled_ - at_; }
  BodyStatus finish(std::string_view body) noexcept;
  BodyStatus decode();
  BodyStatus decode_into_window();

  BodyFraming framing_ = BodyFraming::none;
  Mode mode_ = Mode::untouched;
  std::span<char> block_;
  std::size_t at_ = 0;
  std::size_t filled_ = 0;
  std::size_t length_ = 0;
  std::size_t limit_ = 0;
  std::uint64_t announced_ = 0;
  std::uint64_t taken_ = 0;
  http1::ChunkedDecoder chunks_;
  BodyBuffer buffer_;
  std::unique_ptr<char[]> window_;  // streamed
  std::size_t window_size_ = 0;
  std::size_t base_ = 0;    // of the block: where the stream is read to
  std::uint64_t left_ = 0;  // streamed, with a length: of the body, not yet in the window
  std::uint64_t limit_total_ = 0;
  std::string_view body_;
};

}  // namespace paravent::proxy::net
