// AdminServer: the admin listener. HTTP/1.1 by Beast, which is fit for this door: known clients,
// and bounds on everything. Threads of its own, so that a handler may wait for the disk without any
// worker noticing.
//
// With TLS, each connection is Asio's own stream over Beast's: its 70 KiB of buffers, which the
// data path cannot afford, do not matter for a few operators.
//
// start() binds before it returns; stop() ends every connection and joins the threads. The handler
// must outlive the server.

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "crypto/base/result.h"
#include "proxy/admin/admin_message.h"
#include "proxy/net/tls/server_context.h"

namespace paravent::proxy::admin {

struct AdminServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8081;  // 0: any free one
  // Instead of host and port: a socket of mode 0600. One that nobody listens on is replaced.
  std::string unix_path;
  unsigned threads = 32;
  std::size_t header_bytes = 16 * 1024;
  std::size_t body_bytes = 4 * 1024 * 1024;
  unsigned idle_seconds = 30;
  std::size_t connections = 256;
  unsigned handshake_seconds = 5;
  std::shared_ptr<const net::tls::ServerContext> tls;  // null: plain
};

class AdminServer {
 public:
  // ErrorKind::busy: the port is taken; configuration: the address is not one of this machine.
  static crypto::Result<std::unique_ptr<AdminServer>> start(const AdminServerOptions& options,
                                                            AdminHandler& handler);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  std::uint16_t port() const;  // 0 on a Unix socket
  // For connections to come. REQUIRES: neither null nor plain before. Any thread.
  void use_certificates(std::shared_ptr<const net::tls::ServerContext> tls);
  void stop();

 private:
  struct State;
  explicit AdminServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace paravent::proxy::admin
