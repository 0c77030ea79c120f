// One streamed upload with doubles on every side, for tests: what the client sends comes in the
// pieces that the test says, and what the upstream has got is put together again.

#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "proxy/net/http1/chunked_decoder.h"
#include "tests/proxy/pipeline/transaction_testing.h"

namespace paravent::proxy::testing {

using crypto::vault::ResolveStatus;

inline std::string file(const std::string& name, const std::string& content,
                        const std::string& file_name = "Marie Dupont.pdf",
                        const std::string& headers = "") {
  return "--B\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"" + file_name +
         "\"\r\n" + headers + "\r\n" + content + "\r\n";
}
inline const std::string kEnd(kMultipartEnd);

inline std::string dechunked(std::string_view body) {
  http1::ChunkedDecoder chunks;
  std::string out;
  for (std::string_view piece;;) {
    const auto status = chunks.next(body, piece);
    if (status == http1::ChunkStatus::done) return body.empty() ? out : "bytes behind the end";
    if (status != http1::ChunkStatus::data) return "no whole body";
    out.append(piece);
  }
}

// One upload under way.
class Streaming {
 public:
  explicit Streaming(const std::string& policy) : exchange(policy) {}

  // Everything is there at once.
  Streaming& send(const std::string& body) { return send_pieces({body}); }
  Streaming& send_pieces(std::deque<std::string> pieces, bool ends = true) {
    std::string whole;
    for (const std::string& piece : pieces) whole += piece;
    exchange.down.pieces = std::move(pieces);
    exchange.down.stream_ends = ends;
    exchange.start(multipart_post(whole), true);
    return *this;
  }
  Streaming& more(const std::string& piece, bool ends = false) {
    exchange.down.pieces = {piece};
    exchange.down.stream_ends = ends;
    exchange.transaction.on_body(exchange.down.next_piece());
    return *this;
  }
  Streaming& answer_vault(ResolveStatus status = ResolveStatus::ok) {
    exchange.vault.answer(status);
    exchange.transaction.on_resolved();
    return *this;
  }

  bool asked() const { return exchange.up.exchanges > 0; }
  bool chunked() const {
    return exchange.up.head.find("Transfer-Encoding: chunked") != std::string::npos;
  }
  // What the upstream has got; "" where it got no whole body.
  std::string body() const {
    if (!exchange.up.ended) return "";
    return chunked() ? dechunked(exchange.up.body) : exchange.up.body;
  }
  std::string refused() const {
    const std::string& sent = exchange.down.sent;
    const std::size_t at = sent.find("\"reason\":\"");
    if (at == std::string::npos) return sent;
    return sent.substr(at + 10, sent.find('"', at + 10) - at - 10);
  }
  bool broken_off() const { return exchange.up.cancels == 1 && !exchange.up.ended; }

  Exchange exchange;
};

// More than an upload holds back.
inline const std::string kLong(200'000, 'x');

}  // namespace paravent::proxy::testing
