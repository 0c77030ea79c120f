// ChunkedDecoder: RFC 9112 7.1 read strictly, resumable at every byte, for both directions.
//
// Refused: extensions, trailers, anything but CRLF, more than 8 digits of size, white space.
// Nothing is copied: data comes out as views of what went in. Cannot exceed its input; the caller
// bounds the sum.

#pragma once

#include <cstdint>
#include <string_view>

namespace paravent::proxy::http1 {

enum class ChunkStatus : std::uint8_t {
  data,       // a piece of the body; call again
  need_more,  // the input is used up
  done,       // the last chunk's end has been read; what is left of the input belongs to no body
  bad,
};

class ChunkedDecoder {
 public:
  void reset() noexcept { *this = ChunkedDecoder(); }

  // Takes bytes off the front of `in` until there is something to say. `piece` is set for data.
  ChunkStatus next(std::string_view& in, std::string_view& piece) noexcept;

 private:
  enum class State : std::uint8_t {
    size,
    size_lf,
    data,
    data_cr,
    data_lf,
    last_cr,
    last_lf,
    done,
    bad,
  };

  bool take_size_char(char c) noexcept;

  std::uint64_t left_ = 0;
  State state_ = State::size;
  std::uint8_t digits_ = 0;
};

}  // namespace paravent::proxy::http1
