// ClientContext: how the gateway speaks TLS to one upstream: whom it trusts, which name the
// certificate must be for, and the certificate that it shows in turn.
//
// Built once, then immutable and shared; thread safe.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "crypto/base/result.h"

struct bio_method_st;
struct ssl_ctx_st;

namespace paravent::proxy::net::tls {

struct ClientOptions {
  // What the certificate must be valid for, and what is sent as SNI: a host name, or an address,
  // which is compared with the certificate's addresses and sent as no SNI (RFC 6066 3).
  std::string server_name;
  std::string ca;           // PEM; empty: the system's authorities
  std::string certificate;  // PEM; empty: none is shown
  std::string key;
};

class ClientContext {
 public:
  // configuration: one sentence about the file that is wrong.
  static crypto::Result<std::shared_ptr<const ClientContext>> make(
      const ClientOptions& options, std::vector<std::string>& warnings);
  ~ClientContext();
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;

  // For streams: OpenSSL's object, and how it reads and writes their sockets.
  ssl_ctx_st* native() const noexcept;
  const bio_method_st* socket_methods() const noexcept;
  const std::string& server_name() const noexcept;

 private:
  struct State;
  explicit ClientContext(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace paravent::proxy::net::tls
