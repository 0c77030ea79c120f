// The strict request parser: whatever the bytes, no cut changes the answer, and an accepted head
// keeps the promises of http_head.h. The first byte of the input chooses the cut.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/http1/request_parser.h"
#include "tests/fuzz/arriving_bytes.h"

namespace {

using namespace std::string_view_literals;
using paravent::proxy::BodyFraming;
using paravent::proxy::HeaderLine;
using paravent::proxy::Method;
using paravent::proxy::RequestHead;
using paravent::proxy::http1::ParseStatus;
using paravent::proxy::http1::RequestParser;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Run {
  explicit Run(std::span<const char> input) : bytes(input), lines(20) {
    parser.begin(lines, 2048, 512);
  }
  void parse(std::size_t piece) {
    std::size_t seen = 0;
    while (status == ParseStatus::need_more && seen < bytes.size()) {
      seen = bytes.size() - seen < piece ? bytes.size() : seen + piece;
      status = parser.parse(bytes.first(seen));
    }
    bytes.all();
  }

  paravent::test::ArrivingBytes bytes;
  std::vector<HeaderLine> lines;
  RequestParser parser;
  ParseStatus status = ParseStatus::need_more;
};

bool clean(std::string_view text) {
  return text.find_first_of("\r\n\0\x7f"sv) == std::string_view::npos;
}

void check_head(const Run& run) {
  const RequestHead& head = run.parser.head();
  require(run.parser.size() <= run.bytes.size());
  require(head.path.substr(0, 1) == "/" || (head.path == "*" && head.method == Method::options));
  require(head.path.find("//") == std::string_view::npos);
  require(head.path.find("/../") == std::string_view::npos);
  require(head.target.find_first_of(" #\\") == std::string_view::npos && clean(head.target));
  require(!head.host.empty() && clean(head.host) &&
          head.host.find_first_of(" @/,") == std::string_view::npos);
  require(head.framing != BodyFraming::close);
  require((head.framing == BodyFraming::length) == (head.content_length > 0));
  for (const HeaderLine& line : head.headers) {
    require(!line.name.empty() && clean(line.name) && clean(line.value));
    require(line.name.find_first_of("!#$%&'*+.^_`|~: \t") == std::string_view::npos);
  }
}

// What was accepted, written the way the gateway writes it, is one request with the same meaning.
void check_rewritten(const RequestHead& head) {
  std::string text(head.method_text);
  text.append(" ").append(head.target).append(" HTTP/1.1\r\nHost: ").append(head.host);
  for (const HeaderLine& line : head.headers) {
    using paravent::proxy::HeaderName;
    const bool ours = line.id == HeaderName::host || line.id == HeaderName::connection ||
                      line.id == HeaderName::content_length || line.id == HeaderName::expect ||
                      line.id == HeaderName::transfer_encoding;
    if (!ours) text.append("\r\n").append(line.name).append(": ").append(line.value);
  }
  if (head.framing != BodyFraming::none) text.append("\r\nContent-Length: 3");
  text.append("\r\n\r\n");
  const std::size_t size = text.size();
  text.append("a=1GET / HTTP/1.1\r\n");
  std::vector<char> bytes(text.begin(), text.end());
  std::vector<HeaderLine> lines(40);
  RequestParser parser;
  parser.begin(lines, 8192, 4096);
  require(parser.parse(bytes) == ParseStatus::done);
  const RequestHead& again = parser.head();
  require(parser.size() == size);
  require(again.method_text == head.method_text && again.target == head.target);
  require(again.host == head.host && again.path == head.path && again.query == head.query);
  require(again.content_length == (head.framing != BodyFraming::none ? 3U : 0U));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::span<const char> input(reinterpret_cast<const char*>(data) + 1, size - 1);
  Run whole(input);
  whole.parse(input.size() + 1);
  Run cut(input);
  cut.parse(1 + data[0] % 64U);
  require(whole.status == cut.status);
  if (whole.status == ParseStatus::refused) {
    require(whole.parser.reason() == cut.parser.reason());
  } else if (whole.status == ParseStatus::done) {
    require(whole.parser.size() == cut.parser.size());
    require(whole.parser.head().headers.size() == cut.parser.head().headers.size());
    require(whole.parser.head().target == cut.parser.head().target);
    check_head(whole);
    check_rewritten(whole.parser.head());
  }
  return 0;
}
