#include "proxy/net/tls/tls_stream.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "proxy/net/tls/openssl_handles.h"
#include "proxy/net/tls/socket_bio.h"

namespace paravent::proxy::net::tls {
namespace {

// A ClientHello with everything is below 2 KiB, a chain of client certificates below 32.
constexpr std::size_t kHandshakeBudget = std::size_t{64} * 1024;
constexpr std::size_t kRecord = SSL3_RT_MAX_PLAIN_LENGTH;
// Steps of OpenSSL's handshake after the handshake, two for a key update (RFC 8446 4.6.3) that asks
// for ours: each costs us keys, and nobody needs more on one connection.
constexpr unsigned kMostLateSteps = 64;

}  // namespace

struct TlsStream::State {
  std::shared_ptr<const ServerContext> server;
  std::shared_ptr<const ClientContext> client;
  SocketState socket;
  Handle<SSL> connection;
  unsigned late_steps = 0;
  bool established = false;
  bool ended = false;
  bool failed = false;

  static void on_info(const SSL* connection, int where, int) {
    auto* const state = static_cast<State*>(SSL_get_app_data(connection));
    if (!state->established || (where & SSL_CB_LOOP) == 0) return;
    if (++state->late_steps > kMostLateSteps) state->socket.budget = 0;  // the next read fails
  }

  TlsResult fail() {
    ERR_clear_error();
    failed = true;
    return {.failed = true};
  }

  // Whether all that was written has left, as far as anybody waits for it. What a server writes at
  // the end of a handshake of TLS 1.3 are tickets, for which nobody does: they leave with its first
  // answer.
  FlushStatus end_holding() {
    if (socket.holding && SSL_version(connection.get()) >= TLS1_3_VERSION) {
      socket.holding = false;
      return FlushStatus::done;
    }
    const FlushStatus flushed = flush_held(socket);
    socket.holding = socket.holding && flushed == FlushStatus::would_block;
    return flushed;
  }
};

TlsStream::TlsStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsStream::~TlsStream() {
  if (warm_ != nullptr) warm_->forget(*this);
}

template <typename Context>
std::unique_ptr<TlsStream> TlsStream::make(const Context& context, int fd) {
  auto state = std::make_unique<State>();
  state->socket.fd = fd;
  state->socket.budget = kHandshakeBudget;
  auto bio = make_socket_bio(*context.socket_methods(), state->socket);
  state->connection.reset(context.new_connection());
  if (!bio || !state->connection) return nullptr;
  BIO* const both = bio.release();
  SSL_set_bio(state->connection.get(), both, both);
  SSL_set_app_data(state->connection.get(), state.get());
  return std::unique_ptr<TlsStream>(new TlsStream(std::move(state)));
}

std::unique_ptr<TlsStream> TlsStream::accept(std::shared_ptr<const ServerContext> context, int fd) {
  auto stream = make(*context, fd);
  if (!stream) return nullptr;
  SSL_set_accept_state(stream->state_->connection.get());
  stream->state_->socket.holding = true;
  // Of clients only: a server's tickets are late steps as well, and an upstream is no attacker.
  SSL_set_info_callback(stream->state_->connection.get(), State::on_info);
  stream->state_->server = std::move(context);
  return stream;
}

std::unique_ptr<TlsStream> TlsStream::connect(std::shared_ptr<const ClientContext> context,
                                              int fd) {
  auto stream = make(*context, fd);
  if (!stream) return nullptr;
  SSL_set_connect_state(stream->state_->connection.get());
  stream->state_->client = std::move(context);
  return stream;
}

void TlsStream::on_readable(bool closing) noexcept {
  state_->socket.drained = false;
  state_->socket.closing = state_->socket.closing || closing;
}

HandshakeStatus TlsStream::handshake() {
  ERR_clear_error();
  SSL* const connection = state_->connection.get();
  const int done = SSL_do_handshake(connection);
  if (done == 1) {
    switch (state_->end_holding()) {
      case FlushStatus::done:
        break;
      case FlushStatus::would_block:
        return HandshakeStatus::would_block;
      case FlushStatus::failed:
        state_->fail();
        return HandshakeStatus::failed;
    }
    state_->established = true;
    state_->socket.budget = std::numeric_limits<std::size_t>::max();
    return HandshakeStatus::done;
  }
  const int error = SSL_get_error(connection, done);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    return HandshakeStatus::would_block;
  }
  flush_held(state_->socket);  // why, in an alert
  state_->fail();
  return HandshakeStatus::failed;
}

TlsResult TlsStream::receive(std::span<char> into) {
  TlsResult result;
  if (state_->failed) return {.failed = true};
  if (state_->ended) return {.end = true};
  if (warm_ != nullptr) warm_->use(*this);
  SSL* const connection = state_->connection.get();
  while (result.bytes < into.size()) {
    ERR_clear_error();
    std::size_t got = 0;
    const auto room = into.subspan(result.bytes);
    if (SSL_read_ex(connection, room.data(), room.size(), &got) == 1) {
      result.bytes += got;
      continue;
    }
    const int error = SSL_get_error(connection, 0);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
      result.would_block = result.bytes == 0;
      return result;
    }
    if (error == SSL_ERROR_ZERO_RETURN) {
      state_->ended = true;
      result.end = result.bytes == 0;
      return result;
    }
    // What came in front of the fault is still good: it was authenticated.
    state_->fail();
    result.failed = result.bytes == 0;
    return result;
  }
  return result;
}

bool TlsStream::more_to_read() const noexcept { return state_->ended || state_->failed; }

TlsResult TlsStream::send(std::span<iovec> parts) {
  std::array<char, kRecord> gathered;
  TlsResult result;
  if (state_->failed) return {.failed = true};
  if (warm_ != nullptr) warm_->use(*this);
  std::size_t left = 0;
  for (const iovec& part : parts) left += part.iov_len;
  std::size_t at = 0;      // of the part under way
  std::size_t offset = 0;  // within it
  while (left > 0) {
    while (offset == parts[at].iov_len) {
      ++at;
      offset = 0;
    }
    const std::size_t size = std::min(left, kRecord);
    const char* from = static_cast<const char*>(parts[at].iov_base) + offset;
    if (parts[at].iov_len - offset < size) {
      std::size_t have = 0;
      std::size_t skip = offset;
      for (std::size_t i = at; have < size; ++i) {
        const std::size_t n = std::min(parts[i].iov_len - skip, size - have);
        std::memcpy(gathered.data() + have, static_cast<const char*>(parts[i].iov_base) + skip, n);
        have += n;
        skip = 0;
      }
      from = gathered.data();
    }
    ERR_clear_error();
    std::size_t put = 0;
    if (SSL_write_ex(state_->connection.get(), from, size, &put) != 1) {
      const int error = SSL_get_error(state_->connection.get(), 0);
      if (error != SSL_ERROR_WANT_WRITE) return state_->fail();
      result.would_block = result.bytes == 0;
      return result;
    }
    result.bytes += put;
    left -= put;
    for (offset += put; at < parts.size() && offset >= parts[at].iov_len; ++at) {
      offset -= parts[at].iov_len;
    }
  }
  return result;
}

void TlsStream::keep_buffers() noexcept {
  SSL_clear_mode(state_->connection.get(), SSL_MODE_RELEASE_BUFFERS);
}

// False: a part of a record has arrived, or has not left, so its buffers stay until it is used or
// goes. From here on OpenSSL lets go of them after each record.
bool TlsStream::release_buffers() noexcept {
  SSL* const connection = state_->connection.get();
  SSL_set_mode(connection, SSL_MODE_RELEASE_BUFFERS);
  return SSL_free_buffers(connection) == 1;
}

void TlsStream::close_notify() noexcept {
  SSL* const connection = state_->connection.get();
  if (!state_->established || state_->failed) return;
  if ((SSL_get_shutdown(connection) & SSL_SENT_SHUTDOWN) != 0) return;
  ERR_clear_error();
  SSL_shutdown(connection);
  ERR_clear_error();
}

bool TlsStream::resumed() const noexcept {
  return SSL_session_reused(state_->connection.get()) == 1;
}

bool TlsStream::has_client_certificate() const noexcept {
  const SSL* const connection = state_->connection.get();
  return SSL_get0_peer_certificate(connection) != nullptr &&
         SSL_get_verify_result(connection) == X509_V_OK;
}

}  // namespace paravent::proxy::net::tls
