// SocketBio: OpenSSL's way to a non-blocking socket, with this house's manners: no SIGPIPE, no
// descriptor closed behind the owner's back, no read that is known to fail, a bound on what is
// taken before the handshake is over, and messages of a handshake that leave together.
//
// OpenSSL's own socket BIO has none of these. Belongs to one connection and one thread.

#pragma once

#include <openssl/bio.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "proxy/net/tls/openssl_handles.h"

namespace paravent::proxy::net::tls {

// The methods of such BIOs; outlives them, one per context. Null when memory has run out.
Handle<BIO_METHOD> make_socket_methods();

// What a BIO knows of its socket. Owned by the stream, outlives the BIO.
struct SocketState {
  int fd = -1;
  // A short read has emptied the socket: until readiness is told again, reads fail at once.
  bool drained = false;
  // The end is to be read as well: short reads say nothing.
  bool closing = false;
  // Bytes that may still be read; a handshake that needs more is an attack.
  std::size_t budget = 0;
  // While set, what is written is held until something is read, which the other side writes only in
  // answer to it; at most so much that more is written at once.
  bool holding = false;
  // Leaves in front of the next bytes that are written without `holding`.
  std::vector<char> held;
};

enum class FlushStatus : std::uint8_t { done, would_block, failed };

// Writes what is held. What the socket does not take stays held.
FlushStatus flush_held(SocketState& state);

// Null when memory has run out.
Handle<BIO> make_socket_bio(const BIO_METHOD& methods, SocketState& state);

}  // namespace paravent::proxy::net::tls
