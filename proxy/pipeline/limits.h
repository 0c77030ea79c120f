// Limits and deadlines of the data path, with the house's defaults (docs/request-path.md lists them
// with their reasons). Bytes and milliseconds. Plain data, part of the snapshot.

#pragma once

#include <cstddef>
#include <cstdint>

namespace paravent::proxy {

struct Limits {
  std::size_t header_bytes = 16 * 1024;      // the whole head: 431
  std::size_t header_line_bytes = 8 * 1024;  // one line: 431; the request line: 414
  std::size_t header_count = 100;
  std::size_t form_bytes = 1024 * 1024;
  std::size_t json_bytes = 8 * 1024 * 1024;
  std::uint64_t file_bytes = std::uint64_t{1}
                             << 30U;  // the streamed files of one request, together
  std::size_t response_head_bytes = 64 * 1024;
  std::uint32_t requests_per_connection = 1000;
  std::uint32_t handshake_ms = 5'000;    // TLS, from accept to its end
  std::uint32_t header_ms = 10'000;      // from the first byte of a head to its end
  std::uint32_t idle_ms = 30'000;        // between requests
  std::uint32_t body_grace_ms = 10'000;  // then at least body_rate bytes a second on average
  std::uint32_t body_rate = 1024;
  std::uint32_t body_total_ms = 300'000;
  std::uint32_t upload_rate = 16 * 1024;  // streamed bodies, beyond body_total_ms: on average
  std::uint32_t write_ms = 60'000;        // without any progress
  std::uint32_t connect_ms = 5'000;
  std::uint32_t upstream_ms = 60'000;         // first byte of the answer, and between bytes
  std::size_t upstream_requests = 1024;       // under way at one target, per worker: 503
  std::uint32_t resolve_ms = 5'000;           // the vault's answer
  std::uint32_t drain_ms = 30'000;            // SIGTERM: finishing what is under way
  std::size_t connections = 20'000;           // of one gateway
  std::size_t connections_per_address = 256;  // of one client; trusted proxies are exempt
  std::uint32_t requests_per_second = 0;      // of one client, on average: 429; 0: no limit
  std::uint32_t request_burst = 0;            // at once; 0: five seconds' worth
  std::uint64_t memory_bytes = 0;  // of the process: 503 and shedding near it; 0: no limit
};

}  // namespace paravent::proxy
