// The response parser: no cut changes the answer. Of the first byte, the low bits choose the cut
// and the highest whether the request was a HEAD.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "proxy/net/http1/response_parser.h"
#include "tests/fuzz/arriving_bytes.h"

namespace {

using paravent::proxy::BodyFraming;
using paravent::proxy::HeaderLine;
using paravent::proxy::ResponseHead;
using paravent::proxy::http1::ResponseParser;
using paravent::proxy::http1::ResponseStatus;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Run {
  Run(std::string_view input, std::size_t piece, bool to_head) : bytes(input), lines(20) {
    parser.begin(lines, 2048, to_head);
    std::size_t seen = 0;
    while (status == ResponseStatus::need_more && seen < bytes.size()) {
      seen = bytes.size() - seen < piece ? bytes.size() : seen + piece;
      const auto arrived = bytes.first(seen);
      status = parser.parse({arrived.data(), arrived.size()});
    }
    bytes.all();
  }

  paravent::test::ArrivingBytes bytes;
  std::vector<HeaderLine> lines;
  ResponseParser parser;
  ResponseStatus status = ResponseStatus::need_more;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool to_head = data[0] >= 0x80U;
  const Run whole(bytes, bytes.size() + 1, to_head);
  const Run cut(bytes, 1 + data[0] % 64U, to_head);
  require(whole.status == cut.status);
  if (whole.status != ResponseStatus::done) return 0;
  const ResponseHead& head = whole.parser.head();
  require(whole.parser.size() == cut.parser.size() && whole.parser.size() <= bytes.size());
  require(head.framing == cut.parser.head().framing);
  require(head.content_length == cut.parser.head().content_length);
  require(head.status >= 100 && head.status < 600);
  if (to_head || head.status == 204 || head.status == 304 || head.status < 200) {
    require(head.framing == BodyFraming::none);
  }
  if (head.framing == BodyFraming::close) require(!head.keep_alive);
  return 0;
}
