// ServerContext: how one of our listeners speaks TLS: its certificates, whom it asks for a
// certificate, and the keys of its session tickets.
//
// Built once, then immutable and shared; a reload builds another one, and connections keep theirs.
// Thread safe. The protocol rules are those of harden() (certificate.h). ALPN: http/1.1 or none.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "proxy/net/tls/ticket_keys.h"

struct bio_method_st;
struct ssl_st;

namespace paravent::proxy::net::tls {

// PEM files. `certificate` holds the leaf first, then the intermediate ones.
struct CertificateFiles {
  std::string certificate;
  std::string key;
};

enum class ClientCertificate : std::uint8_t {
  none,       // not asked for
  requested,  // asked for; without one the connection goes on, with a wrong one it ends
  required,   // no connection without one
};

struct ServerOptions {
  // At least one. A client that names a server (SNI) gets the first certificate that is valid for
  // that name; without a match, or without a name, the first of all. Host decides the route, as
  // without TLS.
  std::vector<CertificateFiles> certificates;
  ClientCertificate client_certificate = ClientCertificate::none;
  std::string client_ca;  // PEM; where certificates are asked for
  // Null: no session is resumed. Never used where certificates are asked for, so that each
  // connection proves that the client still has its key.
  std::shared_ptr<TicketKeys> tickets;
};

class ServerContext {
 public:
  // configuration: one sentence about the file that is wrong. `warnings` receives sentences.
  static crypto::Result<std::shared_ptr<const ServerContext>> make(
      const ServerOptions& options, std::vector<std::string>& warnings);
  ~ServerContext();
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  bool asks_for_certificate() const noexcept;
  // OpenSSL's object for one connection, which the caller owns; this context must outlive it. Null:
  // out of memory.
  ssl_st* new_connection() const noexcept;
  // For streams: how OpenSSL reads and writes their sockets.
  const bio_method_st* socket_methods() const noexcept;

 private:
  struct State;
  explicit ServerContext(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Who the client proved to be: the one common name of its verified certificate's subject; empty
// without a certificate, and where the subject has none or several.
std::string verified_common_name(ssl_st& connection);
// When that certificate ends; nullopt without one.
std::optional<crypto::WallTime> verified_until(ssl_st& connection);

}  // namespace paravent::proxy::net::tls
