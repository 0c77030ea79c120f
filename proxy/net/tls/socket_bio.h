// SocketBio: OpenSSL's way to a non-blocking socket, with this house's manners: no SIGPIPE, no
// descriptor closed behind the owner's back, no read that is known to fail, and a bound on what is
// taken before the handshake is over.
//
// OpenSSL's own socket BIO has none of these. Belongs to one connection and one thread.

#pragma once

#include <openssl/bio.h>

#include <cstddef>

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
};

// Null when memory has run out.
Handle<BIO> make_socket_bio(const BIO_METHOD& methods, SocketState& state);

}  // namespace paravent::proxy::net::tls
