// One connection of a load generator, plain or over TLS 1.3: opened with its handshake done, then
// non-blocking. The certificate is not verified: the peer is a process of the same run. Not for
// several threads.

#pragma once

#include <openssl/ssl.h>
#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace paravent::bench {

enum class Handshakes : std::uint8_t { full, resumed };

// What the TLS connections of one generator share.
class TlsClient {
 public:
  explicit TlsClient(Handshakes handshakes);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // A session over the connected descriptor, its handshake done; null when that failed.
  SSL* open(int descriptor);
  // Sessions that went on from an earlier one's ticket.
  std::uint64_t resumed() const { return resumed_; }

 private:
  static int on_session(SSL* tls, SSL_SESSION* session);

  Handshakes handshakes_;
  SSL_CTX* context_;
  std::vector<SSL_SESSION*> sessions_;
  std::uint64_t resumed_ = 0;
};

class Stream {
 public:
  Stream() = default;
  ~Stream() { close(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // `tls` null: plain. False when nobody answers.
  bool open(std::uint16_t port, TlsClient* tls);
  void close();
  int descriptor() const { return descriptor_; }

  // A request on an idle connection always fits the socket's buffer (connect_loopback).
  bool send(std::string_view bytes);
  // Of a request that may not fit, over a plain connection: how many bytes went, 0 when none fit
  // now; -1 when the connection is lost.
  ssize_t send_some(std::string_view bytes);
  // As recv(2): 0 at the end, -1 with errno EAGAIN when there is nothing yet.
  ssize_t receive(std::span<char> into);

 private:
  int descriptor_ = -1;
  SSL* tls_ = nullptr;
};

}  // namespace paravent::bench
