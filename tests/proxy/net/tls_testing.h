// Keys and certificates made in memory for one test, written as PEM files into a folder of its own
// that goes with it; a pair of connected, non-blocking sockets; and a handshake over them.

#pragma once

#include <array>
#include <string>

#include "proxy/net/tls/server_context.h"
#include "proxy/net/tls/tls_stream.h"
#include "proxy/net/unique_fd.h"

namespace paravent::proxy::net::tls {

class Certificates {
 public:
  Certificates();
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  const std::string& authority() const { return authority_; }
  // For that DNS name, or that address where it is one; also the subject's common name.
  CertificateFiles issue(const std::string& name, int days = 30) const;
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

 private:
  std::string folder_;
  std::string authority_;
};

std::array<UniqueFd, 2> socket_pair();

// Of a stream of ours, and of plain OpenSSL at the other end: until both are done, or ours says how
// it stands.
HandshakeStatus shake_hands(TlsStream& ours, ssl_st* theirs);

}  // namespace paravent::proxy::net::tls
