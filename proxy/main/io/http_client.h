// One HTTP exchange as a client, over TCP, TLS or a Unix socket: for the commands that talk to the
// admin API and for anchors. Blocks its thread; nothing of it is for the data path.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/result.h"

namespace paravent::proxy::main {

struct HttpQuestion {
  std::string url;   // http://HOST[:PORT], https://HOST[:PORT] or unix:/PATH; nothing behind it
  std::string path;  // "/v1/keys"
  std::string ca;    // PEM of the authority; empty: the system's
  bool post = false;
  std::string content_type = "application/json";
  std::string_view body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::chrono::seconds patience{30};  // for each of connecting, sending and receiving
  std::size_t most = std::size_t{256} << 20U;
};

struct HttpAnswer {
  std::uint16_t status = 0;
  std::string body;
};

// ErrorKind::usage: a URL of another form; configuration: the authority's file cannot be used;
// unreachable: no connection or no whole answer; verification: no trust in the certificate.
crypto::Result<HttpAnswer> http_exchange(const HttpQuestion& question);

// "https://host:1/path" into its two parts; the path is "/" where there is none.
std::pair<std::string, std::string> split_url(std::string_view url);

}  // namespace paravent::proxy::main
