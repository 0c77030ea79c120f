#include "proxy/net/http1/chunked_decoder.h"

#include <algorithm>
#include <cstddef>

#include "proxy/net/http1/char_class.h"

namespace paravent::proxy::http1 {

bool ChunkedDecoder::take_size_char(char c) noexcept {
  if (is(c, kHexChar)) {
    if (++digits_ > 8) return false;
    left_ = left_ << 4U | hex_value(c);
    return true;
  }
  if (c != '\r' || digits_ == 0) return false;
  state_ = State::size_lf;
  return true;
}

ChunkStatus ChunkedDecoder::next(std::string_view& in, std::string_view& piece) noexcept {
  const auto expect = [this](char got, char wanted, State then) {
    state_ = got == wanted ? then : State::bad;
  };
  while (!in.empty() && state_ != State::done && state_ != State::bad) {
    if (state_ == State::data) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size()));
      piece = in.substr(0, n);
      in.remove_prefix(n);
      left_ -= n;
      if (left_ == 0) state_ = State::data_cr;
      return ChunkStatus::data;
    }
    const char c = in.front();
    in.remove_prefix(1);
    switch (state_) {
      case State::size:
        if (!take_size_char(c)) state_ = State::bad;
        break;
      case State::size_lf:
        expect(c, '\n', left_ == 0 ? State::last_cr : State::data);
        digits_ = 0;
        break;
      case State::data_cr:
        expect(c, '\r', State::data_lf);
        break;
      case State::data_lf:
        expect(c, '\n', State::size);
        break;
      case State::last_cr:
        expect(c, '\r', State::last_lf);
        break;
      case State::last_lf:
        expect(c, '\n', State::done);
        break;
      case State::data:
      case State::done:
      case State::bad:
        break;
    }
  }
  if (state_ == State::done) return ChunkStatus::done;
  return state_ == State::bad ? ChunkStatus::bad : ChunkStatus::need_more;
}

}  // namespace paravent::proxy::http1
