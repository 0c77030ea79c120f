#include <poll.h>

#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include "proxy/net/tls/tls_stream.h"
#include "proxy/net/upstream_keeper.h"

namespace paravent::proxy::net {
namespace {

using Clock = std::chrono::steady_clock;

// One connection that is waited for: a health check has a thread to itself.
class Probe {
 public:
  explicit Probe(Clock::time_point end) : end_(end) {}

  bool open(const UpstreamAddress& address) {
    for (const SocketAddress& one : address.addresses) {
      fd_ = start_connect(one);
      if (fd_ && wait(POLLOUT) && connect_error(fd_.get()) == 0) break;
      fd_.reset();
    }
    if (!fd_) return false;
    if (!address.setting.tls) return true;
    tls_ = tls::TlsStream::connect(address.setting.tls, fd_.get());
    if (!tls_) return false;
    for (;;) {
      switch (tls_->handshake()) {
        case tls::HandshakeStatus::done:
          return true;
        case tls::HandshakeStatus::failed:
          return false;
        case tls::HandshakeStatus::would_block:
          if (!wait(POLLIN)) return false;
          tls_->on_readable(false);
      }
    }
  }

  // A few hundred bytes, which a fresh socket takes.
  bool send(std::string_view text) {
    iovec part = to_iovec(text);
    return (tls_ ? tls_->send({&part, 1}).bytes : send_gather(fd_.get(), {&part, 1}).bytes) ==
           text.size();
  }

  // Until there are `size` bytes, or no more of them.
  std::string receive(std::size_t size) {
    std::string text;
    std::array<char, 256> piece;
    while (text.size() < size) {
      bool would_block = false;
      std::size_t bytes = 0;
      if (tls_) {
        const tls::TlsResult got = tls_->receive(piece);
        would_block = got.would_block;
        bytes = got.bytes;
      } else {
        const IoResult got = net::receive(fd_.get(), piece);
        would_block = got.would_block;
        bytes = got.bytes;
      }
      if (would_block) {
        if (!wait(POLLIN)) break;
        if (tls_) tls_->on_readable(false);
        continue;
      }
      if (bytes == 0) break;
      text.append(piece.data(), bytes);
    }
    return text;
  }

 private:
  bool wait(short events) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now());
    if (left.count() <= 0) return false;
    pollfd one{fd_.get(), events, 0};
    return ::poll(&one, 1, static_cast<int>(left.count())) == 1;
  }

  Clock::time_point end_;
  UniqueFd fd_;
  std::unique_ptr<tls::TlsStream> tls_;
};

}  // namespace

bool is_healthy(const UpstreamAddress& address, int timeout_ms) {
  Probe probe(Clock::now() + std::chrono::milliseconds(timeout_ms));
  if (!probe.open(address)) return false;
  const std::string& host = address.target.unix_path.empty() ? address.target.host : "localhost";
  const bool v6 = host.find(':') != std::string::npos;
  const std::string request = "GET " + address.setting.health_path +
                              " HTTP/1.1\r\nHost: " + (v6 ? "[" + host + "]" : host) +
                              "\r\nUser-Agent: paravent-health\r\nConnection: close\r\n\r\n";
  if (!probe.send(request)) return false;
  constexpr std::string_view kPattern = "HTTP/1.1 200";
  const std::string status = probe.receive(kPattern.size());
  return status.size() >= kPattern.size() && status.starts_with("HTTP/1.") && status[8] == ' ' &&
         (status[9] == '2' || status[9] == '3');
}

}  // namespace paravent::proxy::net
