// TlsStream: TLS on one connected, non-blocking socket that its owner watches. Told that the socket
// is ready, the owner calls; what cannot be done yet says would_block.
//
// The socket stays the owner's and must outlive the stream. Idle, a stream holds no buffers
// (performance: some 10 KiB for OpenSSL's own state); between records, where keep_warm() says so.
// Errors are values; which bytes were wrong is nobody's business. One thread.

#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "proxy/net/tls/client_context.h"
#include "proxy/net/tls/server_context.h"
#include "proxy/net/tls/warm_streams.h"

namespace paravent::proxy::net::tls {

enum class HandshakeStatus : std::uint8_t { done, would_block, failed };

// What one call moved, as IoResult of a plain socket: `end` only for an end that the other side has
// said (close_notify); a stream that merely stops has failed.
struct TlsResult {
  std::size_t bytes = 0;
  bool would_block = false;
  bool end = false;
  bool failed = false;
};

class TlsStream {
 public:
  // Null when memory has run out.
  static std::unique_ptr<TlsStream> accept(std::shared_ptr<const ServerContext> context, int fd);
  static std::unique_ptr<TlsStream> connect(std::shared_ptr<const ClientContext> context, int fd);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // Once, before the handshake: its buffers are among those of `warm`, which outlives it.
  void keep_warm(WarmStreams& warm) noexcept { warm_ = &warm; }

  // To be told before the other calls whenever the socket has become readable; `closing` once its
  // end or an error was announced.
  void on_readable(bool closing) noexcept;

  HandshakeStatus handshake();

  // After the handshake. Fills `into` as far as there is something: a shorter result means that
  // nothing more has arrived, unless more_to_read() says that something else is to be told.
  TlsResult receive(std::span<char> into);
  bool more_to_read() const noexcept;

  // Sends the parts as one message, in records of 16 KiB. What was not taken must be offered again,
  // from the same byte on and at least as much of it.
  TlsResult send(std::span<iovec> parts);

  // Tells the other side that nothing more will come, if the socket takes it.
  void close_notify() noexcept;

  // After the handshake.
  bool resumed() const noexcept;
  bool has_client_certificate() const noexcept;

 private:
  friend class WarmStreams;
  struct State;
  // Its place among the warm ones. stuck: it ought to have let go of its buffers, and could not.
  struct Warmth {
    TlsStream* older = nullptr;
    TlsStream* newer = nullptr;
    std::uint32_t tick = 0;
    bool linked = false;
    bool stuck = false;
  };
  explicit TlsStream(std::unique_ptr<State> state);
  template <typename Context>
  static std::unique_ptr<TlsStream> make(const Context& context, int fd);

  void keep_buffers() noexcept;
  bool release_buffers() noexcept;

  std::unique_ptr<State> state_;
  WarmStreams* warm_ = nullptr;  // null: no buffers between records
  Warmth warmth_;
};

}  // namespace paravent::proxy::net::tls
