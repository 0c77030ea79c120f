// The strict HTTP/1.1 parsers on what browsers and applications really send.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "proxy/net/http1/chunked_decoder.h"
#include "proxy/net/http1/request_parser.h"
#include "proxy/net/http1/response_parser.h"

namespace paravent::proxy::http1 {
namespace {

std::string browser_head() {
  return "POST /contact?utm_source=newsletter&lang=fr HTTP/1.1\r\n"
         "Host: www.atelier.example\r\n"
         "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
         "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
         "Accept-Language: fr-FR,fr;q=0.8,en;q=0.5\r\n"
         "Accept-Encoding: gzip, deflate, br\r\n"
         "Content-Type: application/x-www-form-urlencoded\r\n"
         "Content-Length: 260\r\n"
         "Origin: https://www.atelier.example\r\n"
         "Connection: keep-alive\r\n"
         "Cookie: session=0123456789abcdef\r\n"
         "\r\n";
}

std::string minimal_head() { return "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"; }

void parse_requests(benchmark::State& state, std::string head, std::size_t piece) {
  std::vector<HeaderLine> lines(100);
  RequestParser parser;
  for (auto _ : state) {
    parser.begin(lines, 16 * 1024, 8 * 1024);
    ParseStatus status = ParseStatus::need_more;
    for (std::size_t seen = 0; status == ParseStatus::need_more;) {
      seen = std::min(head.size(), seen + piece);
      status = parser.parse(std::span<char>(head).first(seen));
    }
    if (status != ParseStatus::done) state.SkipWithError("refused");
    benchmark::DoNotOptimize(parser.head());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(head.size()));
}

void BM_RequestHeadBrowser(benchmark::State& state) {
  parse_requests(state, browser_head(), 1U << 20U);
}
BENCHMARK(BM_RequestHeadBrowser);

void BM_RequestHeadMinimal(benchmark::State& state) {
  parse_requests(state, minimal_head(), 1U << 20U);
}
BENCHMARK(BM_RequestHeadMinimal);

// A sender of single bytes: linear, not quadratic.
void BM_RequestHeadByteByByte(benchmark::State& state) { parse_requests(state, browser_head(), 1); }
BENCHMARK(BM_RequestHeadByteByByte);

void BM_ResponseHead(benchmark::State& state) {
  const std::string head =
      "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 03 Jun 2024 10:00:00 GMT\r\n"
      "Content-Type: text/html; charset=utf-8\r\nContent-Length: 1024\r\nConnection: "
      "keep-alive\r\n\r\n";
  std::vector<HeaderLine> lines(128);
  ResponseParser parser;
  for (auto _ : state) {
    parser.begin(lines, 64 * 1024, false);
    benchmark::DoNotOptimize(parser.parse(head));
    benchmark::DoNotOptimize(parser.head());
  }
}
BENCHMARK(BM_ResponseHead);

// Chunks of one byte: what an attacker sends to burn time.
void BM_TinyChunks(benchmark::State& state) {
  std::string body;
  for (int i = 0; i < 1000; ++i) body += "1\r\nx\r\n";
  body += "0\r\n\r\n";
  for (auto _ : state) {
    ChunkedDecoder decoder;
    std::string_view in = body;
    std::string_view piece;
    std::size_t total = 0;
    while (decoder.next(in, piece) == ChunkStatus::data) total += piece.size();
    benchmark::DoNotOptimize(total);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * 1000);
}
BENCHMARK(BM_TinyChunks);

}  // namespace
}  // namespace paravent::proxy::http1
